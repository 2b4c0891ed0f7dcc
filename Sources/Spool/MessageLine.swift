package import Bookings
import FoundationEssentials
import Varlink

/// A message as a line of a spool file.
///
/// `{"v":1,"id":…,"acceptedOn":…,"peer":{"uid":…,"gid":…,"pid":…},"receiveCount":0,"input":{…},"crc32c":"…"}`,
/// with `attempts` and `notBefore` before `crc32c` once a try has failed, `redriveCount` once it was redriven, and
/// `traceparent` before `input` where the caller gave one.
/// `crc32c` covers the line's bytes from the beginning to the comma before it. Only `input` is required; a line without
/// `crc32c` is not checked.
package enum MessageLine {
    static let version = 1

    /// The line of a message, with its newline.
    package static func encode(_ message: Message) throws(QueueUnavailable) -> [UInt8] {
        var lines: [UInt8] = []
        try encode(message, into: &lines)
        return lines
    }

    /// Appends the line of a message, with its newline.
    static func encode(_ message: Message, into lines: inout [UInt8]) throws(QueueUnavailable) {
        let start = lines.count
        lines.append(#"{"v":1,"id":""#)
        lines.append(contentsOf: message.id.description.utf8)
        lines.append(#"","acceptedOn":""#)
        lines.append(contentsOf: message.acceptedOn.description.utf8)
        lines.append(#"""#)
        if let peer = message.peer {
            lines.append(#","peer":{"uid":"#)
            lines.append(contentsOf: String(peer.uid).utf8)
            lines.append(#","gid":"#)
            lines.append(contentsOf: String(peer.gid).utf8)
            lines.append(#","pid":"#)
            lines.append(contentsOf: String(peer.pid).utf8)
            lines.append("}")
        }
        lines.append(#","receiveCount":"#)
        lines.append(contentsOf: String(message.receiveCount).utf8)
        if let trace = message.traceParent {
            lines.append(#","traceparent":""#)
            lines.append(contentsOf: trace.description.utf8)
            lines.append("\"")
        }
        lines.append(#","input":{"apartmentId":"#)
        lines.append(quoting: message.request.apartmentID)
        lines.append(#","endDate":""#)
        lines.append(contentsOf: message.request.stay.end.description.utf8)
        if let key = message.request.idempotencyKey {
            lines.append(#"","idempotencyKey":"#)
            lines.append(quoting: key)
            lines.append(#","startDate":""#)
        } else {
            lines.append(#"","startDate":""#)
        }
        lines.append(contentsOf: message.request.stay.start.description.utf8)
        lines.append(#"","userId":"#)
        lines.append(quoting: message.request.userID)
        lines.append("}")
        try appendHistory(of: message, to: &lines)
        let checksum = lines.withUnsafeBytes {
            CRC32C.checksum(UnsafeRawBufferPointer(rebasing: $0[start...]))
        }
        lines.append(#","crc32c":""#)
        lines.append(contentsOf: CRC32C.text(checksum).utf8)
        lines.append("\"}\n")
    }

    /// What only a message has that was tried before.
    private static func appendHistory(
        of message: Message, to lines: inout [UInt8]
    ) throws(QueueUnavailable) {
        if !message.attempts.isEmpty {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            do {
                let attempts = try encoder.encode(message.attempts)
                lines.append(#","attempts":"#)
                lines.append(contentsOf: attempts)
            } catch {
                throw QueueUnavailable(reason: "Cannot encode booking \(message.id): \(error).")
            }
        }
        if message.redriveCount > 0 {
            lines.append(contentsOf: #","redriveCount":\#(message.redriveCount)"#.utf8)
        }
        if let notBefore = message.notBefore {
            lines.append(contentsOf: #","notBefore":"\#(notBefore)""#.utf8)
        }
    }

    /// The bytes that the line of a new message has at most: JSON writes a quotation mark or a backslash in two
    /// bytes, and all that stands around the identifiers has less than 480.
    static func maximumBytes(of request: BookingRequest) -> Int {
        let identifiers = [request.userID, request.apartmentID, request.idempotencyKey ?? ""]
        return identifiers.reduce(480) { $0 + 2 * $1.utf8.count }
    }

    /// Reads a line.
    ///
    /// - Parameters:
    ///   - fileName: gives, with `number`, the id of a line that names none.
    ///   - arrival: the time of acceptance of a line that names none.
    static func decode(
        _ bytes: [UInt8], fileName: String, number: Int, arrival: Timestamp
    ) -> Result<Message, Poison> {
        bytes.withUnsafeBytes { decode($0, fileName: fileName, number: number, arrival: arrival) }
    }

    /// Reads a line.
    static func decode(
        _ bytes: UnsafeRawBufferPointer, fileName: String, number: Int, arrival: Timestamp
    ) -> Result<Message, Poison> {
        if let message = CanonicalLine.message(bytes) { return .success(message) }
        return decodeAnyForm(Array(bytes), fileName: fileName, number: number, arrival: arrival)
    }

    /// Reads a line that may have been written by anybody.
    static func decodeAnyForm(
        _ bytes: [UInt8], fileName: String, number: Int, arrival: Timestamp
    ) -> Result<Message, Poison> {
        let derived = BookingID.derived(fileName: fileName, line: number)
        let fields: Fields
        do {
            fields = try JSONDecoder().decode(Fields.self, from: Data(bytes))
        } catch {
            return .failure(Poison(bytes, derived: derived, reason: reason(for: error)))
        }
        func poison(_ reason: String) -> Result<Message, Poison> {
            .failure(
                Poison(
                    id: fields.id ?? derived, reason: reason,
                    userID: Fragments.identifier(fields.input.userId),
                    apartmentID: Fragments.identifier(fields.input.apartmentId),
                    receiveCount: fields.receiveCount ?? 0,
                    attempts: fields.attempts ?? []))
        }
        if let checksum = fields.crc32c, !matches(checksum, bytes) {
            return poison(
                "The checksum does not match: the line was damaged, or edited with its crc32c left in.")
        }
        if let count = fields.receiveCount, !(0...1_000_000).contains(count) {
            return poison("receiveCount is \(count).")
        }
        if let count = fields.redriveCount, !(0...1_000_000).contains(count) {
            return poison("redriveCount is \(count).")
        }
        do {
            let request = try BookingRequest(fields.input)
            return .success(
                Message(
                    id: fields.id ?? derived, acceptedOn: fields.acceptedOn ?? arrival,
                    peer: fields.peer?.peer,
                    request: request, receiveCount: fields.receiveCount ?? 0, attempts: fields.attempts ?? [],
                    notBefore: fields.notBefore, redriveCount: fields.redriveCount ?? 0,
                    traceParent: fields.traceParent))
        } catch {
            return poison("The booking is not valid: \(error.field) \(error.reason).")
        }
    }

    private static func matches(_ checksum: String, _ bytes: [UInt8]) -> Bool {
        if PlantedFault.skipChecksum.isPlanted { return true }
        var end = bytes.count
        while end > 0, bytes[end - 1] == UInt8(ascii: "\r") || bytes[end - 1] == UInt8(ascii: " ") {
            end -= 1
        }
        let tail = Array(#","crc32c":"\#(checksum)"}"#.utf8)
        guard bytes[..<end].suffix(tail.count).elementsEqual(tail) else { return false }
        return CRC32C.text(Array(bytes[..<(end - tail.count)])) == checksum
    }

    private static func reason(for error: any Error) -> String {
        if let unknown = error as? UnknownVersion {
            return "The line's format has the unknown version \(unknown.version)."
        }
        if let unknown = error as? UnknownParameter {
            return "The line has the unknown member \(unknown.path)."
        }
        guard let error = error as? DecodingError else { return "The line can't be read: \(error)." }
        func path(_ context: DecodingError.Context, _ key: (any CodingKey)? = nil) -> String {
            let keys = context.codingPath + (key.map { [$0] } ?? [])
            return keys.map { $0.intValue.map(String.init) ?? $0.stringValue }.joined(separator: ".")
        }
        switch error {
        case .keyNotFound(let key, let context): return "The member \(path(context, key)) is missing."
        case .typeMismatch(_, let context), .valueNotFound(_, let context):
            let place = path(context)
            return place.isEmpty ? "The line is not a JSON object." : "The member \(place) has a wrong type."
        case .dataCorrupted(let context):
            let place = path(context)
            return place.isEmpty
                ? "The line is not JSON."
                : "The member \(place) is not acceptable: \(context.debugDescription)."
        @unknown default: return "The line can't be read."
        }
    }
}

extension Poison {
    /// Poison of which only fragments may be legible: takes what can be had of id, user and apartment.
    init(_ bytes: [UInt8], derived: BookingID, reason: String) {
        let fragments = try? JSONDecoder().decode(MessageLine.Fragments.self, from: Data(bytes))
        self.init(
            id: fragments?.id ?? derived, reason: reason, userID: fragments?.userID,
            apartmentID: fragments?.apartmentID, receiveCount: fragments?.receiveCount ?? 0,
            attempts: fragments?.attempts ?? [])
    }
}
