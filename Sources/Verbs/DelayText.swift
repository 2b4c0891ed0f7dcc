/// A delay for a person, in the unit that fits: `350 µs`, `8.2 ms`, `4.56 s`, `3 min 4 s`, `5 h 12 min`, `3 d 4 h`.
struct DelayText {
    let text: String

    init(_ delay: Duration) {
        let (seconds, attoseconds) = delay.components
        let microseconds = seconds * 1_000_000 + attoseconds / 1_000_000_000_000
        text =
            switch (seconds, microseconds) {
            case (_, ..<1000): "\(microseconds) µs"
            case (..<1, _): "\(Self.decimal(microseconds / 100, 1)) ms"
            case (..<60, _): "\(Self.decimal(microseconds / 10_000, 2)) s"
            case (..<3600, _): "\(seconds / 60) min \(seconds % 60) s"
            case (..<86_400, _): "\(seconds / 3600) h \(seconds / 60 % 60) min"
            default: "\(seconds / 86_400) d \(seconds / 3600 % 24) h"
            }
    }

    /// A number that was multiplied by a power of ten.
    private static func decimal(_ number: Int64, _ places: Int) -> String {
        let digits = String(number)
        let padded = String(repeating: "0", count: max(places + 1 - digits.count, 0)) + digits
        return padded.dropLast(places) + "." + padded.suffix(places)
    }
}
