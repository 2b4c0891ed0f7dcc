import Glibc

/// What standard output is connected to.
struct Terminal: Sendable, Equatable {
    /// Columns to fill; nil when it is no terminal, and nothing is cut.
    var width: Int?
    var hasColour: Bool

    /// No terminal: a file or a pipe.
    static let none = Terminal(width: nil, hasColour: false)

    static func standardOutput(environment: [String: String]) -> Terminal {
        guard isatty(STDOUT_FILENO) == 1 else { return .none }
        var size = winsize()
        let isKnown = ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0
        // https://no-color.org: counts when it is present and not empty.
        let isPlain = environment["NO_COLOR"].map { !$0.isEmpty } ?? false
        return Terminal(
            width: isKnown ? Int(size.ws_col) : 80, hasColour: !isPlain && environment["TERM"] != "dumb")
    }
}
