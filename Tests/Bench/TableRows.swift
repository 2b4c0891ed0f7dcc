import CBench
import Glibc

/// Commits messages to a SQLite table, as the consumers of the other queues do and as the baseline does.
final class TableRows {
    /// Most messages in a transaction.
    let capacity: Int
    private let slowSyncs: UInt32
    private let table: OpaquePointer
    private let message: BookingTemplate
    private let ids: UnsafeMutablePointer<UInt8>
    private let rows: UnsafeMutablePointer<bench_row>
    private var nextID = 0
    private static let idLength = 36

    /// - Parameters:
    ///   - message: what the messages look like.
    ///   - schema: makes the table, unless it is there.
    ///   - isBulk: whether a crash may destroy the table.
    ///   - slowSyncs: microseconds that each commit takes longer, since it syncs once.
    init(
        _ path: String, message: BookingTemplate, schema: String? = nil, capacity: Int = 10,
        isBulk: Bool = false,
        slowSyncs: Int = 0
    ) throws {
        self.slowSyncs = UInt32(slowSyncs)
        let lengths = bench_lengths(
            id: Int32(Self.idLength), user: Int32(BookingTemplate.userLength),
            apartment: Int32(BookingTemplate.apartmentLength), start: Int32(BookingTemplate.dateLength),
            end: Int32(BookingTemplate.dateLength))
        var text = [CChar](repeating: 0, count: 200)
        guard let table = bench_table_open(path, schema, lengths, isBulk, &text, text.count)
        else {
            throw Failure(
                "\(path): \(String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self))"
            )
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
        if slowSyncs > 0 { usleep(slowSyncs) }
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
