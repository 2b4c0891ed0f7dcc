import Bookings
import Testing
import Varlink

@testable import Spool

@Suite("Lines as acms writes them")
struct CanonicalLineTests {
    private static let identifiers = [
        "a", "user0000123@example.org", #"quote " and \ backslash"#, "Zoë Müller", "日本", "/slash/", "😀",
        String(repeating: "x", count: 256),
    ]

    private static let trace = TraceParent("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")

    private func messages() throws -> [Message] {
        try Self.identifiers.enumerated().flatMap { index, user in
            try [nil, "key-\(index)", Self.identifiers[index]].map { key in
                let input = CreateBookingInput(
                    userId: user, apartmentId: Self.identifiers[(index + 3) % Self.identifiers.count],
                    startDate: "2027-02-28", endDate: "2028-02-29", idempotencyKey: key)
                let time = Timestamp(milliseconds: 1_800_000_000_000 + Int64(index))
                return Message(
                    id: .version7(at: time, random: (UInt64(index), 77)), acceptedOn: time,
                    peer: index % 2 == 0 ? Peer(uid: .max, gid: 0, pid: 4711) : nil,
                    request: try BookingRequest(input), receiveCount: index,
                    traceParent: index % 3 == 0 ? Self.trace : nil)
            }
        }
    }

    private func general(_ line: [UInt8]) -> Message? {
        try? MessageLine.decodeAnyForm(
            line, fileName: "f", number: 1, arrival: Timestamp(milliseconds: 0)
        ).get()
    }

    private func canonical(_ line: [UInt8]) -> Message? {
        line.withUnsafeBytes { CanonicalLine.message($0) }
    }

    @Test("A line is read as the general decoder reads it, and the quick way unless it needs escapes")
    func same() throws {
        var quick = 0
        for message in try messages() {
            let line = Array(try MessageLine.encode(message).dropLast())
            #expect(general(line) == message)
            guard let read = canonical(line) else { continue }
            #expect(read == message)
            quick += 1
        }
        #expect(quick == 18)
    }

    @Test("A line without a checksum is read as the general decoder reads it")
    func unchecked() throws {
        let message = try #require(try messages().first)
        let text = String(decoding: try MessageLine.encode(message).dropLast(), as: UTF8.self)
        let line = Array(
            (text.prefix(upTo: try #require(text.firstRange(of: #","crc32c""#)).lowerBound) + "}").utf8)
        #expect(canonical(line) == message)
        #expect(general(line) == message)
        #expect(canonical(Array(line.dropLast())) == nil)
        #expect(canonical(line + [UInt8(ascii: "}")]) == nil)
    }

    @Test("A line with any one byte changed is never read as something else than the general decoder reads")
    func damage() throws {
        let message = try #require(
            try messages().first { $0.request.idempotencyKey != nil && $0.peer != nil })
        let line = Array(try MessageLine.encode(message).dropLast())
        #expect(canonical(line) == message)
        for index in line.indices {
            for bit in 0..<8 {
                var damaged = line
                damaged[index] ^= 1 << bit
                #expect(canonical(damaged) == nil || canonical(damaged) == general(damaged))
            }
            #expect(canonical(Array(line[..<index])) == nil)
        }
    }

    @Test(
        "Numbers, dates and texts that only look right are left to the general decoder",
        arguments: [
            (#""receiveCount":0"#, #""receiveCount":00"#), (#""receiveCount":0"#, #""receiveCount":-1"#),
            (#""receiveCount":0"#, #""receiveCount":1000001"#), ("2027-02-28", "2027-02-29"),
            ("2027-02-28", "2029-02-28"), (#""uid":4294967295"#, #""uid":4294967296"#),
            (#""v":1"#, #""v":2"#), (#""userId":"a""#, #""userId":"""#),
            (#""userId":"a""#, #""userId":"\n""#),
        ])
    func wrong(_ right: String, _ wrong: String) throws {
        let message = try #require(try messages().first)
        let text = String(decoding: try MessageLine.encode(message).dropLast(), as: UTF8.self)
        let covered = try #require(text.firstRange(of: #","crc32c""#)).lowerBound
        var line = Array(text[..<covered].replacing(right, with: wrong).utf8)
        #expect(line != Array(text[..<covered].utf8))
        line += Array(#","crc32c":"\#(CRC32C.text(line))"}"#.utf8)
        #expect(canonical(line) == nil)
    }

    @Test("The checksum of eight bytes at a time is that of one at a time", arguments: 0..<40)
    func checksum(_ count: Int) {
        let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 73 &+ 11) }
        var value = ~UInt32(0)
        for byte in bytes {
            value ^= UInt32(byte)
            for _ in 0..<8 { value = value & 1 == 1 ? value >> 1 ^ 0x82f6_3b78 : value >> 1 }
        }
        #expect(CRC32C.checksum(bytes) == ~value)
    }
}
