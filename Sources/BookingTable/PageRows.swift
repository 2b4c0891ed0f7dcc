import Bookings

/// A row of `bookings` as it is found in the file's pages, without SQLite.
struct SalvagedRow: Hashable {
    /// The columns in the order of the table; the key may be missing.
    let values: [String]
    let key: String?

    var id: String { values[0] }

    /// - Returns: nil when the values can't be those of a booking.
    init?(_ columns: [String?]) {
        guard columns.count == 8 || columns.count == 9 else { return nil }
        let values = columns.prefix(8).compactMap(\.self)
        guard values.count == 8, let id = BookingID(values[0]), id.description == values[0],
            BookingStatus(rawValue: values[5]) != nil, Timestamp(values[6]) != nil,
            Timestamp(values[7]) != nil,
            let start = CalendarDate(values[3]), let end = CalendarDate(values[4]),
            Stay(from: start, to: end) != nil,
            BookingRequest.isIdentifier(values[1]), BookingRequest.isIdentifier(values[2])
        else { return nil }
        self.values = values
        key = columns.count == 9 ? columns[8] : nil
    }
}

/// Reads rows and ids out of single pages of the file (https://www.sqlite.org/fileformat2.html#b_tree_pages): what a
/// whole page holds can be had whatever has become of the others. A booking never needs an overflow page.
enum PageRows {
    /// The bookings of a page; none when it is no leaf of a table's.
    static func rows(_ page: [UInt8], isFirst: Bool) -> [SalvagedRow] {
        cells(page, isFirst, kind: 0x0d).compactMap { start in
            var position = start
            guard let payload = page.varint(&position), page.varint(&position) != nil else { return nil }
            guard let columns = record(page, position, payload) else { return nil }
            return SalvagedRow(columns)
        }
    }

    /// The ids in a page of the primary key's index; none when it is another.
    static func ids(_ page: [UInt8], isFirst: Bool) -> [String] {
        [UInt8(0x0a), 0x02].flatMap { kind in
            cells(page, isFirst, kind: kind).compactMap { start -> String? in
                var position = start + (kind == 0x02 ? 4 : 0)
                guard let payload = page.varint(&position), let columns = record(page, position, payload),
                    columns.count == 2, let text = columns[0], let id = BookingID(text),
                    id.description == text
                else { return nil }
                return text
            }
        }
    }

    private static func cells(_ page: [UInt8], _ isFirst: Bool, kind: UInt8) -> [Int] {
        let start = isFirst ? 100 : 0
        guard page.count > start + 12, page[start] == kind else { return [] }
        let count = Int(page[start + 3]) << 8 | Int(page[start + 4])
        let pointers = start + (kind == 0x02 ? 12 : 8)
        return (0..<count).compactMap { index in
            let place = pointers + 2 * index
            guard place + 2 <= page.count else { return nil }
            let cell = Int(page[place]) << 8 | Int(page[place + 1])
            return cell < page.count ? cell : nil
        }
    }

    /// The columns of a record: texts as they are, everything else as nil.
    private static func record(_ page: [UInt8], _ start: Int, _ payload: Int) -> [String?]? {
        guard payload > 0, payload <= page.count - start else { return nil }
        var position = start
        guard let headerBytes = page.varint(&position), headerBytes > 0, headerBytes <= payload else {
            return nil
        }
        var value = start + headerBytes
        var columns: [String?] = []
        while position < start + headerBytes {
            guard let type = page.varint(&position), type >= 0 else { return nil }
            let sizes = [0, 1, 2, 3, 4, 6, 8, 8, 0, 0, 0, 0]
            let size = type < 12 ? sizes[type] : (type - 12) / 2
            guard size <= start + payload - value else { return nil }
            let isText = type >= 13 && type % 2 == 1
            columns.append(isText ? String(validating: page[value..<(value + size)], as: UTF8.self) : nil)
            value += size
        }
        return value == start + payload ? columns : nil
    }
}

extension [UInt8] {
    /// SQLite's number of variable length; nil behind the end of the page, or when it fits into no `Int`.
    fileprivate func varint(_ position: inout Int) -> Int? {
        var value: UInt64 = 0
        for index in 0..<9 {
            guard position < count else { return nil }
            let byte = self[position]
            position += 1
            if index == 8 {
                value = value << 8 | UInt64(byte)
                break
            }
            value = value << 7 | UInt64(byte & 0x7f)
            if byte & 0x80 == 0 { break }
        }
        return Int(exactly: value)
    }
}
