import Bookings
import Varlink

/// The daemons of a configuration, for verbs that ask more than one.
struct Daemons: Sendable {
    let settings: Settings
    /// How long a reply may take.
    let timeout: Duration
    let output: Output

    /// Calls a service over a connection of its own, so that a restart of the daemon is nothing special.
    func ask<R: Sendable>(
        _ service: Service, _ body: (Session) async throws -> R
    ) async -> Result<R, Failure> {
        let path = service.socketPath(in: settings)
        do {
            return .success(try await Session.with(service, at: path, timeout: timeout, output, body))
        } catch let failure as Failure {
            return .failure(failure)
        } catch {
            return .failure(.lost(.unreadable("\(error)"), path: path, remedy: Session.repeatIt))
        }
    }
}

extension Session {
    /// How a daemon is.
    func metrics() async throws(Failure) -> [Metric] {
        let reply: MetricsReply = try await call("\(service.interface).GetMetrics", NoParameters())
        return reply.metrics
    }
}
