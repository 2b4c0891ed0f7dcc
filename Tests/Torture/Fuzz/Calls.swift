import Bookings
import Dispatch
import FoundationEssentials
import Logging
import NIOCore
import NIOEmbedded
import Synchronization

@testable import Varlink

extension Target {
    /// A server's input: cut into frames, each read by the quick reader and the general one.
    static let calls = Target(name: "calls") { input in
        guard let stream = Stream(input) else { return }
        let limit = 64 << Int(stream.choice & 0x07)
        var splitter = FrameSplitter(limit: limit)
        var frames: [FrameSplitter.Frame] = []
        for piece in stream.pieces {
            splitter.append(piece)
            while let frame = splitter.next() { frames.append(frame) }
        }
        require(frames == stream.frames(limit: limit), "the stream was cut into \(frames)")
        for case .message(let frame) in frames { CallCheck.shared.check(frame) }
    }
}

/// Reads calls in both ways.
private final class CallCheck: Sendable {
    static let shared = CallCheck()

    private let catcher = Catcher()
    private let decoder: CallDecoder
    private let general: JSONDecoder
    private let slot: ReplySlot

    private init() {
        let catalog = MethodCatalog([catcher.interface()])
        decoder = CallDecoder(catalog: catalog)
        let general = JSONDecoder()
        if let key = CallEnvelope.catalogKey { general.userInfo[key] = catalog }
        self.general = general
        let channel = EmbeddedChannel()
        let service = Connection.Service(
            decoder: decoder, format: ReplyFormat(), limits: .init(), admission: Admission(),
            watch: ConnectionWatch(channel.eventLoop), logger: Logger(label: "fuzz"),
            longCalls: DispatchQueue(label: "fuzz"), ended: { _ in })
        let peer = Peer(uid: 1, gid: 1, pid: 1)
        slot = ReplySlot(
            connection: Connection(channel: channel, peer: peer, service: service),
            ticket: ReplyQueue.Ticket(sequence: nil, cost: 0))
    }

    func check(_ frame: ByteBuffer) {
        let bytes = frame.withUnsafeReadableBytes { Data($0) }
        let general = try? general.decode(CallEnvelope.self, from: bytes)
        let read: CallEnvelope?
        do throws(ErrorReply) {
            read = try decoder.decode(frame)
        } catch {
            require(error.error is ServiceError.InvalidParameter, "a call was refused with \(error)")
            read = nil
        }
        guard let read, let general else {
            return require(read == nil && general == nil, "only one way reads the call")
        }
        require(areSame(read.method, general.method), "the method is \(read.method) or \(general.method)")
        var isOneway = read.isOneway
        if isPlanted("quick-drops-oneway"), !bytes.contains(UInt8(ascii: "\\")) { isOneway = false }
        require(isOneway == general.isOneway, "the call is oneway or not")
        require(read.wantsMore == general.wantsMore, "the call wants more or not")
        switch (read.action, general.action) {
        case (.refuse(let left), .refuse(let right)):
            // Of two mistakes either may be named.
            require(
                left.name == right.name
                    && (left.error is ServiceError.InvalidParameter
                        || encode(left.error) == encode(right.error)),
                "\(left) \(right)")
        case (.run(.async), .run(.async)): break
        case (.run(.deferred(let left)), .run(.deferred(let right))):
            let (left, right) = (inputs(left), inputs(right))
            require(left.elementsEqual(right, by: areSame(_:_:)), "the inputs are \(left) or \(right)")
            let again = decode(
                BookingsInterface.CreateMany.self, encode(BookingsInterface.CreateMany(inputs: left)))
            require(
                again?.inputs.elementsEqual(left, by: areSame(_:_:)) ?? false,
                "the inputs \(left) become others when they are sent on")
        default: fail("the call is run in one way only")
        }
    }

    private func inputs(
        _ body: @Sendable (CallContext, ReplySlot) -> Void
    ) -> [CreateBookingInput] {
        body(CallContext(peer: slot.connection.peer, method: ""), slot)
        return require(catcher.take(), "the handler was not called")
    }
}

/// The methods that are read quickly, which only note what they were called with.
private final class Catcher: Sendable {
    private let inputs = Mutex<[CreateBookingInput]?>(nil)

    func take() -> [CreateBookingInput]? {
        inputs.withLock { inputs in
            defer { inputs = nil }
            return inputs
        }
    }

    func interface() -> Interface {
        do {
            return try Interface(
                description: BookingsInterface.description,
                methods: [
                    .deferred("CreateApartmentBooking", quickly: BookingsInterface.Create.init(quickly:)) {
                        [self] (call: BookingsInterface.Create, _, _: Reply<BookingsInterface.Created>) in
                        inputs.withLock { $0 = [call.input] }
                    },
                    .deferred("CreateApartmentBookings", quickly: BookingsInterface.CreateMany.init(quickly:))
                    {
                        [self]
                        (call: BookingsInterface.CreateMany, _, _: Reply<BookingsInterface.CreatedMany>) in
                        inputs.withLock { $0 = call.inputs }
                    },
                    Method("GetBooking") { (_: BookingsInterface.ByID, _) throws(ErrorReply) in NoParameters()
                    },
                    .streaming("AwaitBooking", requiresMore: true) {
                        (_: BookingsInterface.ByID, _, _: ReplyStream<NoParameters>) throws(ErrorReply) in
                        NoParameters()
                    },
                ])
        } catch {
            fail("\(error)")
        }
    }
}
