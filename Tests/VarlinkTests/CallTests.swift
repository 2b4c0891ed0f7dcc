import FoundationEssentials
import Glibc
import Testing

@testable import Varlink

@Suite("Answering calls", .timeLimit(.minutes(2))) struct CallTests {
    /// What a reply says, whatever the order of its members.
    private func json(_ text: String?) throws -> JSONValue {
        try JSONDecoder().decode(JSONValue.self, from: Data((text ?? "nothing").utf8))
    }

    private func error(_ name: String, _ parameters: [String: JSONValue] = [:]) -> JSONValue {
        .object(["error": .string("org.varlink.service.\(name)"), "parameters": .object(parameters)])
    }

    @Test("A call is answered with the handler's result or error")
    func resultAndError() async throws {
        try await withService { _, path, _ in
            let peer = try RawPeer(path)
            #expect(
                try await peer.ask(message("Echo", #"{"text":"hé\u0000\n/"}"#))
                    == #"{"parameters":{"text":"hé\u0000\n/"}}"#)
            #expect(
                try await peer.ask(message("Nested", #"{"input":{"startDate":"x","count":null}}"#))
                    == #"{"parameters":{}}"#)
            #expect(
                try json(await peer.ask(message("Fail")))
                    == .object(["error": "org.example.test.Failed", "parameters": ["reason": "as asked"]]))
        }
    }

    @Test("A handler learns who calls")
    func credentials() async throws {
        try await withService { _, path, _ in
            let reply = try json(await RawPeer(path).ask(message("WhoAmI")))
            #expect(
                reply == ["parameters": ["uid": .integer(Int64(getuid())), "pid": .integer(Int64(getpid()))]])
        }
    }

    @Test(
        "Calls that can't be carried out get the standard error, and the connection goes on",
        arguments: [
            (
                #"{"method":"org.example.nothing.Echo"}"#, "InterfaceNotFound",
                ["interface": "org.example.nothing"]
            ),
            (#"{"method":"Echo"}"#, "InterfaceNotFound", ["interface": "Echo"]),
            (#"{"method":""}"#, "InterfaceNotFound", ["interface": ""]),
            (message("Nothing"), "MethodNotFound", ["method": "org.example.test.Nothing"]),
            (message("Missing"), "MethodNotImplemented", ["method": "org.example.test.Missing"]),
            (
                message("Echo", "{}", #","upgrade":true"#), "MethodNotImplemented",
                ["method": "org.example.test.Echo"]
            ),
            (message("MustStream"), "ExpectedMore", [:]),
            (message("Echo"), "InvalidParameter", ["parameter": "text"]),
            (message("Echo", "null"), "InvalidParameter", ["parameter": "text"]),
            (#"{"method":"org.example.test.Echo"}"#, "InvalidParameter", ["parameter": "text"]),
            (message("Echo", "3"), "InvalidParameter", ["parameter": "parameters"]),
            (message("Echo", "[]"), "InvalidParameter", ["parameter": "parameters"]),
            (message("Echo", #"{"text":3}"#), "InvalidParameter", ["parameter": "text"]),
            (message("Echo", #"{"text":null}"#), "InvalidParameter", ["parameter": "text"]),
            (message("Echo", #"{"text":"x","colour":1}"#), "InvalidParameter", ["parameter": "colour"]),
            (message("WhoAmI", #"{"x":1}"#), "InvalidParameter", ["parameter": "x"]),
            (message("Nested", #"{"input":{}}"#), "InvalidParameter", ["parameter": "input.startDate"]),
            (
                message("Nested", #"{"input":{"startDate":"x","colour":"red"}}"#), "InvalidParameter",
                ["parameter": "input.colour"]
            ),
            (
                message("Nested", #"{"input":{"startDate":"x","count":"1"}}"#), "InvalidParameter",
                ["parameter": "input.count"]
            ),
            (
                // Foundation doesn't tell where a number is that fits no Int.
                message("Nested", #"{"input":{"startDate":"x","count":1e999}}"#), "InvalidParameter",
                ["parameter": "parameters"]
            ),
            (
                message(
                    "Nested", #"{"input":{"startDate":"x"},"inputs":[{"startDate":"x"},{"startDate":1}]}"#),
                "InvalidParameter", ["parameter": "inputs[1].startDate"]
            ),
            (
                message("Nested", #"{"input":{"startDate":"x"},"inputs":[{"startDate":"x","y":1}]}"#),
                "InvalidParameter", ["parameter": "inputs[0].y"]
            ),
        ] as [(String, String, [String: JSONValue])])
    func standardErrors(call: String, name: String, parameters: [String: JSONValue]) async throws {
        try await withService { _, path, _ in
            let peer = try RawPeer(path)
            #expect(try json(await peer.ask(call)) == error(name, parameters))
            #expect(
                try await peer.ask(message("Echo", #"{"text":"after"}"#))
                    == #"{"parameters":{"text":"after"}}"#)
        }
    }

    @Test(
        "What isn't a call is answered with InvalidParameter and the end of the connection",
        arguments: [
            "", " ", "garbage", "{", "[]", "3", "null", #""text""#, "{}", #"{"method":3}"#,
            #"{"method":null}"#,
            #"{"parameters":{}}"#, #"{"method":"a.b","oneway":1}"#, #"{"method":"a.b","more":"yes"}"#,
            #"{"method":"a.b"} trailing"#, #"{"method":"a.b","x":NaN}"#, "{'method':'a.b'}",
            String(repeating: "[", count: 100_000), String(repeating: #"{"a":"#, count: 100_000),
            #"{"method":"a.b","parameters":"# + String(repeating: "[", count: 100_000),
        ])
    func malformed(call: String) async throws {
        try await withService { _, path, _ in
            let peer = try RawPeer(path)
            let reply = try json(await peer.ask(call))
            guard case .object(let members) = reply, case .object(let parameters) = members["parameters"]
            else {
                return #expect(Bool(false), "\(reply)")
            }
            #expect(members["error"] == "org.varlink.service.InvalidParameter")
            #expect(parameters["parameter"] != nil)
            #expect(try await peer.reply() == nil)
            #expect(
                try await RawPeer(path).ask(message("Echo", #"{"text":"next"}"#))
                    == #"{"parameters":{"text":"next"}}"#)
        }
    }

    @Test(
        "Strange JSON is answered one way or the other, and the next client is served",
        arguments: [
            Array(message("Echo", #"{"text":"\ud800"}"#).utf8),
            Array(message("Echo", #"{"text":"\udc00x"}"#).utf8),
            Array(message("Echo", #"{"text":"a","text":"b"}"#).utf8),
            Array(message("Echo", #"{"text":"\q"}"#).utf8),
            Array(#"{"method":"org.example.test.Echo","method":"x.y"}"#.utf8),
            Array(#"{"method":"org.example.test.Echo","parameters":{"text":""#.utf8) + [0xff, 0xfe]
                + Array(#""}}"#.utf8),
            Array(#"{"method":""#.utf8) + [0xc3] + Array(#""}"#.utf8), [0xff, 0xfe, 0x7b, 0x7d],
            [0xef, 0xbb, 0xbf, 0x7b, 0x7d],
            Array(message("Echo", #"{"text":"x"}"#, #","more":true,"unknown":[1,{"a":null}]"#).utf8),
            Array(message("Nested", #"{"input":{"startDate":"x","count":1.5}}"#).utf8),
            Array(message("Nested", #"{"input":{"startDate":"x","count":99999999999999999999}}"#).utf8),
        ] as [[UInt8]])
    func strange(call: [UInt8]) async throws {
        try await withService { _, path, _ in
            let peer = try RawPeer(path)
            try await peer.send(call + [0])
            #expect(try await peer.reply()?.hasPrefix("{") == true)
            #expect(
                try await RawPeer(path).ask(message("Echo", #"{"text":"next"}"#))
                    == #"{"parameters":{"text":"next"}}"#)
        }
    }

    @Test("A reply that can't be encoded ends the connection, and the next client is served")
    func unencodable() async throws {
        try await withService { _, path, _ in
            let peer = try RawPeer(path)
            #expect(try await peer.ask(message("NotANumber")) == nil)
            #expect(
                try await RawPeer(path).ask(message("Echo", #"{"text":"next"}"#))
                    == #"{"parameters":{"text":"next"}}"#)
        }
    }

    @Test("GetInfo tells of the service and its interfaces")
    func getInfo() async throws {
        try await withService { _, path, _ in
            let reply = try json(await RawPeer(path).ask(#"{"method":"org.varlink.service.GetInfo"}"#))
            #expect(
                reply == [
                    "parameters": [
                        "vendor": "Example", "product": "Test", "version": "1", "url": "https://example.org",
                        "interfaces": ["org.varlink.service", "org.example.test"],
                    ]
                ])
        }
    }

    @Test("GetInterfaceDescription returns descriptions word for word")
    func getInterfaceDescription() async throws {
        try await withService { _, path, _ in
            func describe(_ name: String) async throws -> JSONValue {
                try json(
                    await RawPeer(path).ask(
                        #"{"method":"org.varlink.service.GetInterfaceDescription","parameters":{"interface":"\#(name)"}}"#
                    ))
            }
            #expect(
                try await describe("org.example.test") == [
                    "parameters": ["description": .string(TestService.description)]
                ])
            #expect(
                try await describe("org.varlink.service")
                    == ["parameters": ["description": .string(ServiceInterface.description)]])
            let unknown = try await describe("org.nothing")
            #expect(unknown == error("InterfaceNotFound", ["interface": "org.nothing"]))
        }
    }
}
