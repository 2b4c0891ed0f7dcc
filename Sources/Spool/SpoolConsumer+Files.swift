public import Bookings
import SystemPackage

extension SpoolConsumer {
    /// Gives up what is in hand: the taken files go back where they came from, uncharged. For when the table is
    /// down, or the worker stops.
    public mutating func release() throws(QueueUnavailable) {
        do {
            try removeRemovable()
            var inHand = taken
            if let current { inHand[current.number] = current }
            for (_, file) in inHand.sorted(by: { $0.key < $1.key }) { try putBack(file) }
        } catch {
            throw QueueUnavailable(error)
        }
    }

    private mutating func putBack(_ file: ActiveFile) throws(SpoolError) {
        let status = try files.status(of: directory.path(.active, file.name))
        let isThere = !file.isSetAside && status != nil
        let place: SpoolPlace = file.isDeferred ? .deferred : .incoming
        let isBack = isThere ? try putBack(file.name, to: place) : false
        taken[file.number] = nil
        if file === current { current = nil }
        guard isBack else { return }
        if file.isDeferred {
            deferred.insert(file.name, due: Timestamp(milliseconds: 0), alone: file.isAlone)
        } else {
            waiting.append(file.name)
            waiting.sort(by: >)
        }
    }

    /// Returns an entry of `active/` to `place`; where another of its name has come meanwhile, it is read where it
    /// is.
    ///
    /// - Returns: whether it is in `place`.
    mutating func putBack(_ name: String, to place: SpoolPlace) throws(SpoolError) -> Bool {
        do throws(SpoolError) {
            try files.rename(directory.path(.active, name), to: directory.path(place, name), replacing: false)
            return true
        } catch {
            guard error.errno == .fileExists else { throw error }
            leftovers.append(name)
            return false
        }
    }

    /// Renames an entry to `active/` and opens it.
    ///
    /// - Returns: nil when it is gone or can't be moved.
    mutating func take(_ name: String, from place: SpoolPlace) throws(SpoolError) -> ActiveFile? {
        let source = directory.path(place, name)
        let target = directory.path(.active, name)
        guard let status = try files.status(of: source) else { return nil }
        do {
            try files.rename(source, to: target, replacing: false)
        } catch {
            switch error.errno {
            case .noSuchFileOrDirectory where try files.status(of: directory.path(of: .active)) != nil:
                return nil
            case .fileExists, .notPermitted, .resourceBusy, .improperLink,
                .permissionDenied where status.kind != .regular:
                stuck.insert(name)
                if warned.insert(name).inserted {
                    notices.append(.stuck(name: name, reason: error.description))
                }
                return nil
            default:
                if place == .incoming { waiting.append(name) }
                throw error
            }
        }
        FaultPoint.reached("worker.take")
        do {
            let file = try opened(name, status)
            if PlantedFault.removeBeforeCommit.isPlanted { try files.remove(target) }
            return file
        } catch {
            try? files.rename(target, to: source, replacing: false)
            if place == .incoming { waiting.append(name) }
            throw error
        }
    }

    /// Opens an entry of `active/`; one that can't be read stands for a piece of poison.
    mutating func opened(_ name: String, _ status: FileStatus) throws(SpoolError) -> ActiveFile {
        nextNumber += 1
        guard status.kind == .regular else {
            let what = status.kind == .directory ? "a directory" : "a link, pipe, socket or device"
            return ActiveFile(
                number: nextNumber, name: name, status: status,
                oddity: "\(name) is \(what); the spool takes regular files only.")
        }
        do {
            return ActiveFile(
                number: nextNumber, name: name, file: try files.open(directory.path(.active, name)))
        } catch {
            guard error.concernsOnlyTheFile else { throw error }
            return ActiveFile(
                number: nextNumber, name: name, status: status, oddity: "\(name) can't be read. \(error)")
        }
    }

    /// Removes a taken file; all its messages are durable elsewhere.
    mutating func finish(_ file: ActiveFile) throws(SpoolError) {
        taken[file.number] = nil
        if !readFailures.isEmpty { readFailures[file.name] = nil }
        if isCautious { suspects.remove(file.name) }
        guard !file.isSetAside else { return }
        FaultPoint.reached("worker.settle")
        removable.append(file.name)
        try removeRemovable()
        FaultPoint.reached("worker.remove")
    }

    mutating func removeRemovable() throws(SpoolError) {
        while let name = removable.last {
            try files.remove(directory.path(.active, name))
            removable.removeLast()
        }
    }
}
