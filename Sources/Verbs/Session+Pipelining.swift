import Varlink

// Calls whose replies are waited for later, so that the service never waits for the next call.

extension Session {
    /// Sends a call whose parameters are JSON already. Calls are sent in the order in which this is called.
    func send(
        _ method: String, encoded parameters: [UInt8], ifLost: String
    ) throws(Failure) -> PendingReply {
        do {
            return try client.send(method, encoded: parameters)
        } catch {
            throw failure(error, about: nil, ifLost: ifLost)
        }
    }

    /// Waits for the reply of a call.
    /// - Parameter read: Reads the reply's common form.
    /// - Returns: what the service replied with, which may be an error.
    func answer<R: Decodable & Sendable>(
        to reply: PendingReply, ifLost: String, quickly read: @escaping @Sendable (inout JSONCursor) -> R?
    ) async throws(Failure) -> Result<R, RemoteError> {
        do {
            return .success(
                try await ReplyTimer(timeout: timeout).guarding { try await reply.take(quickly: read) })
        } catch ClientError.remote(let error) {
            return .failure(error)
        } catch {
            throw failure(error, about: nil, ifLost: ifLost)
        }
    }
}
