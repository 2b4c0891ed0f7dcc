import FoundationEssentials
import Testing

@testable import Varlink

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

    @Test("An infinite number can't be encoded")
    func infinite() {
        #expect(throws: (any Error).self) { try JSONEncoder().encode(JSONValue.number(.infinity)) }
    }

    @Test("What is nested too deeply is refused, before it takes long")
    func depth() throws {
        func nested(_ depth: Int) throws -> JSONValue {
            let text = String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
            return try decode(text)
        }
        var value = try nested(JSONValue.maximumDepth + 1)
        for _ in 0..<JSONValue.maximumDepth {
            guard case .array(let elements) = value else { break }
            value = try #require(elements.first)
        }
        #expect(value == [])
        for depth in [JSONValue.maximumDepth + 2, 500, 100_000] {
            #expect(throws: DecodingError.self) { _ = try nested(depth) }
        }
    }
}
