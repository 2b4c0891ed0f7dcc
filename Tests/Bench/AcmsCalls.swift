/// How acms is called.
enum AcmsCalls {
    private static let input =
        "{\"userId\":\"<user>\",\"apartmentId\":\"<apartment>\",\"startDate\":\"<start>\",\"endDate\":\"<end>\"}"

    /// The call that books one, without the NUL at its end; it serves as the message of the other queues as well.
    static let message =
        "{\"method\":\"io.acms.Bookings.CreateApartmentBooking\",\"parameters\":{\"input\":\(input)}}"

    /// Calls of one booking each.
    static func single() throws -> CallFormat {
        CallFormat(head: "", item: try BookingTemplate(message), tail: "\0")
    }

    /// Calls of many.
    static func batch() throws -> CallFormat {
        CallFormat(
            head: "{\"method\":\"io.acms.Bookings.CreateApartmentBookings\",\"parameters\":{\"inputs\":[",
            item: try BookingTemplate(input), separator: ",", tail: "]}}\0")
    }
}
