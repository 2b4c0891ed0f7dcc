/// First in, first out; neither end costs the others a move each time.
public struct Line<Element> {
    private var elements: [Element] = []
    private var gone = 0

    /// Creates an empty line.
    public init() {}

    /// Whether nobody waits.
    public var isEmpty: Bool { gone == elements.count }

    /// Who came first.
    public var first: Element? { isEmpty ? nil : elements[gone] }

    /// Adds one behind all others.
    public mutating func append(_ element: Element) { elements.append(element) }

    /// Takes out who came first, if anybody waits.
    @discardableResult
    public mutating func popFirst() -> Element? {
        guard let element = first else { return nil }
        gone += 1
        if gone > elements.count / 2 {
            elements.removeFirst(gone)
            gone = 0
        }
        return element
    }
}
