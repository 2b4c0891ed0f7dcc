import Dispatch
import Glibc

/// A key that somebody has pressed.
enum Key: Equatable, Sendable {
    case character(Character)
    case up, down, pageUp, pageDown, enter, escape

    /// The keys that a terminal's bytes stand for; what isn't known is left out.
    ///
    /// - Returns: the keys, and the beginning of a sequence whose end has not come yet.
    static func decode(_ bytes: some Collection<UInt8>) -> (keys: [Key], rest: [UInt8]) {
        var keys: [Key] = []
        var rest = Array(bytes)[...]
        while let first = rest.popFirst() {
            switch first {
            case 0x0a, 0x0d: keys.append(.enter)
            case 0x1b:
                // CSI and SS3 of ECMA-48; an escape by itself is the key.
                guard let next = rest.first, next == UInt8(ascii: "[") || next == UInt8(ascii: "O") else {
                    keys.append(.escape)
                    continue
                }
                let whole = [first] + rest
                rest = rest.dropFirst()
                let parameters = rest.prefix { (0x30...0x3f).contains($0) }
                rest = rest.dropFirst(parameters.count)
                guard let final = rest.popFirst() else { return (keys, whole) }
                switch (final, parameters.first) {
                case (UInt8(ascii: "A"), _): keys.append(.up)
                case (UInt8(ascii: "B"), _): keys.append(.down)
                case (UInt8(ascii: "~"), UInt8(ascii: "5")): keys.append(.pageUp)
                case (UInt8(ascii: "~"), UInt8(ascii: "6")): keys.append(.pageDown)
                default: continue
                }
            case 0x20..<0x7f: keys.append(.character(Character(Unicode.Scalar(first))))
            default: continue
            }
        }
        return (keys, [])
    }
}

/// Reads keys on a thread of its own, and looks between them whether the screen has changed.
enum KeyReader {
    /// How long a change of the screen may go unseen where no signal wakes the thread.
    private static let patience: Int32 = 250

    /// - Parameters:
    ///   - keys: is told of keys; returns false to end.
    ///   - changed: is called when the frame must be drawn anew.
    static func start(
        _ terminal: LiveTerminal, keys: @escaping @Sendable ([Key]) -> Bool,
        changed: @escaping @Sendable () -> Void
    ) {
        DispatchQueue(label: "io.acms.keys").async {
            var buffer = [UInt8](repeating: 0, count: 256)
            var unfinished: [UInt8] = []
            while true {
                var input = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
                let ready = poll(&input, 1, patience)
                if terminal.hasChanged() { changed() }
                guard ready > 0 else { continue }
                let count = read(STDIN_FILENO, &buffer, buffer.count)
                // The terminal is gone, as when a connection over ssh ends.
                if count == 0 || count < 0 && errno != EINTR && errno != EAGAIN {
                    _ = keys([.character("q")])
                    return
                }
                guard count > 0 else { continue }
                let (pressed, rest) = Key.decode(unfinished + buffer[..<count])
                unfinished = rest
                if !keys(pressed) { return }
            }
        }
    }
}
