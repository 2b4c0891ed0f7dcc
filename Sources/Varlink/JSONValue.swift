/// Any JSON value, for parameters whose type is Varlink's `object` or isn't known.
public enum JSONValue: Sendable, Hashable {
    /// An object.
    case object([String: JSONValue])
    /// An array.
    case array([JSONValue])
    /// A string.
    case string(String)
    /// A number without a fraction that fits 64 bits.
    case integer(Int64)
    /// Any other number.
    case number(Double)
    /// true or false.
    case bool(Bool)
    /// null.
    case null
}

extension JSONValue: Codable {
    /// How deep values may be nested. Foundation's decoder takes 512 levels, in a time that grows with the third power
    /// of the depth: a few hundred bytes would take a second.
    static let maximumDepth = 64

    /// Decodes whatever is there, up to 64 levels deep.
    public init(from decoder: any Decoder) throws {
        let path = decoder.codingPath
        guard path.count <= Self.maximumDepth else {
            throw DecodingError.dataCorrupted(.init(codingPath: path, debugDescription: "nested too deeply"))
        }
        // The shape is asked for first: a container of the wrong kind is refused at once, so nothing is
        // decoded twice.
        if let fields = try? decoder.container(keyedBy: AnyCodingKey.self) {
            var object: [String: JSONValue] = [:]
            for key in fields.allKeys {
                object[key.stringValue] = try fields.decode(JSONValue.self, forKey: key)
            }
            self = .object(object)
            return
        }
        if var elements = try? decoder.unkeyedContainer() {
            var array: [JSONValue] = []
            while !elements.isAtEnd {
                array.append(try elements.decode(JSONValue.self))
            }
            self = .array(array)
            return
        }
        let value = try decoder.singleValueContainer()
        if value.decodeNil() {
            self = .null
        } else if let bool = try? value.decode(Bool.self) {
            self = .bool(bool)
        } else if let integer = try? value.decode(Int64.self) {
            self = .integer(integer)
        } else if let number = try? value.decode(Double.self) {
            self = .number(number)
        } else {
            self = .string(try value.decode(String.self))
        }
    }

    /// Encodes the value. A `number` that isn't finite can't be encoded as JSON.
    public func encode(to encoder: any Encoder) throws {
        switch self {
        case .object(let object):
            var fields = encoder.container(keyedBy: AnyCodingKey.self)
            for (name, value) in object {
                try fields.encode(value, forKey: AnyCodingKey(name))
            }
        case .array(let array):
            var elements = encoder.unkeyedContainer()
            for value in array {
                try elements.encode(value)
            }
        case .string(let value): try encode(value, to: encoder)
        case .integer(let value): try encode(value, to: encoder)
        case .number(let value): try encode(value, to: encoder)
        case .bool(let value): try encode(value, to: encoder)
        case .null:
            var container = encoder.singleValueContainer()
            try container.encodeNil()
        }
    }

    private func encode(_ value: some Encodable, to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(value)
    }
}

/// A key that takes any name.
struct AnyCodingKey: CodingKey {
    let stringValue: String
    let intValue: Int? = nil

    init(_ name: String) { stringValue = name }
    init?(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
}
