internal import CSystemd
import Glibc

/// Reads entries of the journal: the system's, or of files in a directory.
public struct JournalReader: ~Copyable {
    private let journal: OpaquePointer

    /// Opens the journal of this host, as far as the caller may read it.
    public init() throws(JournalError) {
        var journal: OpaquePointer?
        let result = sd_journal_open(&journal, Int32(SD_JOURNAL_LOCAL_ONLY))
        self.journal = try Self.opened(journal, result, "open the journal")
    }

    /// Opens the journal files in a directory.
    public init(directory: String) throws(JournalError) {
        var journal: OpaquePointer?
        let result = sd_journal_open_directory(&journal, directory, 0)
        self.journal = try Self.opened(journal, result, "open the journal files in \(directory)")
    }

    private static func opened(
        _ journal: OpaquePointer?, _ result: Int32, _ operation: String
    ) throws(JournalError) -> OpaquePointer {
        guard let journal, result >= 0 else { throw JournalError(operation, result) }
        return journal
    }

    deinit { sd_journal_close(journal) }

    /// The entries that have a field with this value, oldest first. An entry that is damaged is left out.
    ///
    /// - Parameters:
    ///   - field: its name in the journal, such as `MESSAGE_ID`.
    ///   - isWanted: whether an entry is to be kept: anybody can write any number of them.
    public mutating func records(
        where field: String, is value: String, isWanted: (JournalRecord) -> Bool = { _ in true }
    ) throws(JournalError) -> [JournalRecord] {
        sd_journal_flush_matches(journal)
        let match = JournalField.bytes(field, value)
        try check("match \(field)", sd_journal_add_match(journal, match, match.count))
        try check("go to the beginning of the journal", sd_journal_seek_head(journal))
        var records: [JournalRecord] = []
        while try check("read the journal", sd_journal_next(journal)) > 0 {
            var time: UInt64 = 0
            guard sd_journal_get_realtime_usec(journal, &time) >= 0 else { continue }
            let record = JournalRecord(received: Int64(clamping: time), fields: fields())
            if isWanted(record) { records.append(record) }
        }
        return records
    }

    /// The fields of the present entry, as far as they can be read.
    private func fields() -> [String: [String]] {
        var fields: [String: [String]] = [:]
        sd_journal_restart_data(journal)
        var data: UnsafeRawPointer?
        var count = 0
        while sd_journal_enumerate_available_data(journal, &data, &count) > 0, let data {
            let bytes = UnsafeRawBufferPointer(start: data, count: count)
            guard let equals = bytes.firstIndex(of: UInt8(ascii: "=")) else { continue }
            let name = String(decoding: bytes[..<equals], as: UTF8.self)
            fields[name, default: []].append(String(decoding: bytes[(equals + 1)...], as: UTF8.self))
        }
        return fields
    }

    @discardableResult
    private func check(_ operation: String, _ result: Int32) throws(JournalError) -> Int32 {
        guard result >= 0 else { throw JournalError(operation, result) }
        return result
    }
}

/// An entry of the journal.
public struct JournalRecord: Hashable, Sendable {
    /// The values of each field; a field may be there several times, in no order that means anything.
    public var fields: [String: [String]]
    private let received: Int64

    /// - Parameters:
    ///   - received: when the journal took it, in microseconds since 1970.
    ///   - fields: its fields by name.
    public init(received: Int64, fields: [String: [String]]) {
        self.received = received
        self.fields = fields
    }

    /// The value of a field; the first one where there are several.
    public subscript(name: String) -> String? { fields[name]?.first }

    /// When it was sent, in microseconds since 1970: what the kernel says, or else when the journal took it. Damaged
    /// files can name any time; it is at least zero, and in the years that can be written.
    public var microseconds: Int64 {
        let sent = self["_SOURCE_REALTIME_TIMESTAMP"].flatMap { Int64($0) } ?? received
        return min(max(sent, 0), 253_402_300_799_999_999)
    }

    /// What kind of event of acms it tells of; nil when of none.
    public var event: EventID? { self["MESSAGE_ID"].flatMap { EventID(rawValue: $0) } }
}
