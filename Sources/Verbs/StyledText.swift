import Bookings

/// Untrusted text, and how it looks where colours are shown.
struct StyledText: Sendable, Equatable, ExpressibleByStringInterpolation {
    /// The parameters of ECMA-48's SGR.
    enum Style: String, Sendable {
        case yellow = "33"
        case green = "32"
        case dim = "2"
        case red = "31"
    }

    let text: String
    let style: Style?

    /// Control characters of `text` are made visible.
    init(_ text: String, _ style: Style? = nil) {
        self.text = text.escapedForTerminal
        self.style = style
    }

    init(stringLiteral text: String) { self.init(text) }

    /// The text, cut to `width` columns when given.
    func rendered(hasColour: Bool, width: Int? = nil) -> String {
        let text = width.map(text.cut(toWidth:)) ?? text
        guard hasColour, let style, !text.isEmpty else { return text }
        return "\u{1b}[\(style.rawValue)m\(text)\u{1b}[0m"
    }
}

extension StyledText {
    init(_ status: BookingStatus) {
        let style: Style =
            switch status {
            case .pending: .yellow
            case .approved: .green
            case .cancelled: .dim
            }
        self.init(status.rawValue, style)
    }

    init(_ progress: Progress) {
        self.init(progress.rawValue, progress == .deadLettered ? .red : nil)
    }

    init(_ failureClass: FailureClass) { self.init(failureClass.rawValue, .red) }

    /// A dash for what isn't there.
    init(optional text: String?) { self.init(text ?? "-") }
}
