/// Counts messages by name and age. Pure: time is passed in.
public struct AgeTally {
    /// The ages between the columns, in seconds: a moment, what a person waits for, and what nobody should.
    package static let bounds = [1, 10, 60, 300, 1800, 7200, 43_200, 86_400, 604_800]
    /// So many names are told apart; those that come later count as others.
    package static let maximumNames = 20_000

    /// Longest name that is told apart from others, in bytes: as long as an identifier may be.
    package static let nameBytes = 256

    private let time: Timestamp
    private var total = [Int](repeating: 0, count: bounds.count + 1)
    private var named: [String: [Int]] = [:]
    private var others = [Int](repeating: 0, count: bounds.count + 1)
    private var unnamed = [Int](repeating: 0, count: bounds.count + 1)

    /// Counts by the age at a time.
    ///
    /// - Parameter time: the present time.
    public init(at time: Timestamp) {
        self.time = time
    }

    /// Counts a message.
    ///
    /// - Parameter name: nil where it can't be read.
    public mutating func count(_ name: String?, since start: Timestamp) {
        let age = time.since(start)
        let column = Self.bounds.firstIndex { age < .seconds($0) } ?? Self.bounds.count
        total[column] += 1
        guard let name = name?.cut(toBytes: Self.nameBytes) else {
            unnamed[column] += 1
            return
        }
        if named[name] != nil || named.count < Self.maximumNames {
            named[name, default: [Int](repeating: 0, count: Self.bounds.count + 1)][column] += 1
        } else {
            others[column] += 1
        }
    }

    /// The rows that have most, and the rest as one.
    public func profile(rows limit: Int) -> QueueInterface.AgeProfile {
        var rows = named.map { Self.row($0.key, $0.value) }
        if unnamed.contains(where: { $0 > 0 }) { rows.append(Self.row(nil, unnamed)) }
        rows.sort { ($1.total, $0.name ?? "") < ($0.total, $1.name ?? "") }
        let rest = rows.dropFirst(limit).reduce(others) { sums, row in zip(sums, row.counts).map(+) }
        let hasRest = rest.contains { $0 > 0 }
        return .init(
            bounds: Self.bounds, total: Self.row(nil, total), rows: Array(rows.prefix(limit)),
            others: hasRest ? Self.row(nil, rest) : nil)
    }

    private static func row(_ name: String?, _ counts: [Int]) -> QueueInterface.AgeRow {
        .init(name: name, total: counts.reduce(0, +), counts: counts)
    }
}
