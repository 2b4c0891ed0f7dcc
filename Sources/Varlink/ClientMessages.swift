internal import FoundationEssentials
internal import NIOCore

/// A call as a client sends it.
struct CallMessage<P: Encodable>: Encodable {
    let method: String
    let parameters: P
    let more: Bool?
    let oneway: Bool?

    /// The call as a frame with its NUL.
    func frame() throws(ClientError) -> ByteBuffer {
        do {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.withoutEscapingSlashes]
            let encoded = try encoder.encode(self)
            var buffer = ByteBufferAllocator().buffer(capacity: encoded.count + 1)
            encoded.withUnsafeBytes { _ = buffer.writeBytes($0) }
            buffer.writeInteger(UInt8(0))
            return buffer
        } catch {
            throw .unencodable("\(error)")
        }
    }
}

/// A call whose parameters are JSON already.
enum CallFrame {
    /// The call as a frame with its NUL.
    static func of(_ method: String, encoded parameters: [UInt8]) -> ByteBuffer {
        var head: [UInt8] = []
        head.append(#"{"method":"#)
        head.append(quoting: method)
        head.append(#","parameters":"#)
        var buffer = ByteBufferAllocator().buffer(capacity: head.count + parameters.count + 2)
        buffer.writeBytes(head)
        buffer.writeBytes(parameters)
        buffer.writeStaticString("}\0")
        return buffer
    }
}

/// A reply as a client gets it.
struct ReplyMessage<R: Decodable>: Decodable {
    private enum Member: String, CodingKey {
        case error, parameters, continues
    }

    let result: Result<R, RemoteError>
    let continues: Bool

    init(from decoder: any Decoder) throws {
        let members = try decoder.container(keyedBy: Member.self)
        continues = try members.decodeIfPresent(Bool.self, forKey: .continues) ?? false
        if let name = try members.decodeIfPresent(String.self, forKey: .error) {
            let parameters = try members.decodeIfPresent(JSONValue.self, forKey: .parameters)
            result = .failure(RemoteError(name: name, parameters: parameters))
        } else if let reply = try members.decodeIfPresent(R.self, forKey: .parameters) {
            result = .success(reply)
        } else {
            // Absent and null both stand for an empty object.
            result = .success(try JSONDecoder().decode(R.self, from: Data("{}".utf8)))
        }
    }

    static func decode(_ frame: ByteBuffer) throws(ClientError) -> Self {
        do {
            return try JSONDecoder().decode(Self.self, from: frame.withUnsafeReadableBytes { Data($0) })
        } catch {
            throw .invalidReply("\(error)")
        }
    }
}

/// The one member of a reply that tells whether others follow.
struct ContinuesMark: Decodable {
    let continues: Bool?

    static func isSet(in frame: ByteBuffer) -> Bool {
        let mark = try? JSONDecoder().decode(Self.self, from: frame.withUnsafeReadableBytes { Data($0) })
        return mark?.continues ?? false
    }
}
