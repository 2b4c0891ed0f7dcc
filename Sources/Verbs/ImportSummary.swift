/// How an import ended.
struct ImportSummary: Encodable {
    let accepted: Int
    let refused: Int
    /// Where the refused lines are; nil when there are none.
    let refusedFile: String?
    let lines: Int
    let seconds: Double

    init(accepted: Int, refused: Int, refusedFile: String?, elapsed: Duration) {
        self.accepted = accepted
        self.refused = refused
        self.refusedFile = refusedFile
        lines = accepted + refused
        seconds = elapsed.roundedSeconds
    }

    /// The summary for people.
    var text: [String] {
        var fields = FieldList()
        fields.add("accepted", "\(accepted)")
        fields.add("refused", StyledText(refusedFile.map { "\(refused), see \($0)" } ?? "0"))
        fields.add("lines", "\(lines)")
        fields.add("time", "\(seconds) s")
        fields.add("rate", "\(seconds > 0 ? Int(Double(lines) / seconds) : lines) lines/s")
        return fields.lines(hasColour: false)
    }
}

extension Duration {
    /// Seconds, rounded up to the next hundredth.
    var roundedSeconds: Double { (self / .milliseconds(10)).rounded(.up) / 100 }
}
