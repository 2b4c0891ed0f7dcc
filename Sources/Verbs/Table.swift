/// A column of a table of `Row`.
struct Column<Row: Sendable>: Sendable {
    /// Whether its values may be cut on a terminal that is too narrow, and to how few columns.
    enum Cut: Sendable {
        case never
        case first(minimum: Int)
        /// Only when cutting the others isn't enough: an id that is cut can't be copied.
        case last(minimum: Int)
    }

    let title: String
    var cut = Cut.never
    /// Whether it is left out where there is no room.
    var isOptional = false
    /// How wide it is at least, because later pages may hold wider values than the first.
    var reservedWidth = 0
    /// Whether its values end below one another, as numbers do.
    var isRightAligned = false
    let value: @Sendable (Row) -> StyledText
}

/// Lays out rows below a header, page by page. The first page decides the widths, so that a long list needn't
/// be held in memory; later values that are longer are cut on a terminal and stick out elsewhere.
struct Table<Row: Sendable>: Sendable {
    private static var gap: Int { 2 }

    private let columns: [Column<Row>]
    private let terminal: Terminal
    private var layout: [(column: Column<Row>, width: Int)]?

    init(_ columns: [Column<Row>], on terminal: Terminal) {
        self.columns = columns
        self.terminal = terminal
    }

    /// The next lines; the header comes before the first row.
    mutating func lines(of rows: [Row]) -> [String] {
        guard !rows.isEmpty else { return [] }
        if let layout { return rows.map { line(of: $0, in: layout) } }
        let layout = fit(rows)
        self.layout = layout
        let header = layout.map { (StyledText($0.column.title), $0.width, $0.column.isRightAligned) }
        return [line(header)] + rows.map { line(of: $0, in: layout) }
    }

    private func line(of row: Row, in layout: [(column: Column<Row>, width: Int)]) -> String {
        line(layout.map { ($0.column.value(row), $0.width, $0.column.isRightAligned) })
    }

    private func line(_ cells: [(value: StyledText, width: Int, isRightAligned: Bool)]) -> String {
        var line = ""
        var padding = 0
        for (value, width, isRightAligned) in cells {
            let limit = terminal.width == nil ? nil : width
            let used =
                limit.map { min(value.text.cut(toWidth: $0).displayWidth, $0) } ?? value.text.displayWidth
            let free = max(width - used, 0)
            line += String(repeating: " ", count: padding + (isRightAligned ? free : 0))
            line += value.rendered(hasColour: terminal.hasColour, width: limit)
            padding = Self.gap + (isRightAligned ? 0 : free)
        }
        return line
    }

    /// Which columns to show, and how wide.
    private func fit(_ rows: [Row]) -> [(column: Column<Row>, width: Int)] {
        var layout = columns.map { column in
            let title = max(column.title.displayWidth, column.reservedWidth)
            return (column, rows.reduce(title) { max($0, column.value($1).text.displayWidth) })
        }
        guard let limit = terminal.width else { return layout }
        func excess(_ widths: some Sequence<Int>) -> Int {
            widths.reduce(Self.gap * (layout.count - 1), +) - limit
        }
        while excess(layout.map { Self.comfort($0, $1) }) > 0,
            let index = layout.lastIndex(where: { $0.0.isOptional })
        {
            layout.remove(at: index)
        }
        for canCut in [Self.firstMinimum, Self.lastMinimum] {
            while excess(layout.map(\.1)) > 0 {
                // The widest gives way, so that short values stay whole.
                let widest = layout.indices
                    .filter { index in canCut(layout[index].0).map { $0 < layout[index].1 } ?? false }
                    .max { layout[$0].1 < layout[$1].1 }
                guard let widest else { break }
                layout[widest].1 -= 1
            }
        }
        return layout
    }

    /// The width below which a column would rather see others left out.
    private static func comfort(_ column: Column<Row>, _ width: Int) -> Int {
        firstMinimum(column).map { min($0, width) } ?? width
    }

    private static func firstMinimum(_ column: Column<Row>) -> Int? {
        if case .first(let minimum) = column.cut { max(minimum, column.title.displayWidth) } else { nil }
    }

    private static func lastMinimum(_ column: Column<Row>) -> Int? {
        if case .last(let minimum) = column.cut { minimum } else { nil }
    }
}
