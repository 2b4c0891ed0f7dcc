import Bookings
import Varlink

@testable import Front

extension Acceptance {
    /// Submits requests and waits for the answers.
    nonisolated func answers(
        to requests: [BookingRequest], from peer: Peer
    ) async -> [Result<BookingID, ErrorReply>] {
        await withCheckedContinuation { continuation in
            submit(requests, from: peer) { answers, _ in continuation.resume(returning: answers) }
        }
    }
}
