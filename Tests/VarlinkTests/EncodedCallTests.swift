import FoundationEssentials
import Testing

@testable import Varlink

@Suite("Calls that are encoded by hand", .timeLimit(.minutes(2))) struct EncodedCallTests {
    typealias Text = TestService.Text

    private static func read(_ cursor: inout JSONCursor) -> Text? {
        var text: String?
        let isRead = cursor.readObject { key, cursor in
            guard case "text" = key else { return false }
            text = cursor.readString()
            return text != nil
        }
        return isRead ? text.map(Text.init(text:)) : nil
    }

    private func sent(_ text: String, to client: Client) throws -> PendingReply {
        var parameters: [UInt8] = []
        parameters.append(#"{"text":"#)
        parameters.append(quoting: text)
        parameters.append("}")
        return try client.send("org.example.test.Echo", encoded: parameters)
    }

    @Test("They are answered in the order in which they were sent, whatever form the replies have")
    func order() async throws {
        try await withService { _, path, _ in
            try await Client.withConnection(to: path) { client in
                let texts = (0..<50).map { $0 % 2 == 0 ? "\($0)" : "\"\($0)\"\u{1}\\" }
                let replies = try texts.map { try sent($0, to: client) }
                for (text, reply) in zip(texts, replies) {
                    #expect(try await reply.take(quickly: Self.read) == Text(text: text))
                }
            }
        }
    }

    @Test("An error is thrown as that of any call is")
    func error() async throws {
        try await withService { _, path, _ in
            try await Client.withConnection(to: path) { client in
                let reply = try client.send("org.example.test.None", encoded: Array("{}".utf8))
                await #expect(throws: ClientError.self) { try await reply.take(quickly: Self.read) }
                #expect(try await sent("after", to: client).take(quickly: Self.read) == Text(text: "after"))
            }
        }
    }

    @Test("A string that is appended is the same for a general decoder")
    func quoting() throws {
        let all = String(String.UnicodeScalarView((0..<0x2100).compactMap(Unicode.Scalar.init)))
        for text in ["", "plain", "Zoë 日本", "\"\\", all] {
            var json: [UInt8] = []
            json.append(quoting: text)
            #expect(try JSONDecoder().decode(String.self, from: Data(json)) == text)
        }
    }

    @Test(
        "A value of any kind can be gone past",
        arguments: [
            "1", "-1.5e3", "true", "null", #""a""#, #""\"}\\""#, "{}", "[]",
            #"{"a":[1,{"b":"]}"}],"c":null}"#,
        ])
    func skip(_ value: String) {
        var text = #" {"x" : "# + value + #" , "y":true}"#
        text.withUTF8 { bytes in
            var cursor = JSONCursor(UnsafeRawBufferPointer(bytes))
            var skipped: String?
            var flag: Bool?
            let isRead = cursor.readObject { key, cursor in
                if key.isEqual(to: "x") {
                    skipped = cursor.skipValue().map { String(decoding: $0, as: UTF8.self) }
                    return skipped != nil
                }
                flag = cursor.readBool()
                return flag != nil
            }
            #expect(isRead && cursor.isAtEnd)
            #expect(skipped == value)
            #expect(flag == true)
        }
    }

    @Test(
        "What has no end can't be gone past", arguments: ["", " ", "{", "[1", #""a"#, #""\"#, "}", ",", ":1"])
    func endless(_ text: String) {
        var text = text
        text.withUTF8 { bytes in
            var cursor = JSONCursor(UnsafeRawBufferPointer(bytes))
            #expect(cursor.skipValue() == nil)
        }
    }
}
