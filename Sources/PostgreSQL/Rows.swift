import Bookings
import CPostgreSQL

/// What a statement has brought.
final class Rows {
    private let pq: LibPQ
    private let result: OpaquePointer
    let count: Int

    init(_ result: OpaquePointer, _ pq: LibPQ) {
        self.pq = pq
        self.result = result
        count = Int(pq.functions.pointee.PQntuples(result))
    }

    deinit { pq.functions.pointee.PQclear(result) }

    var all: some Sequence<Row> { (0..<count).lazy.map { Row(rows: self, number: Int32($0)) } }

    /// The ids in the first column.
    func ids() throws(DatabaseTrouble) -> Set<BookingID> {
        var ids: Set<BookingID> = []
        for row in all { ids.insert(try row.id(0)) }
        return ids
    }

    var first: Row? { count > 0 ? Row(rows: self, number: 0) : nil }

    fileprivate func bytes(_ row: Int32, _ column: Int32) -> UnsafeRawBufferPointer? {
        guard pq.functions.pointee.PQgetisnull(result, row, column) == 0 else { return nil }
        return UnsafeRawBufferPointer(
            start: pq.functions.pointee.PQgetvalue(result, row, column),
            count: Int(pq.functions.pointee.PQgetlength(result, row, column)))
    }
}

/// A row, its columns by number. What is not as the schema promises counts as damage.
struct Row {
    fileprivate let rows: Rows
    fileprivate let number: Int32

    func optionalText(_ column: Int32) -> String? {
        rows.bytes(number, column).map { String(decoding: $0, as: UTF8.self) }
    }

    func text(_ column: Int32) throws(DatabaseTrouble) -> String {
        guard let text = optionalText(column) else { throw Self.damaged(column) }
        return text
    }

    func optionalNumber(_ column: Int32) throws(DatabaseTrouble) -> Int? {
        guard let text = optionalText(column) else { return nil }
        guard let value = Int(text) else { throw Self.damaged(column) }
        return value
    }

    func integer(_ column: Int32) throws(DatabaseTrouble) -> Int {
        guard let value = try optionalNumber(column) else { throw Self.damaged(column) }
        return value
    }

    func flag(_ column: Int32) -> Bool { rows.bytes(number, column)?.first == UInt8(ascii: "t") }

    func id(_ column: Int32) throws(DatabaseTrouble) -> BookingID {
        guard let id = rows.bytes(number, column).flatMap({ BookingID($0) }) else {
            throw Self.damaged(column)
        }
        return id
    }

    func optionalID(_ column: Int32) throws(DatabaseTrouble) -> BookingID? {
        rows.bytes(number, column) == nil ? nil : try id(column)
    }

    func date(_ column: Int32) throws(DatabaseTrouble) -> CalendarDate {
        guard let date = rows.bytes(number, column).flatMap({ CalendarDate($0) }) else {
            throw Self.damaged(column)
        }
        return date
    }

    /// A time, which the query gives in milliseconds since 1970.
    func optionalTime(_ column: Int32) throws(DatabaseTrouble) -> Timestamp? {
        try optionalNumber(column).map { Timestamp(milliseconds: Int64($0)) }
    }

    func time(_ column: Int32) throws(DatabaseTrouble) -> Timestamp {
        Timestamp(milliseconds: Int64(try integer(column)))
    }

    /// Bytes, which come as hexadecimal digits after `\x`.
    func optionalBytes(_ column: Int32) throws(DatabaseTrouble) -> [UInt8]? {
        guard let text = rows.bytes(number, column) else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.count / 2)
        var high: UInt8?
        for byte in text.dropFirst(2) {
            guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
                throw Self.damaged(column)
            }
            if let first = high {
                bytes.append(first << 4 | UInt8(digit))
                high = nil
            } else {
                high = UInt8(digit)
            }
        }
        return bytes
    }

    static func damaged(_ column: Int32) -> DatabaseTrouble {
        DatabaseTrouble(
            .server("XX001"),
            "The database holds a row of acms whose column \(column + 1) can't be read. Restore it from a backup."
        )
    }
}
