public import Bookings
import Foundation
public import Varlink

extension Site {
    /// Calls a method of io.acms.Bookings on a connection of its own.
    public func bookings<P: Encodable & Sendable, R: Decodable & Sendable>(
        _ method: String, _ parameters: P, returning: R.Type = R.self
    ) async throws -> R {
        try await Client.withConnection(to: socket("Bookings")) { client in
            try await client.call(BookingsInterface.method(method), parameters, returning: R.self)
        }
    }

    /// Books, on a connection of its own.
    public func book(_ user: String, _ apartment: String = "A") async throws -> String {
        try await bookings(
            "CreateApartmentBooking", BookingsInterface.Create(input: input(user, apartment)),
            returning: BookingsInterface.Created.self
        ).id
    }

    /// Books apartment A for each of these users in one call.
    ///
    /// - Returns: the ids of those that were accepted.
    public func books(_ users: [String], _ apartment: String = "A") async throws -> [String] {
        try await bookings(
            "CreateApartmentBookings",
            BookingsInterface.CreateMany(inputs: users.map { input($0, apartment) }),
            returning: BookingsInterface.CreatedMany.self
        ).results.compactMap(\.id)
    }

    /// Waits until each of these is in the table.
    public func committed(_ ids: [String]) async throws {
        for id in ids {
            try await eventually("\(id) to be committed") { try await progress(of: id) == .committed }
        }
    }

    /// A booking asked for.
    public func input(_ user: String, _ apartment: String = "A") -> CreateBookingInput {
        CreateBookingInput(
            userId: user, apartmentId: apartment, startDate: "2022-09-22", endDate: "2022-10-22")
    }

    /// Where a booking is.
    public func progress(of id: String) async throws -> Bookings.Progress {
        try await bookings(
            "GetBooking", BookingsInterface.ByID(id: id), returning: BookingsInterface.BookingState.self
        )
        .progress
    }

    /// Waits until a booking is settled.
    public func settled(_ id: String) async throws -> BookingsInterface.BookingState {
        try await bookings("AwaitBooking", BookingsInterface.ByID(id: id))
    }

    /// Every booking of an apartment.
    public func list(_ apartment: String = "A") async throws -> [Booking] {
        try await bookings(
            "GetAllBookingsPerApartment",
            BookingsInterface.ListPerApartment(apartmentId: apartment, limit: 1000),
            returning: BookingsInterface.BookingList.self
        ).items
    }

    /// The queue's counts.
    public func attributes() async throws -> QueueInterface.Attributes {
        try await queue("GetQueueAttributes", NoParameters())
    }

    /// Calls a method of io.acms.Queue on a connection of its own.
    public func queue<P: Encodable & Sendable, R: Decodable & Sendable>(
        _ method: String, _ parameters: P, returning: R.Type = R.self
    ) async throws -> R {
        try await Client.withConnection(to: socket("Queue")) { client in
            try await client.call(QueueInterface.method(method), parameters, returning: R.self)
        }
    }

    /// Puts dead letters back into the queue.
    public func redrive(_ parameters: QueueInterface.RedriveDeadLetters) async throws
        -> QueueInterface.Redriven
    {
        try await queue("RedriveDeadLetters", parameters)
    }

    /// Deletes dead letters.
    public func delete(_ parameters: QueueInterface.DeleteDeadLetters) async throws -> QueueInterface.Deleted
    {
        try await queue("DeleteDeadLetters", parameters)
    }

    /// Stops committing.
    public func pause(until: Timestamp? = nil) async throws {
        let _: NoParameters = try await queue("Pause", QueueInterface.Pause(until: until))
    }

    /// Goes on committing.
    public func resume() async throws {
        let _: NoParameters = try await queue("Resume", NoParameters())
    }

    /// Every dead letter.
    public func deadLetters() async throws -> [DeadLetter] {
        try await queue(
            "ListDeadLetters", QueueInterface.ListDeadLetters(limit: 1000),
            returning: QueueInterface.DeadLetterList.self
        ).items
    }

    /// Approves a booking.
    public func approve(_ id: String) async throws -> CaretakerInterface.Approved {
        try await Client.withConnection(to: socket("Caretaker")) { client in
            try await client.call(CaretakerInterface.method("ApproveBooking"), BookingsInterface.ByID(id: id))
        }
    }

    /// Cancels a booking.
    public func cancel(_ id: String) async throws {
        let _: CaretakerInterface.Cancelled = try await Client.withConnection(to: socket("Caretaker")) {
            client in
            try await client.call(CaretakerInterface.method("CancelBooking"), BookingsInterface.ByID(id: id))
        }
    }

    /// Waits until a program answers on its socket.
    public func reachable(_ name: String) async throws {
        try await eventually("\(name) to answer") {
            try await Client.withConnection(to: socket(name)) { client in
                _ = try await client.call(
                    "org.varlink.service.GetInfo", NoParameters(), returning: JSONValue.self)
            }
            return true
        }
    }

    /// Waits until nothing is incoming, active or deferred.
    public func drained() async throws {
        try await eventually("the queue to be empty") {
            let counts = try await attributes()
            return counts.incoming + counts.active + counts.deferred == 0
        }
    }

    /// Starts the front and waits until it answers.
    public func startFront(_ environment: [String: String] = [:]) async throws -> RunningDaemon {
        let daemon = try start("acms-frontd", environment)
        try await reachable("Bookings")
        return daemon
    }

    /// Starts the worker and waits until it answers.
    public func startWorker(_ environment: [String: String] = [:]) async throws -> RunningDaemon {
        let daemon = try start("acms-workerd", environment)
        try await reachable("Queue")
        return daemon
    }

    /// Puts a file into the spool as one does by hand.
    public func drop(_ name: String, _ bytes: some Sequence<UInt8>) throws {
        let unfinished = "\(directory.path)/spool/tmp/\(name)"
        try Data(bytes).write(to: URL(fileURLWithPath: unfinished))
        guard rename(unfinished, "\(directory.path)/spool/incoming/\(name)") == 0 else {
            throw CocoaError(.fileWriteUnknown)
        }
    }
}

/// The error that a call was answered with; nil when it was answered otherwise.
public func refusal(_ call: () async throws -> some Any) async throws -> RemoteError? {
    do {
        _ = try await call()
        return nil
    } catch ClientError.remote(let error) {
        return error
    }
}
