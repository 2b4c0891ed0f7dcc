internal import FoundationEssentials
internal import NIOCore

/// A call as it arrives. Parameters are decoded in the same pass as the envelope, into the type that the
/// method named there declares: scanning JSON is the dearest part of a call.
struct CallEnvelope: Decodable, Sendable {
    /// The members of a call that mean something; others are ignored.
    enum Member: String, CodingKey {
        case method, parameters, oneway, more, upgrade
    }

    enum Action: Sendable {
        case run(Method.Body)
        case refuse(ErrorReply)
    }

    let method: String
    let isOneway: Bool
    let wantsMore: Bool
    let action: Action

    /// Where `init(from:)` finds the methods.
    static let catalogKey: CodingUserInfoKey? = CodingUserInfoKey(rawValue: "varlink.catalog")

    init(method: String, isOneway: Bool, wantsMore: Bool, action: Action) {
        self.method = method
        self.isOneway = isOneway
        self.wantsMore = wantsMore
        self.action = action
    }

    init(from decoder: any Decoder) throws {
        let members = try decoder.container(keyedBy: Member.self)
        method = try members.decode(String.self, forKey: .method)
        isOneway = try members.decodeIfPresent(Bool.self, forKey: .oneway) ?? false
        wantsMore = try members.decodeIfPresent(Bool.self, forKey: .more) ?? false
        let upgrade = try members.decodeIfPresent(Bool.self, forKey: .upgrade) ?? false
        let catalog = Self.catalogKey.flatMap { decoder.userInfo[$0] as? MethodCatalog }
        guard let catalog, !upgrade else {
            action = .refuse(ErrorReply(ServiceError.MethodNotImplemented(method: method)))
            return
        }
        do throws(ErrorReply) {
            let found = try catalog.find(method)
            if found.requiresMore && !wantsMore {
                throw ErrorReply(ServiceError.ExpectedMore())
            }
            action = .run(try found.prepare(members))
        } catch {
            action = .refuse(error)
        }
    }
}

/// Reads calls: bytes in, an envelope or the reason why there is none out.
struct CallDecoder: Sendable {
    private let decoder: JSONDecoder
    private let catalog: MethodCatalog

    init(catalog: MethodCatalog) {
        self.catalog = catalog
        decoder = JSONDecoder()
        if let key = CallEnvelope.catalogKey {
            decoder.userInfo[key] = catalog
        }
    }

    /// - Throws: `InvalidParameter`, when the bytes are no call; the connection can't be trusted any further.
    func decode(_ bytes: ByteBuffer) throws(ErrorReply) -> CallEnvelope {
        if let call = decodeQuickly(bytes) { return call }
        return try decodeSlowly(bytes)
    }

    /// Reads a call of the common form; nil when it has another one.
    func decodeQuickly(_ bytes: ByteBuffer) -> CallEnvelope? {
        bytes.withUnsafeReadableBytes { CallEnvelope(quickly: $0, catalog) }
    }

    /// Reads a call of any form.
    ///
    /// - Throws: as `decode` does.
    func decodeSlowly(_ bytes: ByteBuffer) throws(ErrorReply) -> CallEnvelope {
        try decode(bytes.withUnsafeReadableBytes { Data($0) })
    }

    private func decode(_ bytes: Data) throws(ErrorReply) -> CallEnvelope {
        guard !bytes.isEmpty else { throw Self.malformed("the call is empty") }
        do {
            return try decoder.decode(CallEnvelope.self, from: bytes)
        } catch DecodingError.keyNotFound(let key, _) {
            throw Self.malformed("the member \(key.stringValue) is missing")
        } catch DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context) {
            guard let member = context.codingPath.first else {
                throw Self.malformed("the call is no JSON object")
            }
            throw Self.malformed("the member \(member.stringValue) has the wrong type")
        } catch {
            throw Self.malformed("the call is not valid JSON")
        }
    }

    static func malformed(_ reason: String) -> ErrorReply {
        ErrorReply(ServiceError.InvalidParameter(parameter: reason))
    }

    static func tooLong(limit: Int) -> ErrorReply {
        malformed("the call is longer than \(limit) bytes")
    }
}
