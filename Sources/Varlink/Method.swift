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
    typealias Body = @Sendable (CallContext, ReplySlot) async throws -> ByteBuffer

    /// The name, without the interface.
    public let name: String
    /// Whether the method can only be called with `more`.
    let requiresMore: Bool
    /// Decodes the parameters of a call, and returns what is to be run with them.
    let prepare: @Sendable (KeyedDecodingContainer<CallEnvelope.Member>) throws(ErrorReply) -> Body

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
            return { context, slot in
                try slot.format.last(try await handler(parameters, context))
            }
        }
    }

    private init(
        name: String, requiresMore: Bool,
        prepare: @escaping @Sendable (KeyedDecodingContainer<CallEnvelope.Member>) throws(ErrorReply) -> Body
    ) {
        self.name = name
        self.requiresMore = requiresMore
        self.prepare = prepare
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
            return { context, slot in
                let replies = ReplyStream<R>(slot: slot, wantsMore: context.wantsMore && !context.isOneway)
                return try slot.format.last(try await handler(parameters, context, replies))
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
