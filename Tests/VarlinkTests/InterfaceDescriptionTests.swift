import Testing
import Varlink

@Suite("Parsing interface descriptions") struct InterfaceDescriptionTests {
    @Test("Every construct of the language is understood")
    func everything() throws {
        let parsed = try InterfaceDescription(
            """
            # First line.
            # Second line.
            interface org.exa-mple.a2

            # A status.
            type Status (PENDING, DONE)
            type Thing (
              id: string, # trailing comments are fine
              flags: ?[]bool,
              table: [string]?int,
              nested: (x: float, kind: (A, B), more: ?(y: object)),
              deep: [][string][]Thing,
              status: Status,
              whatever: any
            )

            # Not about Do.

            method Do(thing: ?Thing)->(ok: bool)
            # About Stop.
            method Stop() -> ()
            error Broken (why: string)
            error Gone
            """)
        #expect(parsed.name == "org.exa-mple.a2")
        #expect(parsed.documentation == "First line.\nSecond line.")
        #expect(parsed.types.map(\.name) == ["Status", "Thing"])
        #expect(parsed.types[0].type == .enumeration(["PENDING", "DONE"]))
        #expect(parsed.types[0].documentation == "A status.")
        guard case .structure(let fields) = parsed.types[1].type else {
            return #expect(Bool(false), "Thing is no structure")
        }
        #expect(
            fields == [
                .init(name: "id", type: .string),
                .init(name: "flags", type: .optional(.array(.bool))),
                .init(name: "table", type: .map(.optional(.int))),
                .init(
                    name: "nested",
                    type: .structure([
                        .init(name: "x", type: .float), .init(name: "kind", type: .enumeration(["A", "B"])),
                        .init(name: "more", type: .optional(.structure([.init(name: "y", type: .object)]))),
                    ])),
                .init(name: "deep", type: .array(.map(.array(.named("Thing"))))),
                .init(name: "status", type: .named("Status")),
                .init(name: "whatever", type: .any),
            ])
        #expect(parsed.methods.map(\.name) == ["Do", "Stop"])
        #expect(parsed.methods[0].parameters == [.init(name: "thing", type: .optional(.named("Thing")))])
        #expect(parsed.methods[0].reply == [.init(name: "ok", type: .bool)])
        #expect(parsed.methods[0].documentation.isEmpty)
        #expect(parsed.methods[1].documentation == "About Stop.")
        #expect(parsed.errors.map(\.name) == ["Broken", "Gone"])
        #expect(parsed.errors[0].parameters == [.init(name: "why", type: .string)])
    }

    @Test("The description of org.varlink.service declares the standard errors and methods")
    func standard() throws {
        let parsed = try InterfaceDescription(ServiceInterface.description)
        #expect(parsed.name == "org.varlink.service")
        #expect(parsed.methods.map(\.name) == ["GetInfo", "GetInterfaceDescription"])
        let errors: [any VarlinkError.Type] = [
            ServiceError.InterfaceNotFound.self, ServiceError.MethodNotFound.self,
            ServiceError.MethodNotImplemented.self, ServiceError.InvalidParameter.self,
            ServiceError.PermissionDenied.self, ServiceError.ExpectedMore.self,
        ]
        #expect(
            Set(parsed.errors.map { "org.varlink.service.\($0.name)" }) == Set(errors.map { $0.errorName }))
    }

    @Test(
        "What isn't the language is refused with its line",
        arguments: [
            ("", 1), ("interface", 1), ("interface foo", 1), ("interface .a.b", 1), ("interface a..b", 1),
            ("interface a.b-", 1), ("interface 1.b", 1), ("interface a.b\nfoo", 2),
            ("interface a.b\ntype lower ()", 2), ("interface a.b\n\nmethod M()", 3),
            ("interface a.b\nmethod M() - > ()", 2), ("interface a.b\nmethod M(A, B) -> ()", 2),
            ("interface a.b\ntype T (a: int", 2), ("interface a.b\ntype T (a: int,)", 2),
            ("interface a.b\ntype T (a: int, B)", 2), ("interface a.b\ntype T (A, b: int)", 2),
            ("interface a.b\ntype T (a: ??int)", 2), ("interface a.b\ntype T (a: [int]int)", 2),
            ("interface a.b\ntype T (a_: int)", 2), ("interface a.b\ntype T (a__b: int)", 2),
            ("interface a.b\ntype T (a: )", 2), ("interface a.b\ntype T (ä: int)", 2),
            ("interface a.b\ntype T (a: integer)", 2),
        ])
    func refused(text: String, line: Int) {
        let error = #expect(throws: InterfaceDescriptionError.self) { try InterfaceDescription(text) }
        guard case .syntax(line, _) = error else {
            return #expect(Bool(false), "\(String(describing: error))")
        }
    }

    @Test("Names declared twice and types declared nowhere are refused")
    func names() {
        #expect(throws: InterfaceDescriptionError.duplicate(name: "T")) {
            try InterfaceDescription("interface a.b\ntype T ()\nerror T ()")
        }
        #expect(throws: InterfaceDescriptionError.duplicate(name: "x")) {
            try InterfaceDescription("interface a.b\ntype T (x: int, x: int)")
        }
        #expect(throws: InterfaceDescriptionError.undeclaredType(name: "U")) {
            try InterfaceDescription("interface a.b\ntype T (x: []U)")
        }
    }

    @Test(
        "Nesting is bounded, however it is made",
        arguments: ["[]", "(a: ", "[string]", "?[]"])
    func depth(unit: String) {
        #expect(throws: InterfaceDescriptionError.tooDeep(line: 2)) {
            try InterfaceDescription("interface a.b\ntype T (x: \(String(repeating: unit, count: 100_000))")
        }
    }

    @Test("An interface's methods are held against its description")
    func methods() throws {
        let method = Method("M") { (_: NoParameters, _) async throws(ErrorReply) -> NoParameters in .init() }
        let text = "interface a.b\nmethod M() -> ()\nmethod N() -> ()"
        #expect(try Interface(description: text, methods: [method]).name == "a.b")
        #expect(try Interface(description: text, methods: [method]).description == text)
        #expect(throws: InterfaceDescriptionError.methodGivenTwice(interface: "a.b", method: "M")) {
            try Interface(description: text, methods: [method, method])
        }
        #expect(throws: InterfaceDescriptionError.undeclaredMethod(interface: "a.c", method: "M")) {
            try Interface(description: "interface a.c", methods: [method])
        }
    }
}
