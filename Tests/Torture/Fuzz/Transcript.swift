import Bookings
import FoundationEssentials
import NIOCore

@testable import Varlink

/// What was sent to a server and what came back, held against the protocol.
struct Transcript {
    /// The members of a call, without the types of parameters.
    private struct Call: Decodable {
        let method: String
        let oneway: Bool?
        let more: Bool?
        let upgrade: Bool?
    }

    private let frames: [FrameSplitter.Frame]
    private var replies: ArraySlice<ByteBuffer>

    init(_ frames: [FrameSplitter.Frame], _ replies: [ByteBuffer]) {
        self.frames = frames
        self.replies = replies[...]
    }

    func check() {
        var rest = self
        rest.checkAll()
    }

    private mutating func checkAll() {
        for frame in frames {
            guard case .message(let bytes) = frame,
                let call = decode(Call.self, bytes.withUnsafeReadableBytes { Data($0) })
            else {
                // Nothing is served after what can't be read.
                let (_, last) = next("what can't be read")
                guard case .failure(let error) = last.result else { fail("nonsense was answered") }
                require(error.name == ServiceError.InvalidParameter.errorName, "nonsense: \(error)")
                break
            }
            if call.oneway ?? false { continue }
            let (continuing, last) = next(call.method)
            require(
                continuing == 0 || call.more ?? false, "\(call.method) was answered \(continuing + 1) times")
            check(last.result, call)
        }
        require(replies.isEmpty, "\(replies.count) replies answer no call")
    }

    /// The replies to one call: how many that others follow, and the last.
    private mutating func next(_ method: String) -> (Int, ReplyMessage<JSONValue>) {
        var continuing = 0
        while let frame = replies.popFirst() {
            let reply: ReplyMessage<JSONValue>
            do throws(ClientError) {
                reply = try ReplyMessage<JSONValue>.decode(frame)
            } catch {
                fail("the reply to \(method) can't be read: \(error)")
            }
            if !reply.continues { return (continuing, reply) }
            continuing += 1
        }
        fail("\(method) was not answered")
    }

    private func check(_ result: Result<JSONValue, RemoteError>, _ call: Call) {
        let dot = call.method.lastIndex(of: ".")
        let interface = dot.map { String(call.method[..<$0]) } ?? call.method
        let name = dot.map { String(call.method[$0...].dropFirst()) } ?? ""
        switch result {
        case .success(let parameters):
            guard case .object(let fields) = parameters else {
                fail("\(call.method) was answered \(parameters)")
            }
            let expected = Self.answers[call.method]
            require(name != "WatchEvents" || call.more ?? false, "\(call.method) was run without more")
            require(
                expected.map { fields[$0] != nil || $0.isEmpty } ?? false,
                "\(call.method) was answered \(parameters)")
        case .failure(let error):
            switch error.name {
            case ServiceError.MethodNotFound.errorName:
                let missing = error.decode(ServiceError.MethodNotFound.self)?.method
                require(
                    areSame(missing, call.method) && Self.answers[call.method] == nil,
                    "\(call.method): \(error)")
            case ServiceError.MethodNotImplemented.errorName:
                let missing = error.decode(ServiceError.MethodNotImplemented.self)?.method
                require(areSame(missing, call.method), "\(call.method): \(error)")
                require(name == "ListDeadLetters" || call.upgrade ?? false, "\(call.method): \(error)")
            case ServiceError.InterfaceNotFound.errorName:
                let missing = error.decode(ServiceError.InterfaceNotFound.self)?.interface
                require(
                    areSame(missing, interface) || name == "GetInterfaceDescription",
                    "\(call.method): \(error)")
            case ServiceError.ExpectedMore.errorName:
                require(name == "WatchEvents" && !(call.more ?? false), "\(call.method): \(error)")
            case ServiceError.InvalidParameter.errorName: break
            default: require(error.name.hasPrefix(interface + "."), "\(call.method): \(error)")
            }
        }
    }

    /// A member of each method's answer, by the method's full name; none where it is empty.
    private static let answers = [
        "org.varlink.service.GetInfo": "interfaces",
        "org.varlink.service.GetInterfaceDescription": "description",
        "io.acms.Bookings.CreateApartmentBooking": "id",
        "io.acms.Bookings.CreateApartmentBookings": "results",
        "io.acms.Bookings.GetBooking": "booking",
        "io.acms.Bookings.AwaitBooking": "progress",
        "io.acms.Bookings.GetAllBookingsPerApartment": "items",
        "io.acms.Bookings.GetAllBookingsPerUser": "items",
        "io.acms.Bookings.GetAllBookings": "items",
        "io.acms.Bookings.WatchEvents": "events",
        "io.acms.Bookings.GetMetrics": "metrics",
        "io.acms.Queue.GetQueueAttributes": "incoming",
        "io.acms.Queue.RedriveDeadLetters": "redriven",
        "io.acms.Queue.DeleteDeadLetters": "deleted",
        "io.acms.Queue.Pause": "",
        "io.acms.Queue.Resume": "",
        "io.acms.Queue.ListMessages": "items",
        "io.acms.Queue.GetAgeProfile": "total",
        "io.acms.Queue.WatchEvents": "events",
        "io.acms.Queue.GetMetrics": "metrics",
        "io.acms.Caretaker.ApproveBooking": "cancelled",
        "io.acms.Caretaker.CancelBooking": "booking",
    ]
}
