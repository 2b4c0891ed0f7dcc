import Glibc

/// Shows on standard error how far something has come: on a terminal in one line that is drawn again and again, else
/// now and then in a line of its own.
struct ProgressDisplay {
    private enum Form {
        case none, bar, lines, objects
    }

    private static let barPause = Duration.milliseconds(100)
    private static let linePause = Duration.seconds(10)

    private let form: Form
    private var next: ContinuousClock.Instant

    init(isJSON: Bool, isQuiet: Bool, start: ContinuousClock.Instant) {
        // Where results run through the same terminal a bar would only be in their way.
        let isBar = isatty(STDERR_FILENO) == 1 && !(isJSON && isatty(STDOUT_FILENO) == 1)
        form = isQuiet ? .none : isBar ? .bar : isJSON ? .objects : .lines
        next = start + (form == .bar ? Self.barPause : Self.linePause)
    }

    /// Shows it, unless it was shown a moment ago.
    mutating func show(_ progress: ImportProgress) {
        guard form != .none else { return }
        let now = ContinuousClock.now
        guard now >= next else { return }
        next = now + (form == .bar ? Self.barPause : Self.linePause)
        switch form {
        case .none: break
        // The last column stays free: some terminals go to the next line behind it.
        case .bar:
            StandardError.showProgress(progress.bar(width: (Terminal.columns(of: STDERR_FILENO) ?? 80) - 1))
        case .lines: StandardError.write([progress.text])
        case .objects: StandardError.write([JSONLine.text(of: ["progress": progress.object])])
        }
    }

    /// Makes room for other lines.
    func clear() {
        if form == .bar { StandardError.showProgress("") }
    }
}
