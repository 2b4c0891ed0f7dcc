/// How acms is called.
enum AcmsCalls {
    private static let fields =
        "\"userId\":\"<user>\",\"apartmentId\":\"<apartment>\",\"startDate\":\"<start>\",\"endDate\":\"<end>\""
    private static let input = "{\(fields)}"

    /// The call that books one, without the NUL at its end; it serves as the message of the other queues as well.
    static let message =
        "{\"method\":\"io.acms.Bookings.CreateApartmentBooking\",\"parameters\":{\"input\":\(input)}}"

    /// Calls of one booking each.
    static func single() throws -> CallFormat {
        CallFormat(head: "", item: try BookingTemplate(message), tail: "\0")
    }

    /// Calls of many.
    ///
    /// - Parameter key: the idempotency key of all of them, if they are to have one.
    static func batch(key: String? = nil) throws -> CallFormat {
        let input = key.map { "{\(fields),\"idempotencyKey\":\"\($0)\"}" } ?? input
        return CallFormat(
            head: "{\"method\":\"io.acms.Bookings.CreateApartmentBookings\",\"parameters\":{\"inputs\":[",
            item: try BookingTemplate(input), separator: ",", tail: "]}}\0")
    }

    /// Lines of a file that acmsctl imports, each in place of a call.
    static func lines() throws -> CallFormat {
        CallFormat(head: "", item: try BookingTemplate(input), tail: "\n")
    }
}
