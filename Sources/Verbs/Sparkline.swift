/// Figures as a row of bars.
enum Sparkline {
    private static let bars: [Character] = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"]
    private static let plainBars: [Character] = ["_", ".", ":", "-", "=", "+", "*", "#"]

    /// The newest of `values`, as many as fit, with the largest of them at full height.
    ///
    /// - Parameter isPlain: whether only ASCII may be used.
    static func text(_ values: [Double], width: Int, isPlain: Bool = false) -> String {
        let shown = values.suffix(max(0, width))
        let bars = isPlain ? plainBars : bars
        let highest = shown.max() ?? 0
        let text = shown.map { value -> Character in
            guard highest > 0, value > 0 else { return bars[0] }
            return bars[
                min(bars.count - 1, max(1, Int((value / highest * Double(bars.count - 1)).rounded())))]
        }
        return String(repeating: " ", count: max(0, width - text.count)) + String(text)
    }
}
