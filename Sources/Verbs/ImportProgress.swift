/// How far an import has come.
struct ImportProgress {
    let accepted: Int
    let refused: Int
    /// What part of the file is answered; nil when its size isn't known.
    let fraction: Double?
    let elapsed: Duration

    private var lineCount: Int { accepted + refused }
    private var rate: Int {
        let seconds = elapsed / .seconds(1)
        return seconds > 0 ? Int(Double(lineCount) / seconds) : 0
    }

    /// How long the rest takes, going by what is done; nil while that tells nothing.
    private var left: Duration? {
        guard let fraction, fraction >= 0.01 else { return nil }
        return elapsed * ((1 - fraction) / fraction)
    }

    /// Lines for a log.
    var text: String { parts.joined(separator: ", ") + "." }

    private var parts: [String] {
        var parts: [String] = []
        if let fraction { parts.append("\(Int(fraction * 100)) %") }
        parts.append("\(lineCount) lines")
        parts.append("\(rate)/s")
        if let left { parts.append("\(left.roundText) left") }
        parts.append("\(refused) refused")
        return parts
    }

    /// One line of a terminal, of at most `width` columns: a bar where there is room for one, and numbers.
    func bar(width: Int) -> String {
        let numbers = parts.joined(separator: "  ")
        let room = min(width - numbers.displayWidth - 4, 40)
        guard let fraction, room >= 10 else { return numbers.cut(toWidth: width) }
        let done = Int(fraction * Double(room))
        let bar = String(repeating: "#", count: done) + String(repeating: "-", count: room - done)
        return "[\(bar)]  \(numbers)"
    }
}

extension ImportProgress {
    /// For programs.
    struct Object: Encodable {
        let accepted: Int
        let refused: Int
        let fraction: Double?
        let seconds: Double
    }

    var object: Object {
        Object(accepted: accepted, refused: refused, fraction: fraction, seconds: elapsed.roundedSeconds)
    }
}
