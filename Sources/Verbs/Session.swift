import Varlink

/// A connection to one service, and what a verb needs beside it.
struct Session: Sendable {
    let client: Client
    let service: Service
    let path: String
    /// How long a reply may take; nil for ever.
    let timeout: Duration?
    let output: Output

    /// What to do when the reply of a call that changes nothing is lost.
    static let repeatIt = "Nothing was changed; repeat the command."

    /// Calls a method and waits for its reply.
    /// - Parameters:
    ///   - id: What the call is about, for the text of an error.
    ///   - ifLost: What the user is to do when the reply doesn't come.
    ///   - timeout: How long to wait instead of ``timeout``; nil for ever.
    func call<P: Encodable & Sendable, R: Decodable & Sendable>(
        _ method: String, _ parameters: P, returning: R.Type = R.self, about id: String? = nil,
        ifLost: String = repeatIt, timeout: Duration?? = nil
    ) async throws(Failure) -> R {
        do {
            let timer = ReplyTimer(timeout: timeout ?? self.timeout)
            return try await timer.guarding { [client] in try await client.call(method, parameters) }
        } catch {
            throw failure(error, about: id, ifLost: ifLost)
        }
    }

    /// Calls a method with `more`, and hands each reply to `next` together with `state`, until `next`
    /// returns false or no reply follows.
    /// - Parameter wholeTime: Whether the timeout is that of all replies together, not of each.
    func stream<P: Encodable & Sendable, R: Decodable & Sendable, State: Sendable>(
        _ method: String, _ parameters: P, into state: State, about id: String? = nil,
        ifLost: String = repeatIt, wholeTime: Bool = false, timeout: Duration?? = nil,
        _ next: @escaping @Sendable (R, inout State) throws -> Bool
    ) async throws(Failure) -> State {
        do {
            let timer = ReplyTimer(timeout: timeout ?? self.timeout)
            return try await timer.guarding { [client] in
                var state = state
                for try await reply in client.stream(method, parameters, returning: R.self) {
                    // The time that a pager keeps the output waiting isn't the daemon's.
                    if !wholeTime { timer.pause() }
                    guard try next(reply, &state) else { break }
                    if !wholeTime { timer.restart() }
                }
                return state
            }
        } catch {
            throw failure(error, about: id, ifLost: ifLost)
        }
    }

    /// What a call failed for, with what the user is to do.
    func failure(_ error: any Error, about id: String?, ifLost: String) -> Failure {
        switch error {
        case let failure as Failure: failure
        case let timedOut as ReplyTimer.TimedOut: .lost(.timedOut(timedOut.after), path: path, remedy: ifLost)
        case ClientError.remote(let error): .refused(error, service, about: id)
        case ClientError.disconnected: .lost(.disconnected, path: path, remedy: ifLost)
        case ClientError.unreachable(let path, let errno): .unreachable(path: path, errno: errno, service)
        default: .lost(.unreadable("\(error)"), path: path, remedy: ifLost)
        }
    }
}
