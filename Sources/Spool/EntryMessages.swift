public import Bookings

/// Reads the valid messages of an entry one after the other, without holding more of it than a line.
public struct EntryMessages {
    private let name: String
    /// When the entry came.
    public let arrival: Timestamp
    /// How many lines that were passed are no valid messages.
    public private(set) var unreadable = 0
    private var lines: LineReader

    init(_ name: String, _ file: OpenFile) {
        self.name = name
        arrival = Timestamp(milliseconds: file.status.modifiedMilliseconds)
        lines = LineReader(file)
    }

    /// The next valid message; nil after the last.
    public mutating func next() throws(SpoolError) -> Message? {
        while let line = try lines.next() {
            if line.isBlank { continue }
            guard let bytes = line.bytes,
                case .success(let message) = MessageLine.decode(
                    bytes, fileName: name, number: line.number, arrival: arrival)
            else {
                unreadable += 1
                continue
            }
            return message
        }
        return nil
    }
}
