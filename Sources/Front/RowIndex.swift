/// Finds rows by the hashes of their keys, which stay with whoever uses it. Several rows may have one key, and, though
/// seldom, different keys one hash.
///
/// Rows with hashes that end alike form a chain. Unlike a probed table it stays quick however many rows have one
/// key, as copies of a file put in by hand have: it inserts and removes without a walk.
struct RowIndex {
    fileprivate struct Link {
        var next = Row.none
        var previous = Row.none
        var hash: UInt32 = 0
    }

    private var heads = Array(repeating: Row.none, count: 16)
    /// A link for each row, whether it is here or not.
    private var links: [Link] = []
    private var count = 0

    /// - Parameter row: one that isn't here.
    mutating func insert(_ row: Row, for key: some RowKey) {
        if count == heads.count { grow() }
        count += 1
        while links.count <= row.index { links.append(Link()) }
        let hash = key.rowHash
        let chain = chain(of: hash)
        let next = heads[chain]
        links[row.index] = Link(next: next, hash: hash)
        if next != .none { links[next.index].previous = row }
        heads[chain] = row
    }

    /// - Parameter row: one that is here.
    mutating func remove(_ row: Row) {
        let link = links[row.index]
        if link.next != .none { links[link.next.index].previous = link.previous }
        if link.previous != .none {
            links[link.previous.index].next = link.next
        } else {
            heads[chain(of: link.hash)] = link.next
        }
        count -= 1
    }

    /// The rows whose keys may be this one: those that have its hash, newest first.
    func rows(for key: some RowKey) -> Rows {
        let hash = key.rowHash
        return Rows(hash: hash, following: heads[chain(of: hash)], links: links)
    }

    struct Rows: Sequence, IteratorProtocol {
        fileprivate let hash: UInt32
        fileprivate var following: Row
        fileprivate let links: [Link]

        mutating func next() -> Row? {
            while following != .none {
                let row = following
                following = links[row.index].next
                if links[row.index].hash == hash { return row }
            }
            return nil
        }
    }

    private func chain(of hash: UInt32) -> Int { Int(hash) & (heads.count - 1) }

    /// Makes two chains of each, whose rows keep their order.
    private mutating func grow() {
        let old = heads.count
        heads += Array(repeating: .none, count: old)
        for chain in 0..<old {
            var row = heads[chain]
            heads[chain] = .none
            var ends = (Row.none, Row.none)
            while row != .none {
                let next = links[row.index].next
                if self.chain(of: links[row.index].hash) == chain {
                    append(row, to: chain, after: &ends.0)
                } else {
                    append(row, to: chain + old, after: &ends.1)
                }
                row = next
            }
        }
    }

    private mutating func append(_ row: Row, to chain: Int, after end: inout Row) {
        links[row.index].previous = end
        links[row.index].next = .none
        if end == .none { heads[chain] = row } else { links[end.index].next = row }
        end = row
    }
}
