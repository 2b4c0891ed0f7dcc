// Figures as people read them, in few columns.

extension Int {
    /// With a comma every three digits.
    var grouped: String {
        let digits = String(magnitude)
        var text = ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index) % 3 == 0 { text.append(",") }
            text.append(digit)
        }
        return self < 0 ? "-" + text : text
    }
}

extension Double {
    /// The whole number nearest to it; the greatest there is for what is more.
    var whole: Int { isNaN ? 0 : Int(exactly: rounded()) ?? (self < 0 ? .min : .max) }

    /// Bytes: `31 MB`, `1.2 GB`.
    var bytesText: String {
        let units = ["B", "kB", "MB", "GB", "TB"]
        var value = self
        var unit = 0
        while value >= 999.5, unit + 1 < units.count {
            value /= 1000
            unit += 1
        }
        return "\(value.threeDigits) \(units[unit])"
    }

    /// Seconds: `85 µs`, `2.1 ms`, `1.5 s`, `3 min`.
    var latencyText: String {
        switch self {
        case ..<0.0009995: "\((self * 1e6).threeDigits) µs"
        case ..<0.9995: "\((self * 1e3).threeDigits) ms"
        case ..<120: "\(threeDigits) s"
        default: Duration.seconds(self).roundText
        }
    }

    /// One decimal below ten, none from there on.
    private var threeDigits: String {
        guard self < 9.95 else { return "\(whole)" }
        let tenths = (self * 10).whole
        return tenths % 10 == 0 ? "\(tenths / 10)" : "\(tenths / 10).\(tenths % 10)"
    }
}

extension String {
    /// Filled up with spaces behind.
    func padded(to width: Int) -> String {
        self + String(repeating: " ", count: max(0, width - displayWidth))
    }

    /// Filled up with spaces before.
    func leftPadded(to width: Int) -> String {
        String(repeating: " ", count: max(0, width - displayWidth)) + self
    }
}
