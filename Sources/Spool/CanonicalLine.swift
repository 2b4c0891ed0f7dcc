import Bookings
import Varlink

/// Reads lines exactly as `MessageLine` writes those of new messages, which is nearly every line: a general JSON
/// decoder takes ten times as long, and a backlog of a million lines is read when a daemon starts.
///
/// Any other form of a line, whether valid or not, is left to the general decoder.
struct CanonicalLine {
    private let bytes: UnsafeRawBufferPointer
    private var position = 0

    private init(_ bytes: UnsafeRawBufferPointer) {
        self.bytes = bytes
    }

    /// The message of a line without its newline; nil when the line has another form or a wrong checksum.
    static func message(_ bytes: UnsafeRawBufferPointer) -> Message? {
        var line = CanonicalLine(bytes)
        return line.message()
    }

    private mutating func message() -> Message? {
        guard skip(#"{"v":1,"id":""#), let id = take(36).flatMap(BookingID.init(_:)),
            skip(#"","acceptedOn":""#), let acceptedOn = take(24).flatMap(Timestamp.init(_:)), skip("\"")
        else { return nil }
        var peer: Peer?
        if skip(#","peer":{"uid":"#) {
            guard let uid = number().flatMap(UInt32.init(exactly:)), skip(#","gid":"#),
                let gid = number().flatMap(UInt32.init(exactly:)), skip(#","pid":"#),
                let pid = number().flatMap(Int32.init(exactly:)), skip("}")
            else { return nil }
            peer = Peer(uid: uid, gid: gid, pid: pid)
        }
        guard skip(#","receiveCount":"#), let receiveCount = number(), receiveCount <= 1_000_000
        else { return nil }
        var trace: TraceParent?
        if skip(#","traceparent":"#) {
            trace = text().flatMap(TraceParent.init(_:))
            if trace == nil { return nil }
        }
        guard let request = request() else { return nil }
        guard isRightToTheEnd() else { return nil }
        return Message(
            id: id, acceptedOn: acceptedOn, peer: peer, request: request, receiveCount: receiveCount,
            traceParent: trace)
    }

    /// Whether the line ends here, without a checksum or with the right one.
    private mutating func isRightToTheEnd() -> Bool {
        let covered = UnsafeRawBufferPointer(rebasing: bytes[..<position])
        if skip(#","crc32c":""#) {
            guard let checksum = take(CRC32C.digits), skip("\""),
                checksum.elementsEqual(CRC32C.text(CRC32C.checksum(covered)).utf8)
                    || PlantedFault.checksumIgnored.isPlanted
            else { return false }
        }
        return skip("}") && position == bytes.count
    }

    private mutating func request() -> BookingRequest? {
        guard skip(#","input":{"apartmentId":"#), let apartmentID = text(),
            skip(#","endDate":""#), let end = take(10).flatMap(CalendarDate.init(_:)), skip("\"")
        else { return nil }
        var key: String?
        if skip(#","idempotencyKey":"#) {
            key = text()
            if key == nil { return nil }
        }
        guard skip(#","startDate":""#), let start = take(10).flatMap(CalendarDate.init(_:)),
            skip(#"","userId":"#), let userID = text(), skip("}"), let stay = Stay(from: start, to: end)
        else { return nil }
        return BookingRequest(userID: userID, apartmentID: apartmentID, stay: stay, idempotencyKey: key)
    }

    /// Goes past `expected`, if it comes next.
    private mutating func skip(_ expected: StaticString) -> Bool {
        guard bytes.holds(expected, at: position) else { return false }
        position += expected.utf8CodeUnitCount
        return true
    }

    private mutating func take(_ count: Int) -> UnsafeRawBufferPointer? {
        guard bytes.count - position >= count else { return nil }
        defer { position += count }
        return UnsafeRawBufferPointer(rebasing: bytes[position..<(position + count)])
    }

    /// A whole number of at most ten digits, without sign and leading zeros.
    private mutating func number() -> Int? {
        let start = position
        var value = 0
        while position < bytes.count, position - start < 11 {
            let byte = bytes[position]
            guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else { break }
            value = value * 10 + Int(byte - UInt8(ascii: "0"))
            position += 1
        }
        let count = position - start
        let hasLeadingZero = count > 1 && bytes[start] == UInt8(ascii: "0")
        return (1...10).contains(count) && !hasLeadingZero ? value : nil
    }

    /// A JSON string without escapes.
    private mutating func text() -> String? {
        guard skip("\""), let string = bytes.plainString(at: position) else { return nil }
        position += string.bytes.count + 1
        return string.value
    }
}
