public import Bookings
public import Logging

extension Dictionary where Key == String, Value == Logger.MetadataValue {
    /// A field for the id, the user and the apartment of each message, so that the journal finds one booking in
    /// an entry about many, and one for each trace that they belong to.
    public static func bookings(_ messages: [Message]) -> Logger.Metadata {
        var metadata: Logger.Metadata = [
            "booking-id": .array(messages.map { .stringConvertible($0.id) }),
            "user-id": .array(messages.map { .string($0.request.userID) }),
            "apartment-id": .array(messages.map { .string($0.request.apartmentID) }),
        ]
        let traces = messages.compactMap { $0.traceParent.map { Logger.MetadataValue.string($0.traceID) } }
        if !traces.isEmpty { metadata["trace-id"] = traces.count == 1 ? traces[0] : .array(traces) }
        return metadata
    }
}
