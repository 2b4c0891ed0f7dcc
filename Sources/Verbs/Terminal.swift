import Glibc

/// What standard output is connected to.
struct Terminal: Sendable, Equatable {
    /// Columns to fill; nil when it is no terminal, and nothing is cut.
    var width: Int?
    var hasColour: Bool

    /// No terminal: a file or a pipe.
    static let none = Terminal(width: nil, hasColour: false)

    static func standardOutput(environment: [String: String]) -> Terminal {
        guard let width = columns(of: STDOUT_FILENO) else { return .none }
        // https://no-color.org: counts when it is present and not empty.
        let isPlain = environment["NO_COLOR"].map { !$0.isEmpty } ?? false
        return Terminal(width: width, hasColour: !isPlain && environment["TERM"] != "dumb")
    }

    /// The columns of the terminal that a descriptor is; nil when it is none.
    static func columns(of descriptor: Int32) -> Int? {
        guard isatty(descriptor) == 1 else { return nil }
        var size = winsize()
        let isKnown = ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0
        return isKnown ? Int(size.ws_col) : 80
    }
}
