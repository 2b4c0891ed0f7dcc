import Bookings
import FoundationEssentials

/// A dead letter as a file of `dead/`: a line of JSON that tells all about it, then the body's original bytes.
/// A body that came as a whole odd entry (a directory, a file that can't be read, a single huge line) lies
/// beside it instead, under the name that `bodyFile` gives.
struct DeadLetterFile: Codable {
    var v = 1
    var id: BookingID
    var `class`: FailureClass
    var reason: String
    var deadOn: Timestamp
    var receiveCount: Int
    var userId: String?
    var apartmentId: String?
    var attempts: [Attempt]
    /// The spool file it came in, and its line there; 0 stands for the whole file.
    var fromFile: String
    var fromLine: Int
    var bodySize: Int
    var bodyFile: String?
    /// How often the message had been redriven when it died; absent for never.
    var redriveCount: Int?

    static let suffix = ".letter"
    static let bodySuffix = ".body"
    private static let deletedSuffix = ".deleted"

    /// The name of a body that lies beside the letter.
    var bodyName: String { "\(id)\(Self.bodySuffix)" }

    static func name(_ id: BookingID) -> String { "\(id)\(suffix)" }

    /// The name of what stands for a letter that was deleted while the journal still holds its message: a replay
    /// must not bring it back.
    static func deletedName(_ id: BookingID) -> String { "\(id)\(deletedSuffix)" }

    /// The id in such a name; nil for the name of anything else.
    static func deletedID(in name: String) -> BookingID? {
        name.hasSuffix(deletedSuffix) ? BookingID(String(name.dropLast(deletedSuffix.count))) : nil
    }

    /// The id in a letter's name; nil for the name of anything else.
    static func id(in name: String) -> BookingID? {
        name.hasSuffix(suffix) ? BookingID(String(name.dropLast(suffix.count))) : nil
    }

    func header() throws(QueueUnavailable) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        do {
            return Array(try encoder.encode(self)) + [UInt8(ascii: "\n")]
        } catch {
            throw QueueUnavailable(reason: "Cannot encode the dead letter \(id): \(error).")
        }
    }
}

/// A dead letter on disk, with the place of its body.
struct StoredDeadLetter {
    let fields: DeadLetterFile
    private let file: OpenFile
    private let bodyOffset: Int

    /// Reads the head of a letter.
    ///
    /// - Throws: `SpoolError`, or a `DecodingError` when the head is damaged.
    init(_ path: String, files: some FileSystem) throws {
        file = try files.open(path)
        var lines = LineReader(file)
        let head = try lines.next()
        fields = try JSONDecoder().decode(DeadLetterFile.self, from: Data(head?.bytes ?? []))
        bodyOffset = (head?.count ?? 0) + 1
    }

    /// Reads the head of a letter; nil when it isn't there or damaged.
    static func read(_ path: String, files: some FileSystem) throws(SpoolError) -> StoredDeadLetter? {
        do {
            return try StoredDeadLetter(path, files: files)
        } catch let error as SpoolError {
            if error.concernsOnlyTheFile { return nil }
            throw error
        } catch {
            return nil
        }
    }

    /// The message that the letter holds, under the letter's id.
    func message(
        in directory: SpoolDirectory, files: some FileSystem
    ) throws(SpoolError) -> Result<Message, Poison> {
        guard fields.bodySize <= LineReader.maximumLineBytes, fields.bodyFile == nil else {
            return .failure(Poison(id: fields.id, reason: fields.reason))
        }
        let bytes = try body(limit: fields.bodySize, in: directory, files: files)
        let decoded = MessageLine.decode(
            bytes, fileName: fields.fromFile, number: fields.fromLine, arrival: fields.deadOn)
        return decoded.map { message in
            var message = message
            message.id = fields.id
            return message
        }
    }

    /// Up to `count` bytes of the body; empty when it lies beside the letter and can't be read.
    func body(limit count: Int, in directory: SpoolDirectory, files: some FileSystem) throws(SpoolError)
        -> [UInt8]
    {
        guard let name = fields.bodyFile else {
            return try file.read(at: bodyOffset, count: min(count, fields.bodySize))
        }
        let path = directory.path(.dead, name)
        guard let status = try files.status(of: path), status.kind == .regular else { return [] }
        do {
            return try files.open(path).read(at: 0, count: min(count, status.size))
        } catch {
            if error.concernsOnlyTheFile { return [] }
            throw error
        }
    }
}
