public import ArgumentParser
public import Bookings

// What the command line takes is what the interfaces take, in either case of letters.

extension CalendarDate: ExpressibleByArgument {
    /// Reads `YYYY-MM-DD`.
    public init?(argument: String) { self.init(argument) }
}

extension BookingStatus: ExpressibleByArgument {
    /// Reads a status in either case.
    public init?(argument: String) { self.init(rawValue: argument.uppercased()) }
    /// In lower case, as one types them.
    public static var allValueStrings: [String] { allCases.map { $0.rawValue.lowercased() } }
}

extension FailureClass: ExpressibleByArgument {
    /// Reads a class in either case.
    public init?(argument: String) { self.init(rawValue: argument.uppercased()) }
    /// In lower case, as one types them.
    public static var allValueStrings: [String] { allCases.map { $0.rawValue.lowercased() } }
}

extension QueueInterface.AgeKey: ExpressibleByArgument {
    /// Reads a key in either case.
    public init?(argument: String) { self.init(rawValue: argument.uppercased()) }
    /// In lower case, as one types them.
    public static var allValueStrings: [String] { allCases.map { $0.rawValue.lowercased() } }
}

extension Timestamp: ExpressibleByArgument {
    /// Reads an RFC 3339 time, or a date, which stands for its first instant in UTC.
    public init?(argument: String) {
        self.init(CalendarDate(argument) == nil ? argument : "\(argument)T00:00:00Z")
    }
}
