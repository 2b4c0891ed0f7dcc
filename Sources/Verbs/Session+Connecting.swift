import Varlink

extension Session {
    /// Connects to a service, and disconnects when `body` has ended.
    ///
    /// - Parameter timeout: how long a reply may take; nil for ever.
    /// - Throws: ``Failure`` when nobody can be reached, and what `body` throws.
    static func with<R: Sendable>(
        _ service: Service, at path: String, timeout: Duration?, _ output: Output,
        _ body: (Session) async throws -> R
    ) async throws -> R {
        do {
            return try await Client.withConnection(to: path) { client in
                try await body(
                    Session(client: client, service: service, path: path, timeout: timeout, output: output))
            }
        } catch ClientError.unreachable(let path, let errno) {
            throw Failure.unreachable(path: path, errno: errno, service)
        } catch let error as ClientError {
            throw Failure.lost(.unreadable(error.description), path: path, remedy: repeatIt)
        }
    }
}
