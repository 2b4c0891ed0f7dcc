import Testing

@testable import Front

extension Int: RowKey {}
extension String: RowKey {}

@Suite struct RowIndexTests {
    private func rows(_ index: RowIndex, _ key: Int) -> [Int] { index.rows(for: key).map(\.index) }

    @Test func rowsAreFoundNewestFirstHoweverManyThereAre() {
        var index = RowIndex()
        for row in 0..<10_000 { index.insert(Row(row), for: row % 5000) }
        for key in 0..<5000 { #expect(rows(index, key) == [key + 5000, key]) }
        #expect(rows(index, 5000).isEmpty)
    }

    @Test func rowsThatWereRemovedAreNotFoundAndTheOthersAre() {
        var index = RowIndex()
        for row in 0..<3000 { index.insert(Row(row), for: row / 3) }
        for key in 0..<1000 { index.remove(Row(3 * key + key % 3)) }
        for key in 0..<1000 {
            #expect(rows(index, key) == [2, 1, 0].filter { $0 != key % 3 }.map { 3 * key + $0 })
        }
        for key in 0..<1000 { index.insert(Row(3 * key + key % 3), for: -1) }
        #expect(rows(index, -1).count == 1000)
        #expect(rows(index, 0) == [2, 1])
    }

    @Test func manyRowsOfOneKeyAreRemovedInAnyOrder() {
        var index = RowIndex()
        let count = 100_000
        for row in 0..<count { index.insert(Row(row), for: "k") }
        for row in stride(from: 0, to: count, by: 2) { index.remove(Row(row)) }
        #expect(index.rows(for: "k").map(\.index) == stride(from: count - 1, to: 0, by: -2).map { $0 })
    }
}
