import Bookings
import FoundationEssentials
import Varlink

/// What is called most: no task a call, and one look at each input.
extension BookingsService {
    /// Asks whom a peer may book for, at once where anybody may book for anybody.
    func withRight(of peer: Peer, _ body: @escaping @Sendable (BookingRight) -> Void) {
        if let right = rights.rightWithoutLookup { return body(right) }
        Task { body(await rights.right(of: peer)) }
    }

    func create(
        _ parameters: BookingsInterface.Create, _ right: BookingRight, _ call: CallContext,
        _ reply: Reply<BookingsInterface.Created>
    ) {
        let input = parameters.input.tracing(parameters.traceparent)
        let request: BookingRequest
        do throws(BookingsInterface.InvalidInput) {
            request = try BookingRequest(input)
        } catch {
            return refuse(ErrorReply(error), reply)
        }
        if let refusal = right.refusal(for: request.userID) {
            report.refused([request.userID], right, call.peer)
            return refuse(ErrorReply(refusal), reply)
        }
        let traces = input.traceparent == nil ? [] : [input.traceParent]
        acceptance.submit([request], traces: traces, from: call.peer) { answers, replies in
            switch answers.first {
            case .success(let id): replies.add(encoded: Self.parameters(id), to: reply)
            case .failure(let refusal): replies.add(.failure(refusal), to: reply)
            case nil:
                let reason = "The booking was not answered."
                let trouble = BookingsInterface.StorageUnavailable(reason: reason)
                replies.add(.failure(ErrorReply(trouble)), to: reply)
            }
        }
    }

    func create(
        _ parameters: BookingsInterface.CreateMany, _ right: BookingRight, _ call: CallContext,
        _ reply: Reply<BookingsInterface.CreatedMany>
    ) {
        let trace = parameters.traceparent
        let inputs = trace == nil ? parameters.inputs : parameters.inputs.map { $0.tracing(trace) }
        let isTraced = inputs.contains { $0.traceparent != nil }
        // What one call asks for is made durable together, and those who come after it wait for all of it.
        guard inputs.count <= BookingsInterface.maximumInputs else {
            return reply.send(.failure(ErrorReply(ServiceError.InvalidParameter(parameter: "inputs"))))
        }
        var requests: [BookingRequest] = []
        requests.reserveCapacity(inputs.count)
        var traces: [TraceParent?] = []
        var refused: [String] = []
        // By number of the input; the others are in `requests`.
        var refusals: [Int: ErrorReply] = [:]
        for (number, input) in inputs.enumerated() {
            do throws(BookingsInterface.InvalidInput) {
                let request = try BookingRequest(input)
                if let refusal = right.refusal(for: request.userID) {
                    refused.append(request.userID)
                    refusals[number] = ErrorReply(refusal)
                } else {
                    requests.append(request)
                    if isTraced { traces.append(input.traceParent) }
                }
            } catch {
                refusals[number] = ErrorReply(error)
            }
        }
        if !refused.isEmpty { report.refused(refused, right, call.peer) }
        if !refusals.isEmpty { report.refused(refusals.values) }
        let (count, known) = (inputs.count, refusals)
        guard !requests.isEmpty else {
            var replies = ReplyBatch()
            replies.add(encoded: Self.parameters(count, known, []), to: reply)
            return replies.send()
        }
        acceptance.submit(requests, traces: traces, from: call.peer) { answers, replies in
            replies.add(encoded: Self.parameters(count, known, answers), to: reply)
        }
    }

    private func refuse<R>(_ refusal: ErrorReply, _ reply: Reply<R>) {
        report.refused([refusal])
        reply.send(.failure(refusal))
    }

    /// `Created` as JSON.
    private static func parameters(_ id: BookingID) -> [UInt8] {
        var json: [UInt8] = []
        json.reserveCapacity(48)
        append(id, to: &json)
        return json
    }

    /// `CreatedMany` as JSON: an id has no characters to escape, and the rest is left to an encoder.
    private static func parameters(
        _ count: Int, _ refusals: [Int: ErrorReply], _ answers: [Result<BookingID, ErrorReply>]
    ) -> [UInt8] {
        var json: [UInt8] = []
        json.reserveCapacity(32 + 48 * count)
        json.append(contentsOf: #"{"results":["#.utf8)
        var rest = answers.makeIterator()
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.withoutEscapingSlashes]
        for number in 0..<count {
            if number > 0 { json.append(UInt8(ascii: ",")) }
            switch refusals[number].map({ .failure($0) }) ?? rest.next() {
            case .success(let id): append(id, to: &json)
            case .failure(let refusal): append(refusal, to: &json, encoder)
            case nil: json.append(contentsOf: "{}".utf8)
            }
        }
        json.append(contentsOf: "]}".utf8)
        return json
    }

    private static func append(_ id: BookingID, to json: inout [UInt8]) {
        json.append(contentsOf: #"{"id":""#.utf8)
        json.append(contentsOf: id.description.utf8)
        json.append(contentsOf: #""}"#.utf8)
    }

    /// `CreateResult` as JSON: the name of an error has no characters to escape either.
    private static func append(_ refusal: ErrorReply, to json: inout [UInt8], _ encoder: JSONEncoder) {
        json.append(contentsOf: #"{"error":""#.utf8)
        json.append(contentsOf: refusal.name.utf8)
        json.append(contentsOf: #"","parameters":"#.utf8)
        // Any error's parameters encode as an object, so this can't fail; if it did, the name would still tell.
        json.append(contentsOf: (try? encoder.encode(refusal.parameters)) ?? Data("{}".utf8))
        json.append(UInt8(ascii: "}"))
    }
}

extension CreateBookingInput {
    /// The input as part of the trace that its call belongs to, unless it says itself which it is.
    fileprivate func tracing(_ trace: String?) -> CreateBookingInput {
        guard let trace, traceparent == nil else { return self }
        var input = self
        input.traceparent = trace
        return input
    }
}
