/// What the columns of a file mean.
struct CSVHeader {
    /// The meaning of a column.
    enum Meaning: Equatable {
        case field(BookingColumn)
        /// Named by --key-column.
        case key(name: String)
    }

    /// In the order of the columns.
    let columns: [Meaning]

    /// Understands the first line of a file.
    init(_ line: UnsafeRawBufferPointer, keyColumn: String?) throws(InvalidHeader) {
        var names: [String] = []
        if let invalid = CSVRecord.read(line, into: &names) {
            throw InvalidHeader(reason: "the header can't be read: \(invalid.reason)")
        }
        var columns: [Meaning] = []
        for name in names.map(Self.trimmed) {
            let meaning: Meaning
            if name == keyColumn {
                meaning = .key(name: name)
            } else if let column = BookingColumn(name: name) {
                meaning = .field(column)
            } else {
                throw InvalidHeader(
                    reason: """
                        the column "\(name)" is unknown. Known are \(BookingColumn.knownNames), and the one that \
                        --key-column names.
                        """)
            }
            guard !columns.contains(meaning) else {
                throw InvalidHeader(reason: "the column \"\(name)\" is there twice.")
            }
            columns.append(meaning)
        }
        for column in BookingColumn.allCases
        where column.isRequired && !columns.contains(.field(column)) {
            throw InvalidHeader(reason: "the header has no column \(column.rawValue).")
        }
        if let keyColumn, !columns.contains(.key(name: keyColumn)) {
            throw InvalidHeader(
                reason: "the header has no column \"\(keyColumn)\", which --key-column names.")
        }
        self.columns = columns
    }

    private static func trimmed(_ name: String) -> String {
        let rest = name.drop { $0 == " " }
        return String(
            rest.prefix(
                (rest.lastIndex { $0 != " " }).map { rest.distance(from: rest.startIndex, to: $0) + 1 } ?? 0))
    }
}

/// Why a file's columns can't be understood; nothing was sent then.
struct InvalidHeader: Error {
    let reason: String
}
