import NIOCore
import Testing

@testable import Varlink

@Suite("Reading the common form of JSON quickly") struct JSONCursorTests {
    private struct Pair: Equatable, Codable {
        var name: String?
        var flags: [Bool] = []
    }

    /// `{"name":…,"flags":[…]}`, nil for any other form.
    private func pair(_ text: String) -> Pair? {
        var text = text
        return text.withUTF8 { bytes in
            var cursor = JSONCursor(UnsafeRawBufferPointer(bytes))
            var pair = Pair()
            let isRead = cursor.readObject { key, cursor in
                switch key {
                case "name":
                    pair.name = cursor.readString()
                    return pair.name != nil
                case "flags":
                    return cursor.readArray { cursor in
                        guard let flag = cursor.readBool() else { return false }
                        pair.flags.append(flag)
                        return true
                    }
                default: return false
                }
            }
            return isRead && cursor.isAtEnd ? pair : nil
        }
    }

    @Test("Any white space, any order, and what is empty are read")
    func forms() {
        #expect(pair("{}") == Pair())
        #expect(pair(#"{"name":"","flags":[]}"#) == Pair(name: ""))
        #expect(
            pair(" {\t\"flags\" : [ true ,false\n] , \"name\":\r\"Zoë 日本 /\" } \n")
                == Pair(name: "Zoë 日本 /", flags: [true, false]))
    }

    @Test(
        "What isn't the common form is left alone",
        arguments: [
            "", "{", "}", "[]", "null", #"{"name"}"#, #"{"name":}"#, #"{"name":"a""#, #"{"name":"a"} x"#,
            #"{"name":"a",}"#, #"{"name":"a" "flags":[]}"#, #"{"flags":[true,]}"#, #"{"flags":[true false]}"#,
            #"{"flags":[tru]}"#, #"{"name":"a\n"}"#, #"{"name":"a\u0041"}"#, "{\"name\":\"a\u{0}\"}",
            "{\"name\":\"a\nb\"}", #"{"other":1}"#, #"{name:"a"}"#, #"{"name":'a'}"#, #"{"na\u006de":"a"}"#,
        ])
    func others(_ text: String) { #expect(pair(text) == nil) }

    @Test("Bytes that are no UTF-8 are no string")
    func invalid() {
        for bytes in [[0xff], [0xc3], [0xed, 0xa0, 0x80], [0xc0, 0xaf]] as [[UInt8]] {
            let text = [UInt8(ascii: "\"")] + bytes + [UInt8(ascii: "\"")]
            text.withUnsafeBytes { bytes in
                var cursor = JSONCursor(bytes)
                #expect(cursor.readString() == nil)
            }
        }
    }
}
