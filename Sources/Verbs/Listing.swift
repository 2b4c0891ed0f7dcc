/// A page of a list, as the interfaces return it.
protocol Page: Decodable, Sendable {
    associatedtype Item: Encodable & Sendable

    var items: [Item] { get }
    /// Where the next page begins; nil after the last.
    var nextToken: String? { get }
}

/// Prints a list page by page.
struct Listing<Item: Encodable & Sendable>: Sendable {
    /// How many were printed.
    private(set) var count = 0
    private let limit: Int?
    private var table: Table<Item>
    private let output: Output

    init(_ columns: [Column<Item>], limit: Int?, on output: Output) {
        self.limit = limit
        self.output = output
        table = Table(columns, on: output.terminal)
    }

    var isFull: Bool { limit.map { count >= $0 } ?? false }

    mutating func print(_ items: [Item]) throws(Failure) {
        let items = Array(items.prefix(limit.map { $0 - count } ?? .max))
        count += items.count
        try output.write(output.isJSON ? items.map { JSONLine.text(of: $0) } : table.lines(of: items))
    }
}

extension Session {
    /// The longest page that the interfaces allow.
    private static var maximumPage: Int { 1000 }

    /// Prints all items of a list, or the first `limit`.
    /// - Parameters:
    ///   - parameters: Makes the parameters from the items a page and from where to go on.
    ///   - empty: What to tell people when there are none.
    func list<P: Encodable & Sendable, R: Page>(
        _ method: String, pages: R.Type, columns: [Column<R.Item>], limit: Int?, empty: String,
        parameters: (_ limit: Int?, _ nextToken: String?) -> P
    ) async throws(Failure) {
        var listing = Listing(columns, limit: limit, on: output)
        var token: String?
        repeat {
            let parameters = parameters(limit.map { min($0, Self.maximumPage) }, token)
            (listing, token) = try await stream(method, parameters, into: (listing, token)) {
                (page: R, state) in
                try state.0.print(page.items)
                state.1 = page.nextToken
                return !state.0.isFull
            }
            // A service that knows no `more` here returns one page.
        } while token != nil && !listing.isFull
        if listing.count == 0 { output.note(empty) }
    }
}
