/// An error that goes over the wire: ``errorName`` is its full name, the encoded value its parameters.
public protocol VarlinkError: Error, Encodable, Sendable {
    /// The full name, interface included, for example `org.varlink.service.MethodNotFound`.
    static var errorName: String { get }
}

/// Any ``VarlinkError``, erased: the only thing a method's handler may throw.
public struct ErrorReply: Error, Sendable {
    /// The error itself.
    public let error: any VarlinkError

    /// Wraps `error`.
    public init(_ error: some VarlinkError) {
        self.error = error
    }

    /// The error's full name, as it is sent.
    public var name: String { type(of: error).errorName }

    /// The error's parameters: the value that is encoded.
    public var parameters: any Encodable & Sendable { error }
}

extension ErrorReply: CustomStringConvertible {
    /// The error's name and its fields, for a log.
    public var description: String { "The call was answered with the error \(name): \(error)." }
}
