/// What is wrong with an interface description, or with the methods given for it.
public enum InterfaceDescriptionError: Error, Sendable, Hashable {
    /// The text isn't Varlink IDL: at this line (from 1), this was expected.
    case syntax(line: Int, expected: String)
    /// Types nest deeper than ``maximumDepth``.
    case tooDeep(line: Int)
    /// The same name is declared twice.
    case duplicate(name: String)
    /// A type is used and not declared.
    case undeclaredType(name: String)
    /// A method is given that the description doesn't declare.
    case undeclaredMethod(interface: String, method: String)
    /// A method is given twice.
    case methodGivenTwice(interface: String, method: String)

    /// How deeply types may nest.
    public static let maximumDepth = 64
}

extension InterfaceDescriptionError: CustomStringConvertible {
    /// A full sentence.
    public var description: String {
        switch self {
        case .syntax(let line, let expected):
            "Line \(line) of the interface description is wrong: expected \(expected)."
        case .tooDeep(let line):
            "Line \(line) of the interface description nests types deeper than \(Self.maximumDepth)."
        case .duplicate(let name):
            "The interface description declares \(name) twice."
        case .undeclaredType(let name):
            "The interface description uses the type \(name) and doesn't declare it."
        case .undeclaredMethod(let interface, let method):
            "The description of \(interface) doesn't declare the method \(method)."
        case .methodGivenTwice(let interface, let method):
            "The method \(method) of \(interface) is given twice."
        }
    }
}
