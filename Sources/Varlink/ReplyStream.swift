/// The replies before the last one of a call with `more`.
public struct ReplyStream<R: Encodable & Sendable>: Sendable {
    let slot: ReplySlot
    let wantsMore: Bool

    /// Sends one reply, marked `continues`. Suspends until earlier calls of the connection are answered and
    /// the reply has been handed to the kernel, so a handler is as fast as its peer reads.
    ///
    /// Where the caller didn't ask for more, nothing is sent and the result is true: the handler goes on to
    /// its last reply.
    /// - Returns: false once the peer is gone (the handler's task is then cancelled too) or the reply can't
    ///   be encoded, which ends the connection: what the handler still sends or returns goes nowhere.
    @discardableResult
    public func send(_ reply: R) async -> Bool {
        guard wantsMore else { return true }
        do {
            return await slot.send(try slot.format.continuing(reply))
        } catch {
            slot.failed(error)
            return false
        }
    }
}

/// The replies before the last one of a call with `more`, encoded by the handler.
public struct EncodedReplyStream: Sendable {
    let slot: ReplySlot
    let wantsMore: Bool

    /// Sends one reply as ``ReplyStream/send(_:)`` does.
    ///
    /// - Parameter parameters: a JSON object.
    @discardableResult
    public func send(_ parameters: [UInt8]) async -> Bool {
        guard wantsMore else { return true }
        return await slot.send(slot.format.continuing(encoded: parameters))
    }
}
