/// An interface description in the Varlink IDL (https://varlink.org/Interface-Definition), parsed.
public struct InterfaceDescription: Sendable, Hashable {
    /// The interface's name.
    public let name: String
    /// The comment above the interface, without `#`; empty when there is none.
    public let documentation: String
    /// The types it declares, in their order.
    public let types: [TypeDeclaration]
    /// The methods it declares, in their order.
    public let methods: [MethodDeclaration]
    /// The errors it declares, in their order.
    public let errors: [ErrorDeclaration]

    /// A `type`.
    public struct TypeDeclaration: Sendable, Hashable {
        /// Its name.
        public let name: String
        /// A structure or an enumeration.
        public let type: ValueType
        /// The comment above it.
        public let documentation: String
    }

    /// A `method`.
    public struct MethodDeclaration: Sendable, Hashable {
        /// Its name, without the interface.
        public let name: String
        /// Its parameters.
        public let parameters: [Field]
        /// Its reply's parameters.
        public let reply: [Field]
        /// The comment above it.
        public let documentation: String
    }

    /// An `error`.
    public struct ErrorDeclaration: Sendable, Hashable {
        /// Its name, without the interface.
        public let name: String
        /// Its parameters.
        public let parameters: [Field]
        /// The comment above it.
        public let documentation: String
    }

    /// A named member of a structure.
    public struct Field: Sendable, Hashable {
        /// Its name.
        public let name: String
        /// Its type.
        public let type: ValueType

        /// Creates a field, to compare with.
        public init(name: String, type: ValueType) {
            self.name = name
            self.type = type
        }
    }

    /// The type of a field.
    public indirect enum ValueType: Sendable, Hashable {
        /// `bool`.
        case bool
        /// `int`.
        case int
        /// `float`.
        case float
        /// `string`.
        case string
        /// `object`: any JSON object.
        case object
        /// `any`: any JSON value (an extension of systemd's).
        case any
        /// A type declared in the same interface.
        case named(String)
        /// `?T`.
        case optional(ValueType)
        /// `[]T`.
        case array(ValueType)
        /// `[string]T`.
        case map(ValueType)
        /// `(name: T, …)`.
        case structure([Field])
        /// `(NAME, …)`.
        case enumeration([String])
    }

    /// Parses `text`.
    /// - Throws: where `text` isn't Varlink IDL, declares a name twice, or uses a type that it doesn't declare.
    public init(_ text: String) throws(InterfaceDescriptionError) {
        var parser = InterfaceDescriptionParser(text)
        let parsed = try parser.interface()
        name = parsed.name
        documentation = parsed.documentation
        types = parsed.types
        methods = parsed.methods
        errors = parsed.errors
    }
}
