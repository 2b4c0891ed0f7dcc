/// A recursive-descent parser of the Varlink IDL; its depth is bounded.
struct InterfaceDescriptionParser {
    typealias Field = InterfaceDescription.Field
    typealias ValueType = InterfaceDescription.ValueType

    struct Parsed {
        var name = ""
        var documentation = ""
        var types: [InterfaceDescription.TypeDeclaration] = []
        var methods: [InterfaceDescription.MethodDeclaration] = []
        var errors: [InterfaceDescription.ErrorDeclaration] = []
    }

    private var scanner: InterfaceDescriptionScanner
    private var token: InterfaceDescriptionScanner.Token
    private var tokenLine: Int
    private var comment: [String]
    private var usedTypes: [String] = []

    init(_ text: String) {
        scanner = InterfaceDescriptionScanner(text)
        token = scanner.next()
        tokenLine = scanner.line
        comment = scanner.comment
    }

    mutating func interface() throws(InterfaceDescriptionError) -> Parsed {
        var parsed = Parsed()
        parsed.documentation = comment.joined(separator: "\n")
        try keyword("interface")
        parsed.name = try name("an interface name", where: InterfaceDescriptionNames.isInterface)
        var declared: Set<String> = []
        while token != .end {
            let documentation = comment.joined(separator: "\n")
            guard case .word(let kind) = token, ["type", "method", "error"].contains(kind) else {
                throw expected("type, method or error")
            }
            advance()
            let name = try name(
                "a name that begins with a capital", where: InterfaceDescriptionNames.isMember)
            guard declared.insert(name).inserted else { throw .duplicate(name: name) }
            switch kind {
            case "type":
                let type = try compound(depth: 0)
                parsed.types.append(.init(name: name, type: type, documentation: documentation))
            case "method":
                let parameters = try fields()
                guard token == .arrow else { throw expected("->") }
                advance()
                let reply = try fields()
                parsed.methods.append(
                    .init(name: name, parameters: parameters, reply: reply, documentation: documentation))
            default:
                // systemd writes errors without parameters with and without the parentheses.
                let parameters = token == .punctuation("(") ? try fields() : []
                parsed.errors.append(.init(name: name, parameters: parameters, documentation: documentation))
            }
        }
        let types = Set(parsed.types.map(\.name))
        if let missing = usedTypes.first(where: { !types.contains($0) }) {
            throw .undeclaredType(name: missing)
        }
        return parsed
    }

    private mutating func fields() throws(InterfaceDescriptionError) -> [Field] {
        let line = tokenLine
        guard case .structure(let fields) = try compound(depth: 0) else {
            throw .syntax(line: line, expected: "fields with types")
        }
        return fields
    }

    /// `( … )`: a structure when its first name is followed by a colon, otherwise an enumeration.
    private mutating func compound(depth: Int) throws(InterfaceDescriptionError) -> ValueType {
        guard depth < InterfaceDescriptionError.maximumDepth else { throw .tooDeep(line: tokenLine) }
        try punctuation("(")
        if token == .punctuation(")") {
            advance()
            return .structure([])
        }
        var fields: [Field] = []
        var cases: [String] = []
        var seen: Set<String> = []
        while true {
            let name = try name("a field name", where: InterfaceDescriptionNames.isField)
            guard seen.insert(name).inserted else { throw .duplicate(name: name) }
            if cases.isEmpty, token == .punctuation(":") {
                advance()
                fields.append(Field(name: name, type: try type(depth: depth + 1)))
            } else if fields.isEmpty {
                cases.append(name)
            } else {
                throw expected(":")
            }
            if token == .punctuation(")") { break }
            guard token == .punctuation(",") else { throw expected(", or )") }
            advance()
        }
        advance()
        return fields.isEmpty ? .enumeration(cases) : .structure(fields)
    }

    private mutating func type(
        depth: Int, mayBeOptional: Bool = true
    ) throws(InterfaceDescriptionError) -> ValueType {
        guard depth < InterfaceDescriptionError.maximumDepth else { throw .tooDeep(line: tokenLine) }
        switch token {
        case .punctuation("?") where mayBeOptional:
            advance()
            return .optional(try type(depth: depth + 1, mayBeOptional: false))
        case .punctuation("["):
            advance()
            if token == .word("string") {
                advance()
                try punctuation("]")
                return .map(try type(depth: depth + 1))
            }
            try punctuation("]")
            return .array(try type(depth: depth + 1))
        case .punctuation("("):
            return try compound(depth: depth)
        case .word(let word):
            if let builtIn = Self.builtIns[word] {
                advance()
                return builtIn
            }
            let name = try name("a type", where: InterfaceDescriptionNames.isMember)
            usedTypes.append(name)
            return .named(name)
        default:
            throw expected("a type")
        }
    }

    private static let builtIns: [String: ValueType] = [
        "bool": .bool, "int": .int, "float": .float, "string": .string, "object": .object, "any": .any,
    ]

    private mutating func advance() {
        token = scanner.next()
        tokenLine = scanner.line
        comment = scanner.comment
    }

    private func expected(_ what: String) -> InterfaceDescriptionError {
        .syntax(line: tokenLine, expected: what)
    }

    private mutating func keyword(_ word: String) throws(InterfaceDescriptionError) {
        guard token == .word(word) else { throw expected(word) }
        advance()
    }

    private mutating func punctuation(_ character: Character) throws(InterfaceDescriptionError) {
        guard token == .punctuation(character) else { throw expected(String(character)) }
        advance()
    }

    private mutating func name(
        _ what: String, where isValid: (String) -> Bool
    ) throws(InterfaceDescriptionError) -> String {
        guard case .word(let word) = token, isValid(word) else { throw expected(what) }
        advance()
        return word
    }
}
