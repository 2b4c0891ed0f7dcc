import Foundation

/// Runs bodies that block at the same time, each on a thread of its own: the threads of tasks are few.
func concurrently<R: Sendable>(_ bodies: [@Sendable () throws -> R]) async throws -> [R] {
    try await withThrowingTaskGroup(of: (Int, R).self) { group in
        for (number, body) in bodies.enumerated() {
            group.addTask {
                try await withCheckedThrowingContinuation { continuation in
                    Thread.detachNewThread {
                        continuation.resume(with: Result { (number, try body()) })
                    }
                }
            }
        }
        let results = try await group.reduce(into: []) { $0.append($1) }
        return results.sorted { $0.0 < $1.0 }.map(\.1)
    }
}
