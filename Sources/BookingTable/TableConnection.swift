import Bookings
import GRDB
import Synchronization

/// A connection that opens itself at first use and again after trouble, so that what was mended works without a
/// restart.
final class TableConnection: Sendable {
    private struct Open {
        let queue: DatabaseQueue
        let file: TableFile
    }

    private let path: String
    private let create: Bool
    private let open: @Sendable (String) throws -> DatabaseQueue
    private let state = Mutex<(open: Open?, wasOpen: Bool)>((nil, false))

    /// - Parameters:
    ///   - create: whether a file that was never there is created.
    ///   - open: opens the file and checks its schema.
    init(path: String, create: Bool, open: @escaping @Sendable (String) throws -> DatabaseQueue) {
        self.path = path
        self.create = create
        self.open = open
    }

    /// Gives `body` the open database.
    ///
    /// - Throws: `TableUnavailable`. The next call opens anew.
    func use<Value>(_ body: (DatabaseQueue) throws -> Value) throws(TableUnavailable) -> Value {
        do {
            return try body(try connected())
        } catch {
            let trouble = TableUnavailable(any: error, path: path)
            // A lock goes away by itself; after anything else the connection may know what is no longer true.
            if trouble.kind != .locked { close() }
            throw trouble
        }
    }

    private func connected() throws -> DatabaseQueue {
        try state.withLock { state in
            let file = try TableFile.at(path)
            if let current = state.open {
                if current.file == file { return current.queue }
                try? current.queue.close()
                state.open = nil
            }
            if file == nil, state.wasOpen || !create {
                throw TableUnavailable.missing(path, wasOpen: state.wasOpen)
            }
            let queue = try open(path)
            guard let opened = try TableFile.at(path) else {
                throw TableUnavailable.missing(path, wasOpen: state.wasOpen)
            }
            state = (Open(queue: queue, file: opened), true)
            return queue
        }
    }

    private func close() {
        state.withLock { state in
            try? state.open?.queue.close()
            state.open = nil
        }
    }
}
