internal import FoundationEssentials
internal import NIOCore

/// A method of an interface: its name and what it does.
///
/// A handler runs on the event loop of its connection: it may suspend for as long as it likes, but must not
/// block the thread. Calls of one connection are started in the order in which they arrived, and a
/// handler's part before its first suspension runs in that order too; from there on they run concurrently.
/// They are answered in the order in which they arrived. A handler is cancelled when its peer is gone,
/// except that of a oneway call, whose peer needn't stay; it may ignore that.
public struct Method: Sendable {
    /// Runs a call and returns its last reply, encoded.
    typealias AsyncBody = @Sendable (CallContext, ReplySlot) async throws -> ByteBuffer

    /// How a call is run.
    enum Body: Sendable {
        case async(AsyncBody)
        /// Returns at once; the reply comes later, from any thread.
        case deferred(@Sendable (CallContext, ReplySlot) -> Void)
    }

    /// The name, without the interface.
    public let name: String
    /// Whether the method can only be called with `more`.
    let requiresMore: Bool
    /// Decodes the parameters of a call, and returns what is to be run with them.
    let prepare: @Sendable (KeyedDecodingContainer<CallEnvelope.Member>) throws(ErrorReply) -> Body
    /// Reads the parameters of a call where they have the common form.
    let prepareQuickly: (@Sendable (inout JSONCursor) -> Body?)?

    /// A method with one reply.
    /// - Parameters:
    ///   - name: The name, without the interface.
    ///   - handler: Takes the parameters and returns the reply's. Both must be coded as JSON objects.
    public init<P: Decodable & Sendable, R: Encodable & Sendable>(
        _ name: String,
        handler: @escaping @Sendable (P, CallContext) async throws(ErrorReply) -> R
    ) {
        self.name = name
        requiresMore = false
        prepare = { members throws(ErrorReply) in
            let parameters = try Self.parameters(P.self, of: members)
            return .async { context, slot in
                try slot.format.last(try await handler(parameters, context))
            }
        }
        prepareQuickly = nil
    }

    private init(
        name: String, requiresMore: Bool,
        prepare: @escaping @Sendable (KeyedDecodingContainer<CallEnvelope.Member>) throws(ErrorReply) -> Body,
        prepareQuickly: (@Sendable (inout JSONCursor) -> Body?)? = nil
    ) {
        self.name = name
        self.requiresMore = requiresMore
        self.prepare = prepare
        self.prepareQuickly = prepareQuickly
    }

    /// A method with one reply that is given later, without a task a call: for what is called most.
    /// - Parameters:
    ///   - name: The name, without the interface.
    ///   - quickly: Reads parameters that have their common form without a general decoder; nil for any other
    ///     form, which is then left to that.
    ///   - handler: Takes the parameters, must not block, and sees to it that the reply is sent exactly once.
    public static func deferred<P: Decodable & Sendable, R: Encodable & Sendable>(
        _ name: String, quickly: (@Sendable (inout JSONCursor) -> P?)? = nil,
        handler: @escaping @Sendable (P, CallContext, Reply<R>) -> Void
    ) -> Method {
        let body = { @Sendable (parameters: P) in
            Body.deferred { context, slot in handler(parameters, context, Reply(slot: slot)) }
        }
        return Method(
            name: name, requiresMore: false,
            prepare: { members throws(ErrorReply) in body(try Self.parameters(P.self, of: members)) },
            prepareQuickly: quickly.map { quickly in
                { @Sendable (cursor: inout JSONCursor) in quickly(&cursor).map(body) }
            })
    }

    /// A method that can reply many times to a caller who asks for `more`.
    /// - Parameters:
    ///   - name: The name, without the interface.
    ///   - requiresMore: Whether a call without `more` is answered with `ExpectedMore`.
    ///   - handler: Sends all replies but the last through the stream, and returns the last.
    public static func streaming<P: Decodable & Sendable, R: Encodable & Sendable>(
        _ name: String,
        requiresMore: Bool = false,
        handler: @escaping @Sendable (P, CallContext, ReplyStream<R>) async throws(ErrorReply) -> R
    ) -> Method {
        Method(name: name, requiresMore: requiresMore) { members throws(ErrorReply) in
            let parameters = try Self.parameters(P.self, of: members)
            return .async { context, slot in
                let replies = ReplyStream<R>(slot: slot, wantsMore: context.wantsMore && !context.isOneway)
                return try slot.format.last(try await handler(parameters, context, replies))
            }
        }
    }

    /// A streaming method whose handler encodes its replies itself, on a thread of its own: for long ones, whose
    /// encoding would hold up the other connections of the event loop.
    /// - Parameters:
    ///   - name: The name, without the interface.
    ///   - handler: Sends all replies but the last through the stream, and returns the last; each a JSON object.
    public static func streamingEncoded<P: Decodable & Sendable>(
        _ name: String,
        handler: @escaping @Sendable (P, CallContext, EncodedReplyStream) async throws(ErrorReply) -> [UInt8]
    ) -> Method {
        Method(name: name, requiresMore: false) { members throws(ErrorReply) in
            let parameters = try Self.parameters(P.self, of: members)
            return .async { context, slot in
                let replies = EncodedReplyStream(
                    slot: slot, wantsMore: context.wantsMore && !context.isOneway)
                return slot.format.last(encoded: try await handler(parameters, context, replies))
            }
        }
    }

    private static func parameters<P: Decodable>(
        _ type: P.Type, of members: KeyedDecodingContainer<CallEnvelope.Member>
    ) throws(ErrorReply) -> P {
        do {
            if let parameters = try members.decodeIfPresent(P.self, forKey: .parameters) {
                return parameters
            }
            // Absent and null both mean no parameters; let the type say which of its own it misses.
            return try JSONDecoder().decode(P.self, from: Data("{}".utf8))
        } catch {
            throw ErrorReply(ServiceError.InvalidParameter(parameter: ParameterPath.text(of: error)))
        }
    }
}
