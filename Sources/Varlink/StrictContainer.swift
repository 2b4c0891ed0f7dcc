/// A parameter that the type being decoded doesn't know. The server answers it with `InvalidParameter`.
public struct UnknownParameter: Error, Sendable {
    /// The parameter's own name.
    public let name: String
    /// Where it is, from the call's parameters down, for example `input.colour`.
    public let path: String
}

extension UnknownParameter: CustomStringConvertible {
    /// A full sentence.
    public var description: String { "The parameter \(path) is unknown." }
}

extension Decoder {
    /// A keyed container that refuses keys that are no case of `K`.
    ///
    /// Varlink lets a service ignore what it doesn't know; a mistyped optional parameter would then be lost
    /// in silence, so types that describe parameters decode themselves through this instead.
    /// - Throws: ``UnknownParameter``, or what `container(keyedBy:)` throws.
    public func strictContainer<K: CodingKey & CaseIterable>(
        keyedBy: K.Type
    ) throws -> KeyedDecodingContainer<K> {
        for key in try container(keyedBy: AnyCodingKey.self).allKeys
        where K(stringValue: key.stringValue) == nil {
            throw UnknownParameter(
                name: key.stringValue, path: ParameterPath.text(codingPath + [key as any CodingKey]))
        }
        return try container(keyedBy: K.self)
    }
}

/// The parameters of a method that takes none, and the reply of one that returns none; encodes as `{}`.
public struct NoParameters: Codable, Sendable, Hashable {
    /// Creates the value.
    public init() {}

    private enum CodingKeys: CodingKey, CaseIterable {}

    /// Decodes an empty object; any parameter is refused with ``UnknownParameter``.
    public init(from decoder: any Decoder) throws {
        _ = try decoder.strictContainer(keyedBy: CodingKeys.self)
    }

    /// Encodes an empty object.
    public func encode(to encoder: any Encoder) throws {
        _ = encoder.container(keyedBy: CodingKeys.self)
    }
}
