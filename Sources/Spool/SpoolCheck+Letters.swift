import Bookings

extension SpoolCheck {
    /// An entry of `dead/`.
    func deadEntry(_ name: String, _ census: inout MessageCensus) throws(SpoolError) -> [SpoolFinding] {
        let path = directory.path(.dead, name)
        guard let status = try files.status(of: path) else { return [] }
        func finding(
            _ problem: String, _ remedy: SpoolFinding.Remedy, _ id: BookingID? = nil
        ) -> [SpoolFinding] {
            [SpoolFinding(place: .dead, name: name, id: id, problem: problem, remedy: remedy)]
        }
        if let id = DeadLetterFile.bodyID(in: name) {
            let letter = try StoredDeadLetter.read(
                directory.path(.dead, DeadLetterFile.name(id)), files: files)
            // Which body a damaged letter has is not known.
            let letterStatus = try files.status(of: directory.path(.dead, DeadLetterFile.name(id)))
            guard letterStatus == nil || (letter.map { $0.fields.bodyFile != name } ?? false) else {
                return []
            }
            return finding("It is the body of no letter.", .setAside, id)
        }
        let letterID = DeadLetterFile.id(in: name)
        guard letterID != nil || DeadLetterFile.deletedID(in: name) != nil else {
            return finding("The name is none of a dead letter.", .setAside)
        }
        guard status.kind == .regular else {
            return finding("It should be a regular file and is \(Self.word(for: status.kind)).", .setAside)
        }
        guard let id = letterID else {
            let mark = try files.open(path).read(at: 0, count: 64)
            guard mark != DeadLetterFile.deletedMark else { return [] }
            return finding(
                "What notes the deletion of the letter is not what was written.", .writeTombstone,
                DeadLetterFile.deletedID(in: name))
        }
        return try letter(id, name, &census).map { finding($0.problem, $0.remedy, id) } ?? []
    }

    private func letter(
        _ id: BookingID, _ name: String, _ census: inout MessageCensus
    ) throws(SpoolError) -> (problem: String, remedy: SpoolFinding.Remedy)? {
        let path = directory.path(.dead, name)
        switch try StoredDeadLetter.judged(path, files: files) {
        case .ofAnother(let other): return ("It is the letter of the booking \(other).", .nameLetter(other))
        case .foreign: return nil
        case .damaged(let problem): return (problem, .mendLetter)
        case .intact(let letter):
            if case .success(let message) = try letter.message(in: directory, files: files) {
                census.add(.dead, name, [message])
            }
            guard let body = letter.fields.bodyFile,
                try files.status(of: directory.path(.dead, body)) == nil
            else { return nil }
            // A crash while it was set aside leaves the body where it was.
            for place in [SpoolPlace.active, .incoming]
            where try files.status(of: directory.path(place, letter.fields.fromFile)) != nil { return nil }
            return (
                "Its body \(body) is missing.",
                .none("It can't be recovered; 'acmsctl dlq delete \(id)' gives the letter up.")
            )
        }
    }
}

extension StoredDeadLetter {
    /// What a letter's file is worth.
    enum Judgement {
        case intact(StoredDeadLetter)
        /// Intact, under the name of another.
        case ofAnother(BookingID)
        /// Written by another version of acms.
        case foreign
        case damaged(String)
    }

    static func judged(_ path: String, files: some FileSystem) throws(SpoolError) -> Judgement {
        do {
            let letter = try StoredDeadLetter(path, files: files)
            return try letter.damage().map { .damaged($0) } ?? .intact(letter)
        } catch let error as SpoolError {
            throw error
        } catch let damaged as Damaged {
            return damaged.judgement
        } catch {
            return .damaged("The letter's head can't be read.")
        }
    }
}
