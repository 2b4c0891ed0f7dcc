public import Bookings

extension SpoolConsumer {
    /// The bytes of a line that was received and is not settled, or of a whole file that can't be read as lines.
    ///
    /// - Parameter limit: most bytes to read.
    /// - Returns: what could be read, the length of the whole, and whether that is all of it; nil for no such line.
    public func body(
        of receipt: Receipt, limit: Int
    ) throws(QueueUnavailable) -> (bytes: [UInt8], size: Int, isWhole: Bool)? {
        guard let file = taken[receipt.source], let line = file.outstanding[receipt.number] else {
            return nil
        }
        guard let source = file.file else { return ([], line.count, false) }
        do {
            let bytes = try source.read(at: line.offset, count: min(line.count, limit))
            return (bytes, line.count, bytes.count == line.count)
        } catch {
            guard error.concernsOnlyTheFile else { throw QueueUnavailable(error) }
            return ([], line.count, false)
        }
    }
}
