extension Figure {
    /// The figure in one line.
    var line: String {
        var parts = [(name + ", " + system).padded(to: 44), Self.text(value, unit).paddedLeft(to: 18)]
        if let latency {
            let times = [latency.p50, latency.p90, latency.p99, latency.p999, latency.max]
            parts.append("p50/90/99/99.9/max " + times.map(Self.short).joined(separator: "/") + " µs")
        }
        if let serverMicroseconds { parts.append("server \(Self.short(serverMicroseconds)) µs/booking") }
        if let generatorMicroseconds { parts.append("generator \(Self.short(generatorMicroseconds)) µs") }
        if let peakMegabytes { parts.append("\(Self.short(peakMegabytes)) MB") }
        if let remark { parts.append(remark) }
        return parts.joined(separator: "  ")
    }

    /// A value and its unit, with three digits or all before the point.
    static func text(_ value: Double, _ unit: String) -> String { "\(short(value)) \(unit)" }

    /// Three digits, or all before the point with commas between the thousands.
    static func short(_ value: Double) -> String {
        let decimals = abs(value) >= 100 ? 0 : abs(value) >= 10 ? 1 : 2
        var scale = 1.0
        for _ in 0..<decimals { scale *= 10 }
        let rounded = (abs(value) * scale).rounded()
        guard rounded < 1e15 else { return "\(value)" }
        let digits = String(Int(rounded / scale))
        var whole = ""
        for (place, digit) in digits.enumerated() {
            if place > 0, (digits.count - place) % 3 == 0 { whole += "," }
            whole.append(digit)
        }
        let fraction = String(Int(rounded) % Int(scale))
        let tail =
            decimals == 0 ? "" : "." + String(repeating: "0", count: decimals - fraction.count) + fraction
        return (value < 0 ? "-" : "") + whole + tail
    }
}

extension String {
    func padded(to width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }

    func paddedLeft(to width: Int) -> String { String(repeating: " ", count: max(0, width - count)) + self }
}
