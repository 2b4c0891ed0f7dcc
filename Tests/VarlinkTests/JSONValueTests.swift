import FoundationEssentials
import Testing
import Varlink

@Suite("Any JSON value") struct JSONValueTests {
    private func decode(_ text: String) throws -> JSONValue {
        try JSONDecoder().decode(JSONValue.self, from: Data(text.utf8))
    }

    @Test("Each kind of value is decoded as itself and encoded back")
    func roundTrip() throws {
        let text = #"{"a":[1,-2,1.5,true,false,null,"x",[],{}],"b":9223372036854775807,"c":1e300}"#
        let value = try decode(text)
        #expect(
            value == [
                "a": [1, -2, .number(1.5), true, false, .null, "x", [], [:]], "b": .integer(.max),
                "c": .number(1e300),
            ])
        #expect(try decode(String(decoding: try JSONEncoder().encode(value), as: UTF8.self)) == value)
    }

    @Test("Deep nesting within the decoder's bound works, and beyond it is an error")
    func depth() throws {
        func nested(_ depth: Int) -> String {
            String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        }
        _ = try decode(nested(500))
        #expect(throws: (any Error).self) { try decode(nested(100_000)) }
    }

    @Test("An infinite number can't be encoded")
    func infinite() {
        #expect(throws: (any Error).self) { try JSONEncoder().encode(JSONValue.number(.infinity)) }
    }
}
