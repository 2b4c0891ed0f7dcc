internal import NIOCore

/// A call that is sent, and whose reply nobody has taken yet.
public struct PendingReply: Sendable {
    private let mailbox: ReplyMailbox

    init(_ mailbox: ReplyMailbox) {
        self.mailbox = mailbox
    }

    /// Waits for the reply. To be called once.
    /// - Parameter read: Reads the reply's parameters where they have their common form; where it returns nil, a
    ///   general decoder reads all of them.
    public func take<R: Decodable & Sendable>(
        quickly read: (inout JSONCursor) -> R?
    ) async throws(ClientError) -> R {
        let frame = try await mailbox.next()
        if let parameters = frame.withUnsafeReadableBytes({ Self.parameters($0, read) }) { return parameters }
        switch try ReplyMessage<R>.decode(frame).result {
        case .success(let parameters): return parameters
        case .failure(let error): throw .remote(error)
        }
    }

    /// The parameters of a reply that is no error.
    private static func parameters<R>(
        _ bytes: UnsafeRawBufferPointer, _ read: (inout JSONCursor) -> R?
    ) -> R? {
        var cursor = JSONCursor(bytes)
        var parameters: R?
        let isRead = cursor.readObject { key, cursor in
            guard case "parameters" = key, parameters == nil else { return false }
            parameters = read(&cursor)
            return parameters != nil
        }
        return isRead && cursor.isAtEnd ? parameters : nil
    }
}
