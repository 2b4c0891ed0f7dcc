import Bookings
import FoundationEssentials
import NIOCore

@testable import Varlink

extension Target {
    /// What a client reads: a reply in each type that a client wants, and the error in it.
    static let replies = Target(name: "replies") { input in
        let frame = ByteBuffer(bytes: input)
        let mark = ContinuesMark.isSet(in: frame)
        let plain = check(frame, JSONValue.self, mark, isAny: true)
        _ = check(frame, BookingsInterface.BookingState.self, mark)
        _ = check(frame, BookingsInterface.CreatedMany.self, mark, isAny: true)
        _ = check(frame, QueueInterface.DeadLetterList.self, mark)
        _ = check(frame, NoParameters.self, mark)
        switch plain?.result {
        case .success(let value): send(value)
        case .failure(let error):
            require(error.description.contains(error.name), "the error is \(error)")
            check(error, ServiceError.InvalidParameter.self)
            check(error, BookingsInterface.PendingBookingExists.self)
            check(error, BookingsInterface.QueueFull.self)
            check(error, CaretakerInterface.WrongStatus.self)
        case nil: break
        }
    }

    private static func check<R: Codable & Sendable>(
        _ frame: ByteBuffer, _ type: R.Type, _ mark: Bool, isAny: Bool = false
    ) -> ReplyMessage<R>? {
        let reply: ReplyMessage<R>
        do throws(ClientError) {
            reply = try ReplyMessage<R>.decode(frame)
        } catch {
            guard case .invalidReply = error else { fail("a reply was refused with \(error)") }
            return nil
        }
        require(reply.continues == mark, "whether a reply continues is \(reply.continues) and \(mark)")
        if case .success(let value) = reply.result {
            checkWriting(value, isAny: isAny)
        }
        return reply
    }

    private static func check<E: VarlinkError & Codable>(_ error: RemoteError, _ type: E.Type) {
        guard let typed = error.decode(type) else { return }
        require(error.name == E.errorName, "\(error.name) was read as \(E.errorName)")
        require(decode(E.self, encode(typed)) != nil, "\(typed) can't be read again")
    }

    /// A client's call is read by a server as it was meant.
    private static func send(_ parameters: JSONValue) {
        guard case .object = parameters else { return }
        let call = CallMessage(method: "a.b.C", parameters: parameters, more: true, oneway: nil)
        guard let frame = try? call.frame() else { fail("\(parameters) can't be sent") }
        var splitter = FrameSplitter(limit: frame.readableBytes)
        splitter.append(frame)
        guard case .message(let message)? = splitter.next(), splitter.next() == nil else {
            fail("\(parameters) is no frame")
        }
        let read = try? CallDecoder(catalog: MethodCatalog([])).decode(message)
        require(read?.method == "a.b.C" && read?.wantsMore == true, "a call with \(parameters) can't be read")
    }
}
