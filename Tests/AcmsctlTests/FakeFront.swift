import Bookings
import Support
import Synchronization
import Varlink

/// A front that books nothing, and remembers what it was asked in which call.
final class FakeFront: Sendable {
    typealias Result = BookingsInterface.CreateResult

    private let calls = Mutex<[[CreateBookingInput]]>([])
    private let answer: @Sendable (_ call: Int, CreateBookingInput) -> Result

    /// - Parameter answer: Answers one input of a call, which are counted from 1.
    init(_ answer: @escaping @Sendable (_ call: Int, CreateBookingInput) -> Result = { .accepting($1) }) {
        self.answer = answer
    }

    /// What was asked so far, call by call.
    var asked: [[CreateBookingInput]] { calls.withLock { $0 } }
    /// What was asked so far.
    var inputs: [CreateBookingInput] { asked.flatMap { $0 } }

    /// Remembers a call.
    /// - Returns: its number.
    func note(_ inputs: [CreateBookingInput]) -> Int {
        calls.withLock {
            $0.append(inputs)
            return $0.count
        }
    }

    /// CreateApartmentBookings.
    var method: Method {
        Method("CreateApartmentBookings") {
            (parameters: BookingsInterface.CreateMany, _) throws(ErrorReply) -> BookingsInterface.CreatedMany
            in
            let number = self.note(parameters.inputs)
            return .init(results: parameters.inputs.map { self.answer(number, $0) })
        }
    }

    /// Runs `acmsctl import` in a directory of its own that holds `text` in a file.
    func importing(
        _ text: some Sequence<UInt8>, as file: String = "bookings.jsonl", _ arguments: String...
    ) async throws -> (outcome: Program.Outcome, directory: TemporaryDirectory) {
        let directory = try TemporaryDirectory()
        try directory.write(String(decoding: Array(text), as: UTF8.self), to: file)
        return (try await importing(file, in: directory, arguments), directory)
    }

    /// Runs `acmsctl import` with a file of `directory`.
    func importing(
        _ file: String, in directory: TemporaryDirectory, _ arguments: [String] = []
    ) async throws -> Program.Outcome {
        try await FakeDaemon.serving(BookingsInterface.description, [method]) { socket in
            let options = arguments.map { "'\($0)'" }.joined(separator: " ")
            return try await Program.run([
                "/bin/sh", "-c",
                "cd '\(directory.path)' && '\(Program.path)' import '\(file)' --socket '\(socket)' \(options)",
            ])
        }
    }
}

extension BookingsInterface.CreateResult {
    /// An id that tells whose booking it is.
    static func accepting(_ input: CreateBookingInput) -> Self { .init(id: "id of \(input.userId)") }

    /// A refusal.
    static func refusing(_ error: some VarlinkError & Encodable, _ parameters: [String: JSONValue]) -> Self {
        .init(error: type(of: error).errorName, parameters: .object(parameters))
    }

    static let invalid = refusing(
        BookingsInterface.InvalidInput(field: "endDate", reason: "is odd"),
        ["field": .string("endDate"), "reason": .string("is odd")])
    static let full = refusing(
        BookingsInterface.QueueFull(reason: "no room", retryAfterSeconds: 1),
        ["reason": .string("no room"), "retryAfterSeconds": .integer(1)])
    static let unavailable = refusing(
        BookingsInterface.StorageUnavailable(reason: "no disk"), ["reason": .string("no disk")])
}

extension CreateBookingInput {
    /// A booking for three nights.
    static func sample(_ user: String, key: String? = nil) -> CreateBookingInput {
        CreateBookingInput(
            userId: user, apartmentId: "A", startDate: "2026-12-01", endDate: "2026-12-04",
            idempotencyKey: key)
    }

    /// The input as a line of JSON.
    var line: String {
        var json: [UInt8] = []
        encode(into: &json)
        return String(decoding: json, as: UTF8.self) + "\n"
    }
}
