import Glibc
import Support
import Testing

@testable import Systemd

@Suite struct JournalReaderTests {
    private static let accepted = EventID.bookingsAccepted.rawValue

    private func journal() async throws -> TemporaryDirectory {
        let directory = try TemporaryDirectory()
        try await JournalFile.write(
            [
                (
                    1_790_000_000_000_001,
                    [
                        ("MESSAGE_ID", Self.accepted), ("MESSAGE", "Accepted 2 bookings: a=b"),
                        ("ACMS_BOOKING_ID", "one"), ("ACMS_BOOKING_ID", "two"),
                        ("_SOURCE_REALTIME_TIMESTAMP", "1789999999999000"),
                    ]
                ),
                (1_790_000_001_000_000, [("MESSAGE", "other"), ("ACMS_BOOKING_ID", "three")]),
                (1_790_000_002_000_000, [("MESSAGE", "later"), ("ACMS_BOOKING_ID", "two")]),
            ], to: "system", in: directory)
        return directory
    }

    private func records(_ directory: String, _ id: String) throws -> [JournalRecord] {
        var reader = try JournalReader(directory: directory)
        return try reader.records(where: "ACMS_BOOKING_ID", is: id)
    }

    @Test func `a field's entries are found, oldest first, with all of its values`() async throws {
        let directory = try await journal()
        let found = try records(directory.path, "two")
        #expect(found.map { $0["MESSAGE"] } == ["Accepted 2 bookings: a=b", "later"])
        #expect(found.first?.fields["ACMS_BOOKING_ID"]?.sorted() == ["one", "two"])
        #expect(found.first?.event == .bookingsAccepted)
        #expect(found.last?.event == nil)
        #expect(try records(directory.path, "one").count == 1)
        #expect(try records(directory.path, "nobody").isEmpty)
    }

    @Test func `a second search forgets the first`() async throws {
        let directory = try await journal()
        var reader = try JournalReader(directory: directory.path)
        #expect(try reader.records(where: "ACMS_BOOKING_ID", is: "two").count == 2)
        #expect(try reader.records(where: "ACMS_BOOKING_ID", is: "three").count == 1)
    }

    @Test func `an entry's time is when it was sent, where that is known`() async throws {
        let directory = try await journal()
        let times = try records(directory.path, "two").map(\.microseconds)
        #expect(times == [1_789_999_999_999_000, 1_790_000_002_000_000])
    }

    @Test(arguments: [(Int64.min, 0), (.max, 253_402_300_799_999_999)] as [(Int64, Int64)])
    func `a time that can't be is the nearest one that can`(claimed: Int64, told: Int64) {
        let record = JournalRecord(received: 0, fields: ["_SOURCE_REALTIME_TIMESTAMP": ["\(claimed)"]])
        #expect(record.microseconds == told)
    }

    @Test func `a directory that isn't there is an error, and one without a journal is empty`() throws {
        let missing = #expect(throws: JournalError.self) { try records("/nonexistent", "one") }
        #expect(missing?.errno == ENOENT)
        #expect("\(missing.map { "\($0)" } ?? "")".hasSuffix("in /nonexistent: No such file or directory."))
        let directory = try TemporaryDirectory()
        #expect(try records(directory.path, "one").isEmpty)
        #expect(JournalAccess(directories: [directory.path]) == .absent)
    }

    @Test func `whether the journal may be read is told by its own files`() async throws {
        let directory = try TemporaryDirectory()
        try directory.write("", to: "user-1000.journal")
        #expect(JournalAccess(directories: [directory.path, "/nonexistent"]) == .absent)
        try directory.write("", to: "system.journal")
        #expect(JournalAccess(directories: ["/nonexistent", directory.path]) == .readable)
    }

    @Test func `of a damaged journal nothing is made up`() async throws {
        let directory = try await journal()
        let file = try #require(fopen("\(directory.path)/system.journal", "r+"))
        // Behind the header and the hash tables.
        fseek(file, -4096, SEEK_END)
        fputs("damaged", file)
        fclose(file)
        truncate("\(directory.path)/system.journal", 1 << 20)
        let found = (try? records(directory.path, "two")) ?? []
        #expect(
            found.count <= 2 && found.allSatisfy { $0.fields["ACMS_BOOKING_ID"]?.contains("two") ?? false })
    }
}
