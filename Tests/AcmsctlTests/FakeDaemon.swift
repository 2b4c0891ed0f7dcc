import Bookings
import Logging
import Support
import Varlink

/// A service of acms that answers what a test wants, on a real socket.
struct FakeDaemon {
    /// Where it listens.
    let socket: String
    private let server: Server

    /// Ends at once, without answering what is asked.
    struct Gone: Error {}

    /// Serves `methods` while `body` runs.
    static func serving<R: Sendable>(
        _ description: String, _ methods: [Method], _ body: @Sendable (String) async throws -> R
    ) async throws -> R {
        let directory = try TemporaryDirectory()
        let socket = "\(directory.path)/socket"
        let server = Server(
            listener: .path(socket, mode: 0o600), info: .acms(product: "fake"),
            interfaces: [try Interface(description: description, methods: methods)],
            logger: Logger(label: "fake") { _ in SwiftLogNoOpLogHandler() })
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await server.run() }
            defer { group.cancelAll() }
            try await eventually("the fake to listen") {
                _ = try await Client.withConnection(to: socket) { _ in }
                return true
            }
            return try await body(socket)
        }
    }

    /// Serves io.acms.Bookings with one method that refuses with `error`.
    static func refusing<R: Sendable>(
        _ interface: String, _ method: String, _ error: some VarlinkError & Sendable,
        _ body: @Sendable (String) async throws -> R
    ) async throws -> R {
        let method = Method(method) { (_: JSONValue, _) throws(ErrorReply) -> JSONValue in
            throw ErrorReply(error)
        }
        return try await serving(interface, [method], body)
    }
}

/// Suspends until the peer is gone.
func silence() async {
    _ = try? await Task.sleep(for: .seconds(3600))
}

extension Booking {
    /// A booking of alice.
    static func sample(_ number: Int = 0, user: String = "alice", status: BookingStatus = .pending) -> Booking
    {
        let digits = String(number)
        return Booking(
            id: "01932b1c-7a5e-7d11-9c55-" + String(repeating: "0", count: 12 - digits.count) + digits,
            userId: user, apartmentId: "A-17", startDate: "2026-12-01", endDate: "2026-12-05",
            bookingStatus: status, createdOn: Timestamp(milliseconds: 1_700_000_000_123),
            updatedOn: Timestamp(milliseconds: 1_700_000_000_123))
    }
}

extension DeadLetter {
    /// A letter that nobody could read.
    static func sample(
        reason: String = "the message is not JSON", body: String = "{oops", isBase64: Bool = false,
        size: Int? = nil, isTruncated: Bool? = nil, file: String? = nil
    ) -> DeadLetter {
        let time = Timestamp(milliseconds: 1_700_000_000_123)
        return DeadLetter(
            id: "01932b1c-7a5e-7d11-9c55-0242ac120002", class: .poison, reason: reason, deadOn: time,
            receiveCount: 1, userId: nil, apartmentId: "A-17",
            attempts: [Attempt(on: time, class: Attempt.poison, reason: reason)], body: body,
            bodyIsBase64: isBase64, bodySize: size, bodyIsTruncated: isTruncated, bodyFile: file)
    }
}
