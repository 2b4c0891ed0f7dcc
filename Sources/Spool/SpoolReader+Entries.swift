public import Bookings
import Dispatch
import Synchronization

extension SpoolReader {
    /// Reads entries on all cores, and calls `body` with what each holds, in the order of their names.
    ///
    /// - Parameters:
    ///   - names: entries of `place`.
    ///   - item: what to keep of a message.
    ///   - body: is told an entry's name, what was kept of its valid messages, and its length in bytes, nil when it
    ///     isn't there.
    public func readEntries<Item: Sendable>(
        _ names: [EntryName], in place: SpoolPlace, keeping item: @Sendable (Message) -> Item,
        _ body: (EntryName, [Item], Int?) throws(SpoolError) -> Void
    ) throws(SpoolError) {
        var rest = names[...]
        while !rest.isEmpty {
            let portion = Self.portion(of: rest)
            rest = rest.dropFirst(portion.count)
            let read = Mutex<[Result<([Item], Int?), SpoolError>?]>(
                Array(repeating: nil, count: portion.count))
            DispatchQueue.concurrentPerform(iterations: portion.count) { index in
                let name = portion[portion.startIndex + index].description
                let contents = Result { () throws(SpoolError) in
                    var items: [Item] = []
                    let bytes = try forEachMessage(in: place, name) { message in
                        items.append(item(message))
                        return true
                    }
                    return (items, bytes)
                }
                read.withLock { $0[index] = contents }
            }
            for (name, contents) in zip(portion, read.withLock { $0 }) {
                guard let (items, bytes) = try contents?.get() else { continue }
                try body(name, items, bytes)
            }
        }
    }

    /// As many entries as are read before they are passed on: enough to keep all cores busy, and no more than take
    /// little memory.
    private static func portion(of names: ArraySlice<EntryName>) -> ArraySlice<EntryName> {
        var messages = 0
        return names.prefix(512).prefix { name in
            defer { messages += min(name.count ?? 1, maximumPortion) }
            return messages < maximumPortion
        }
    }

    private static let maximumPortion = 8192
}
