/// What a check of `acmsctl doctor` has found.
struct HealthFinding: Encodable, Hashable, Sendable {
    /// How bad it is.
    enum Severity: String, Encodable, CaseIterable, Sendable {
        case ok = "OK"
        /// Nothing is wrong; it is good to know.
        case note = "NOTE"
        /// It works, and may not for long, or not after a crash; or it couldn't be looked at.
        case warning = "WARNING"
        /// It doesn't work as it should.
        case problem = "PROBLEM"
    }

    let check: String
    let severity: Severity
    /// What was found, in a sentence.
    let text: String
    /// The command that mends it; nil where nothing is to be mended.
    let mend: String?

    /// For people: a line, and how to mend it in another.
    func lines(on terminal: Terminal) -> [String] {
        let style: StyledText.Style =
            switch severity {
            case .ok: .green
            case .note: .dim
            case .warning: .yellow
            case .problem: .red
            }
        let word = StyledText(severity.rawValue, style).rendered(hasColour: terminal.hasColour)
        let padding = String(repeating: " ", count: 9 - severity.rawValue.count)
        let text = "\(check): \(text)".escapedForTerminal.wrapped(to: terminal.width.map { $0 - 9 })
        let lines = ["\(word)\(padding)\(text.first ?? "")"] + text.dropFirst().map { "         \($0)" }
        return lines + (mend.map { ["  mend: \($0.escapedForTerminal)"] } ?? [])
    }
}

/// One thing that `acmsctl doctor` looks at. It gathers facts and hands them to a function without I/O that judges.
protocol HealthCheck: Sendable {
    /// Its name in the findings.
    static var name: String { get }

    func findings(_ site: ExaminedSite) async -> [HealthFinding]
}

extension HealthCheck {
    static func ok(_ text: String) -> HealthFinding {
        HealthFinding(check: name, severity: .ok, text: text, mend: nil)
    }

    static func note(_ text: String) -> HealthFinding {
        HealthFinding(check: name, severity: .note, text: text, mend: nil)
    }

    static func warning(_ text: String, mend: String) -> HealthFinding {
        HealthFinding(check: name, severity: .warning, text: text, mend: mend)
    }

    static func problem(_ text: String, mend: String) -> HealthFinding {
        HealthFinding(check: name, severity: .problem, text: text, mend: mend)
    }
}
