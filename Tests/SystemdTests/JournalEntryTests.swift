import Logging
import Testing

@testable import Systemd

@Suite struct JournalEntryTests {
    private func entries(_ metadata: Logger.Metadata, maximumFields: Int = 900) -> [[String]] {
        JournalEntry.entries(
            identifier: "acms-test", level: .warning, message: "hello", metadata: metadata,
            maximumFields: maximumFields
        ).map { $0.map { String(decoding: $0, as: UTF8.self) } }
    }

    private let common = ["MESSAGE=hello", "PRIORITY=4", "SYSLOG_IDENTIFIER=acms-test"]

    @Test(arguments: [
        ("booking-id", "ACMS_BOOKING_ID"), ("error", "ACMS_ERROR"), ("MESSAGE_ID", "MESSAGE_ID"),
        ("trace-id", "TRACE_ID"), ("ACMS_USER_ID", "ACMS_USER_ID"), ("acms.path", "ACMS_PATH"),
        ("_PID", "ACMS__PID"), ("MESSAGE", "ACMS_MESSAGE"), ("ß=\n", "ACMS____"),
        (String(repeating: "k", count: 80), "ACMS_" + String(repeating: "K", count: 59)),
    ])
    func `a metadata key becomes a field name that can't pass for journald's own`(key: String, name: String) {
        #expect(JournalField.name(forMetadataKey: key) == name)
    }

    @Test func `levels become syslog's priorities`() {
        #expect(Logger.Level.allCases.map(JournalField.priority(of:)) == [7, 7, 6, 5, 4, 3, 2])
    }

    @Test func `an array repeats its field for each element`() {
        let fields = entries(["booking-id": ["a", "b"], "count": "2"])
        #expect(fields == [common + ["ACMS_COUNT=2", "ACMS_BOOKING_ID=a", "ACMS_BOOKING_ID=b"]])
    }

    @Test func `an empty array leaves its field out`() {
        #expect(entries(["booking-id": .array([])]) == [common])
    }

    @Test func `a statement too big for one entry becomes several that lose no element`() {
        let fields = entries(["id": ["a", "b", "c"], "user": ["x", "y", "z"]], maximumFields: 7)
        #expect(
            fields == [
                common + ["ACMS_ID=a", "ACMS_ID=b", "ACMS_USER=x", "ACMS_USER=y"],
                common + ["ACMS_ID=c", "ACMS_USER=z"],
            ])
    }

    @Test func `a value with a newline is framed by its length and can't add a field`() {
        let datagram = JournalEntry.datagram([Array("MESSAGE=a\nPRIORITY=0".utf8), Array("B=c".utf8)])
        let framed = Array("MESSAGE\n".utf8) + [12, 0, 0, 0, 0, 0, 0, 0] + Array("a\nPRIORITY=0\n".utf8)
        #expect(datagram == framed + Array("B=c\n".utf8))
    }
}
