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
    /// What a file of that name holds.
    static let deletedMark = Array("deleted\n".utf8)

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

    /// The id in the name of a body that lies beside its letter; nil for the name of anything else.
    static func bodyID(in name: String) -> BookingID? {
        name.hasSuffix(bodySuffix) ? BookingID(String(name.dropLast(bodySuffix.count))) : nil
    }

    /// The id in a letter's name; nil for the name of anything else.
    static func id(in name: String) -> BookingID? {
        name.hasSuffix(suffix) ? BookingID(String(name.dropLast(suffix.count))) : nil
    }

    /// Whether the numbers are such as a worker writes: whoever reads the letter counts on it.
    var isPossible: Bool { bodySize >= 0 && (0...1_000_000).contains(redriveCount ?? 0) }

    /// The letter's first line, with a checksum that covers the body behind it as well.
    func header(for body: [FileContent] = []) throws -> [UInt8] {
        try Seal.seal(try object()) { try CRC32C.checksum(body, after: $0) } + [UInt8(ascii: "\n")]
    }

    private func object() throws(QueueUnavailable) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        do {
            return Array(try encoder.encode(self))
        } catch {
            throw QueueUnavailable(reason: "Cannot encode the dead letter \(id): \(error).")
        }
    }
}

/// A dead letter on disk, with the place of its body.
struct StoredDeadLetter {
    let fields: DeadLetterFile
    private let file: OpenFile
    private let head: [UInt8]
    private let bodyOffset: Int

    /// The head can't be that of the letter with this name.
    struct Damaged: Error {
        let judgement: Judgement
    }

    /// Reads the head of a letter.
    ///
    /// - Throws: `SpoolError`, or a `DecodingError` or `Damaged` when the head is damaged.
    init(_ path: String, files: some FileSystem) throws {
        file = try files.open(path)
        var lines = LineReader(file)
        let line = try lines.next()
        head = line?.bytes ?? []
        fields = try JSONDecoder().decode(DeadLetterFile.self, from: Data(head))
        bodyOffset = (line?.count ?? 0) + 1
        guard fields.v == 1 else {
            throw Damaged(judgement: try damage().map { .damaged($0) } ?? .foreign)
        }
        guard fields.isPossible else {
            throw Damaged(judgement: .damaged("The letter's head holds an impossible number."))
        }
        // Swapped or copied under another name it would give one booking the content of another.
        guard path.hasSuffix("/\(DeadLetterFile.name(fields.id))") else {
            throw Damaged(judgement: try damage().map { .damaged($0) } ?? .ofAnother(fields.id))
        }
    }

    /// Why the letter's file is damaged; nil when it is as it was written, as far as it tells.
    func damage() throws(SpoolError) -> String? {
        let rest = FileContent.part(
            of: file, offset: bodyOffset, count: max(0, file.status.size - bodyOffset))
        let isIntact = try Seal.isIntact(head) { (sum) throws(SpoolError) in
            try CRC32C.checksum([rest], after: sum)
        }
        if isIntact == false { return "The letter's checksum does not match." }
        // Nothing is added to a number that anybody may have written.
        if fields.bodyFile == nil, fields.bodySize != file.status.size - bodyOffset {
            return "The letter's body has another length than its head says."
        }
        return nil
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
        if let damage = try damage() { return .failure(Poison(id: fields.id, reason: damage)) }
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
