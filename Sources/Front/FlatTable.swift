/// The number of a row of a `FlatTable`.
struct Row: Hashable {
    private let number: UInt32

    init(_ index: Int) { number = UInt32(index) }

    private init() { number = .max }

    /// No row: takes less room than an optional would.
    static let none = Row()

    var index: Int { Int(number) }
}

/// Elements in one piece of memory, known by their rows; rows that were given up are used again.
struct FlatTable<Element> {
    private var elements: [Element] = []
    private var free: [Row] = []

    subscript(row: Row) -> Element {
        get { elements[row.index] }
        _modify { yield &elements[row.index] }
    }

    mutating func insert(_ element: Element) -> Row {
        if let row = free.popLast() {
            elements[row.index] = element
            return row
        }
        elements.append(element)
        return Row(elements.count - 1)
    }

    mutating func remove(_ row: Row) { free.append(row) }

    /// All elements, those that were given up among them as they were left.
    var all: [Element] { elements }
}
