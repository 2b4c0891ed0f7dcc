/// An interface as a server serves it: its description and its methods.
public struct Interface: Sendable {
    /// The interface's name, taken from the description.
    public let name: String
    /// The description, word for word as `GetInterfaceDescription` returns it.
    public let description: String
    /// The given methods by name; nil for those that are declared and not given.
    let methods: [String: Method?]

    /// Creates an interface. A method that the description declares and that isn't given is answered with
    /// `MethodNotImplemented`.
    /// - Throws: when the description has errors, or a method isn't declared by it or given twice.
    public init(description: String, methods: [Method]) throws(InterfaceDescriptionError) {
        let parsed = try InterfaceDescription(description)
        self.description = description
        name = parsed.name
        var table: [String: Method?] = [:]
        for declaration in parsed.methods {
            table.updateValue(nil, forKey: declaration.name)
        }
        for method in methods {
            switch table[method.name] {
            case .none: throw .undeclaredMethod(interface: parsed.name, method: method.name)
            case .some(.some): throw .methodGivenTwice(interface: parsed.name, method: method.name)
            case .some(.none): table.updateValue(method, forKey: method.name)
            }
        }
        self.methods = table
    }
}
