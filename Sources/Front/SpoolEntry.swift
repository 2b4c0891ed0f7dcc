import Bookings
import Spool

/// Where an entry of the spool is.
struct SpoolEntry: Hashable {
    var place: SpoolPlace
    var name: EntryName

    init(place: SpoolPlace, name: EntryName) {
        self.place = place
        self.name = name
    }

    init(place: SpoolPlace, name: String) {
        self.init(place: place, name: EntryName(name))
    }

    /// How far on its way the entry is.
    var progress: Progress {
        switch place {
        case .tmp, .incoming, .active: .queued
        case .deferred: .deferred
        case .dead: .deadLettered
        }
    }

    /// Whether an entry that has left its place and one of its name that has come to `place` are the same file.
    ///
    /// What comes to `deferred/` never counts: mostly it is a new file, and an operator may have put another booking
    /// into it.
    func canMove(to place: SpoolPlace) -> Bool {
        switch (self.place, place) {
        case (.incoming, .active), (.active, .incoming), (.deferred, .active): true
        default: false
        }
    }

    /// Where the entry may be as the same file.
    var destinations: [SpoolEntry] {
        SpoolPlace.allCases.filter(canMove(to:)).map { SpoolEntry(place: $0, name: name) }
    }
}

extension SpoolPlace {
    /// Whether what is here is still to be committed.
    var waits: Bool { self != .dead && self != .tmp }

    /// How far from the table what is here is.
    var rank: Int {
        switch self {
        case .tmp, .incoming: 0
        case .active: 1
        case .deferred: 2
        case .dead: 3
        }
    }
}
