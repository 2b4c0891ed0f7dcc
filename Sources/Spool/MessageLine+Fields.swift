import Bookings
import Varlink

extension MessageLine {
    /// A version of the line's format that this program doesn't know.
    struct UnknownVersion: Error {
        let version: Int
    }

    /// The members of a line, by type.
    struct Fields: Decodable {
        let id: BookingID?
        let acceptedOn: Timestamp?
        let peer: PeerFields?
        let receiveCount: Int?
        let input: CreateBookingInput
        let attempts: [Attempt]?
        let redriveCount: Int?
        let notBefore: Timestamp?
        let traceParent: TraceParent?
        let crc32c: String?

        enum CodingKeys: String, CodingKey, CaseIterable {
            case v, id, acceptedOn, peer, receiveCount, traceparent, input, attempts, redriveCount, notBefore,
                crc32c
        }

        init(from decoder: any Decoder) throws {
            // The version comes first: a newer one may have members that this program doesn't know.
            let version = try decoder.container(keyedBy: CodingKeys.self).decodeIfPresent(
                Int.self, forKey: .v)
            if let version, version != MessageLine.version { throw UnknownVersion(version: version) }
            let fields = try decoder.strictContainer(keyedBy: CodingKeys.self)
            id = try fields.decodeIfPresent(BookingID.self, forKey: .id)
            acceptedOn = try fields.decodeIfPresent(Timestamp.self, forKey: .acceptedOn)
            peer = try fields.decodeIfPresent(PeerFields.self, forKey: .peer)
            receiveCount = try fields.decodeIfPresent(Int.self, forKey: .receiveCount)
            input = try fields.decode(CreateBookingInput.self, forKey: .input)
            attempts = try fields.decodeIfPresent([Attempt].self, forKey: .attempts)
            redriveCount = try fields.decodeIfPresent(Int.self, forKey: .redriveCount)
            notBefore = try fields.decodeIfPresent(Timestamp.self, forKey: .notBefore)
            crc32c = try fields.decodeIfPresent(String.self, forKey: .crc32c)
            // Who writes by hand may put it where callers do.
            let trace = try fields.decodeIfPresent(String.self, forKey: .traceparent)
            traceParent = trace.map(TraceParent.init(_:)) ?? input.traceParent
            if trace != nil, traceParent == nil {
                throw DecodingError.dataCorruptedError(
                    forKey: .traceparent, in: fields, debugDescription: "it is no traceparent")
            }
        }
    }

    /// A peer as a line holds it.
    struct PeerFields: Decodable {
        let uid: UInt32
        let gid: UInt32
        let pid: Int32

        var peer: Peer { Peer(uid: uid, gid: gid, pid: pid) }
    }

    /// What can be had of a line that is JSON but no message.
    struct Fragments: Decodable {
        let id: BookingID?
        let userID: String?
        let apartmentID: String?
        let receiveCount: Int?
        let attempts: [Attempt]?

        /// What can't be a user or an apartment is of no use to look for, and may break who reads it.
        static func identifier(_ text: String?) -> String? {
            text.flatMap { BookingRequest.isIdentifier($0) ? $0 : nil }
        }

        init(from decoder: any Decoder) throws {
            let fields = try decoder.container(keyedBy: Fields.CodingKeys.self)
            id = try? fields.decode(BookingID.self, forKey: .id)
            receiveCount = try? fields.decode(Int.self, forKey: .receiveCount)
            attempts = try? fields.decode([Attempt].self, forKey: .attempts)
            let input = try? fields.nestedContainer(
                keyedBy: CreateBookingInput.CodingKeys.self, forKey: .input)
            userID = Self.identifier(try? input?.decode(String.self, forKey: .userId))
            apartmentID = Self.identifier(try? input?.decode(String.self, forKey: .apartmentId))
        }
    }
}
