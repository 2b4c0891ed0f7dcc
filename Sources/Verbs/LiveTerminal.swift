import Glibc
import Synchronization

/// A terminal that shows whole frames and gives single keys, until it is given back as it was.
///
/// It is given back on every exit but SIGKILL: when the program ends, at a signal that ends or stops it, and at a
/// trap. What a signal's handler needs must be a global, and only functions that signal-safety(7) allows touch it.
struct LiveTerminal: Sendable {
    /// The alternate screen without a cursor; and back.
    private static let enter = "\u{1b}[?1049h\u{1b}[?25l\u{1b}[2J"
    private static let leave: StaticString = "\u{1b}[?25h\u{1b}[?1049l"
    /// Those that end the program, its own traps among them. SIGPIPE is left to the connections, which ignore it.
    private static let endingSignals = [
        SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGABRT, SIGILL, SIGTRAP, SIGSEGV, SIGBUS, SIGFPE,
    ]

    /// Takes the terminal over.
    ///
    /// - Returns: nil when standard input is none.
    init?() {
        guard tcgetattr(STDIN_FILENO, &savedMode) == 0 else { return nil }
        // What handlers touch is there before the first of them: a global is made at its first use, under a lock.
        isResized.store(false, ordering: .sequentiallyConsistent)
        isContinued.store(false, ordering: .sequentiallyConsistent)
        isTaken.store(false, ordering: .sequentiallyConsistent)
        savedLeave = Self.leave
        for number in Self.endingSignals { signal(number, giveBackAndEnd) }
        signal(SIGTSTP, giveBackAndStop)
        signal(SIGWINCH) { _ in isResized.store(true, ordering: .sequentiallyConsistent) }
        signal(SIGCONT) { _ in isContinued.store(true, ordering: .sequentiallyConsistent) }
        atexit { giveBack() }
        take()
    }

    /// Gives the terminal back.
    func end() { giveBack() }

    private func take() {
        isTaken.store(true, ordering: .sequentiallyConsistent)
        var mode = savedMode
        // Keys come one by one and unseen. Signals stay as they are, so that ^C and ^Z do what they always do.
        mode.c_lflag &= ~tcflag_t(ICANON | ECHO)
        tcsetattr(STDIN_FILENO, TCSADRAIN, &mode)
        Self.write(Self.enter)
    }

    /// Looks whether the screen has another size, or the program was stopped and goes on.
    ///
    /// - Returns: whether the frame must be drawn anew.
    func hasChanged() -> Bool {
        // In the background the screen is somebody else's.
        guard tcgetpgrp(STDIN_FILENO) == getpgrp() else { return false }
        let wasContinued = isContinued.exchange(false, ordering: .sequentiallyConsistent)
        if wasContinued { take() }
        return isResized.exchange(false, ordering: .sequentiallyConsistent) || wasContinued
    }

    /// Columns and rows.
    var size: (columns: Int, rows: Int) {
        var size = winsize()
        guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0, size.ws_row > 0 else {
            return (80, 24)
        }
        return (Int(size.ws_col), Int(size.ws_row))
    }

    /// Shows a frame in place of the last one.
    func show(_ lines: [String]) {
        // A signal's handler may have given it back on another thread.
        guard isTaken.load(ordering: .sequentiallyConsistent) else { return }
        // Each line is cleared behind its text, and what is below all of them: nothing flickers.
        Self.write("\u{1b}[H" + lines.map { "\($0)\u{1b}[K" }.joined(separator: "\r\n") + "\u{1b}[J")
    }

    private static func write(_ text: String) { StandardError.writeToTerminal(text) }
}

// Written before any handler is set, and only read from then on.
nonisolated(unsafe) private var savedMode = termios()
nonisolated(unsafe) private var savedLeave: StaticString = ""
private let isTaken = Atomic(false)
private let isResized = Atomic(false)
private let isContinued = Atomic(false)

private func giveBack() {
    guard isTaken.exchange(false, ordering: .sequentiallyConsistent) else { return }
    // From the background, too, and at once, though output may be held.
    var stopping = sigset_t()
    var before = sigset_t()
    sigemptyset(&stopping)
    sigaddset(&stopping, SIGTTOU)
    pthread_sigmask(SIG_BLOCK, &stopping, &before)
    tcsetattr(STDIN_FILENO, TCSANOW, &savedMode)
    pthread_sigmask(SIG_SETMASK, &before, nil)
    _ = write(STDOUT_FILENO, savedLeave.utf8Start, savedLeave.utf8CodeUnitCount)
}

private func giveBackAndEnd(_ number: Int32) {
    giveBack()
    signal(number, SIG_DFL)
    raise(number)
}

private func giveBackAndStop(_ number: Int32) {
    let interrupted = errno
    giveBack()
    // Goes on here once the program is continued, which SIGCONT's handler notes.
    raise(SIGSTOP)
    errno = interrupted
}
