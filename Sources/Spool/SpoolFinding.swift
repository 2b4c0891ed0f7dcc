import Bookings

/// Something wrong with an entry of the spool, and what can be done about it.
struct SpoolFinding: Hashable {
    /// What a repair does.
    enum Remedy: Hashable {
        /// Moves the entry into `damaged/`.
        case setAside
        /// Keeps a copy in `damaged/`, takes the damaged lines out, and puts in what is found of them elsewhere.
        case mendLines
        /// Moves the entry to `incoming/` under a name that promises nothing, where it is judged line by line.
        case judgeAnew
        /// Gives the letter the name of the booking that it is of.
        case nameLetter(BookingID)
        /// Keeps a copy in `damaged/` and makes a new letter of the message that is found in it or in the journal.
        case mendLetter
        /// Writes it anew; its name says all.
        case writeTombstone
        /// Makes it a pause without an end.
        case renewPause
        /// Puts back what can be read, and sets the segment aside.
        case replayJournal
        /// Makes the directory.
        case makePlace
        /// It must be done by hand, or needn't be done.
        case none(String)
    }

    /// Nil for the spool's own directory.
    let place: SpoolPlace?
    let name: String
    var line: Int?
    var id: BookingID?
    let problem: String
    let remedy: Remedy

    /// As it is told.
    func told(in directory: SpoolDirectory) -> DamageFinding {
        DamageFinding(
            path: path(in: directory), line: line, bookingId: id?.description, problem: problem, repair: plan)
    }

    func path(in directory: SpoolDirectory) -> String {
        place.map { directory.path($0, name) } ?? "\(directory.root)/\(name)"
    }

    private var plan: String {
        switch remedy {
        case .setAside: "--repair moves it to damaged/."
        case .mendLines:
            "--repair keeps the original in damaged/, takes the line out, and restores it if the journal still has it."
        case .judgeAnew: "--repair moves it to incoming/, where the worker judges it anew."
        case .nameLetter(let id): "--repair renames it to \(DeadLetterFile.name(id)) if there is none."
        case .mendLetter:
            "--repair keeps the original in damaged/ and makes a new letter if the message can be found."
        case .writeTombstone: "--repair writes it anew."
        case .renewPause: "--repair makes it a pause without an end; 'acmsctl resume' ends it."
        case .replayJournal: "--repair puts back what can be read and moves the segment to damaged/."
        case .makePlace: "--repair makes it."
        case .none(let text): text
        }
    }
}

extension SpoolFinding.Remedy {
    /// What comes first of several for one entry: lines are mended where they are, and copies are not moved about.
    var rank: Int {
        switch self {
        case .mendLines: 0
        case .setAside: 1
        default: 2
        }
    }
}
