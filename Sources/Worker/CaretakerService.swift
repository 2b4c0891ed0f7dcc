import Bookings
import Varlink

/// The methods of io.acms.Caretaker.
struct CaretakerService: Sendable {
    private let worker: QueueWorker

    /// - Parameter worker: the one process that writes the table.
    init(_ worker: QueueWorker) {
        self.worker = worker
    }

    /// The interface as a server offers it.
    func interface() throws -> Interface {
        try Interface(
            description: CaretakerInterface.description,
            methods: [
                Method("ApproveBooking") { (parameters: CaretakerInterface.ByID, call) throws(ErrorReply) in
                    try await worker.approve(parameters.id, by: call.peer)
                },
                Method("CancelBooking") { (parameters: CaretakerInterface.ByID, call) throws(ErrorReply) in
                    try await worker.cancel(parameters.id, by: call.peer)
                },
            ])
    }
}
