import Bookings
import Varlink

/// Why a line was not booked, for people and for programs.
struct Refusal {
    /// The field that it is about, if it is about one.
    let field: String?
    /// The full name of an error; one that acms didn't send is named `acmsctl.…`.
    let error: String
    let parameters: JSONValue?
    /// A sentence.
    let reason: String

    /// A line that can't be read, and wasn't sent.
    init(_ invalid: InvalidInputText) {
        field = invalid.field
        error = "acmsctl.InvalidLine"
        parameters = .object(["reason": .string(invalid.reason)])
        reason = invalid.reason
    }

    /// What acms said of a line.
    init(_ result: BookingsInterface.CreateResult) {
        error = result.error ?? "acmsctl.NoResult"
        parameters = result.parameters
        let remote = RemoteError(name: error, parameters: result.parameters)
        field = remote.decode(BookingsInterface.InvalidInput.self)?.field
        reason = remote.lines(from: .bookings, about: nil).first ?? error
    }
}
