internal import FoundationEssentials

/// An error that a service replied with.
public struct RemoteError: Error, Sendable, Hashable {
    /// The error's full name.
    public let name: String
    /// Its parameters, if it has any.
    public let parameters: JSONValue?

    /// Creates an error, for tests.
    public init(name: String, parameters: JSONValue? = nil) {
        self.name = name
        self.parameters = parameters
    }

    /// The parameters as a `T`; nil when they are none, or when `T` is a ``VarlinkError`` of another name.
    public func decode<T: Decodable>(_ type: T.Type) -> T? {
        if let type = type as? any VarlinkError.Type, type.errorName != name { return nil }
        guard let bytes = try? JSONEncoder().encode(parameters ?? .object([:])) else { return nil }
        return try? JSONDecoder().decode(T.self, from: bytes)
    }
}

extension RemoteError: CustomStringConvertible {
    /// A full sentence with the parameters as JSON.
    public var description: String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        guard let parameters, let bytes = try? encoder.encode(parameters) else {
            return "The service replied with the error \(name)."
        }
        return "The service replied with the error \(name) \(String(decoding: bytes, as: UTF8.self))."
    }
}
