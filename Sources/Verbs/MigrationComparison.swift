import Bookings

/// Holds what has arrived against what was to be moved, record by record.
struct MigrationComparison {
    private var source = TransferDigest()
    private var copied = TransferDigest()

    /// Takes in a record.
    ///
    /// - Parameters:
    ///   - found: what is there under its id.
    ///   - match: how that stands to it.
    mutating func take<Record: TransferRecord>(
        _ record: Record, _ found: Record?, _ match: TransferMatch?, id: String,
        _ report: inout MigrationReport
    ) {
        source.add(record)
        switch match {
        case .same:
            if let found { copied.add(found) }
        case .later:
            // Somebody there has gone on with it.
            report.changedSince += 1
            copied.add(record)
        case .earlier, .different:
            report.add([.init(id: id, reason: "Its id belongs to something else there.", otherId: id)])
        case nil:
            report.add([.init(id: id, reason: "It was not taken there, and no reason can be found.")])
        }
    }

    /// How many records were taken in.
    var count: Int { source.count }

    /// The checksum of all, the same at both ends.
    func checksum(from start: String, to end: String) throws(Failure) -> String {
        guard source == copied else {
            throw .moveStopped(
                "The checksums differ: \(source) of \(source.count) in \(start), \(copied) of \(copied.count) in \(end)."
            )
        }
        return copied.description
    }
}
