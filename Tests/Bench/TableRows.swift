import CBench

/// Commits messages to a SQLite table, as the consumers of the other queues do and as the baseline does.
final class TableRows {
    /// Most messages in a transaction.
    let capacity: Int
    private let table: OpaquePointer
    private let message: BookingTemplate
    private let ids: UnsafeMutablePointer<UInt8>
    private let rows: UnsafeMutablePointer<bench_row>
    private var nextID = 0
    private static let idLength = 36

    /// - Parameters:
    ///   - message: what the messages look like.
    ///   - schema: makes the table, unless it is there.
    ///   - cacheKibibytes: how much of the table SQLite keeps, if not its default.
    init(
        _ path: String, message: BookingTemplate, schema: String?, capacity: Int = 10, cacheKibibytes: Int = 0
    ) throws {
        let lengths = bench_lengths(
            id: Int32(Self.idLength), user: Int32(BookingTemplate.userLength),
            apartment: Int32(BookingTemplate.apartmentLength), start: Int32(BookingTemplate.dateLength),
            end: Int32(BookingTemplate.dateLength))
        var text = [CChar](repeating: 0, count: 200)
        guard let table = bench_table_open(path, schema, lengths, Int32(cacheKibibytes), &text, text.count)
        else {
            throw Failure(
                "\(path): \(String(decoding: text.prefix { $0 != 0 }.map(UInt8.init), as: UTF8.self))")
        }
        self.table = table
        self.message = message
        self.capacity = capacity
        ids = .allocate(capacity: Self.idLength * capacity)
        rows = .allocate(capacity: capacity)
        for row in 0..<capacity {
            (ids + row * Self.idLength).update(
                from: Array("00000000-0000-7000-8000-000000000000".utf8), count: 36)
        }
    }

    deinit {
        bench_table_close(table)
        ids.deallocate()
        rows.deallocate()
    }

    /// Commits messages in one transaction.
    func commit(_ messages: [UnsafePointer<UInt8>]) throws {
        for (row, bytes) in messages.prefix(capacity).enumerated() {
            let id = ids + row * Self.idLength
            writeID(to: id)
            rows[row] = bench_row(
                id: text(id), user: text(bytes + message.user), apartment: text(bytes + message.apartment),
                start: text(bytes + message.start), end: text(bytes + message.end))
        }
        let code = bench_table_commit(table, rows, min(messages.count, capacity))
        guard code == 0 else {
            throw Failure("SQLite code \(code): \(String(cString: bench_table_message(table)))")
        }
    }

    /// Ids grow, as those that begin with a time do.
    private func writeID(to id: UnsafeMutablePointer<UInt8>) {
        var rest = nextID
        nextID += 1
        for place in [12, 11, 10, 9, 7, 6, 5, 4, 3, 2, 1, 0] {
            id[place] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        }
    }

    private func text(_ bytes: UnsafePointer<UInt8>) -> UnsafePointer<CChar> {
        UnsafeRawPointer(bytes).assumingMemoryBound(to: CChar.self)
    }
}
