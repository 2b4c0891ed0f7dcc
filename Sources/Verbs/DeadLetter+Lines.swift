import Bookings
import FoundationEssentials

extension DeadLetter {
    /// How much of a body is shown to people, in bytes.
    private static var preview: Int { 4096 }

    /// What was received, as far as it is here.
    func bodyBytes() throws(Failure) -> [UInt8] {
        guard bodyIsBase64 else { return Array(body.utf8) }
        guard let bytes = Data(base64Encoded: body) else {
            throw .incomplete("the body of \(id) is said to be base64, and is not; see it with --json.")
        }
        return Array(bytes)
    }

    /// Says that only the first `count` bytes of the body are here.
    func whereTheRestIs(_ count: Int) -> String {
        let size = bodySize.map { "\($0)" } ?? "more"
        let place = bodyFile.map { "; all of it is in \($0) in the spool's dead/" } ?? ""
        return "only the first \(count) of \(size) bytes of the body can be had here\(place)."
    }

    /// The letter for people: its fields, the failed tries, and the body, of which `bytes` are here.
    func lines(_ bytes: [UInt8], on terminal: Terminal) -> [String] {
        let now = Timestamp.now()
        let size = bodySize ?? bytes.count
        var fields = FieldList()
        fields.add("id", StyledText(id))
        fields.add("class", StyledText(self.class))
        fields.add("reason", StyledText(reason))
        fields.add("dead since", StyledText(deadOn.text(at: now)))
        fields.add("receive count", "\(receiveCount)")
        if let redriveCount, redriveCount > 0 {
            fields.add("redriven", "\(redriveCount) \(redriveCount == 1 ? "time" : "times")")
        }
        fields.add("user", StyledText(optional: userId))
        fields.add("apartment", StyledText(optional: apartmentId))
        fields.add("body", "\(size) bytes, \(bodyIsBase64 ? "binary" : "text")")
        if let bodyFile { fields.add("body file", StyledText(bodyFile)) }
        return fields.lines(hasColour: terminal.hasColour) + attemptLines(on: terminal)
            + bodyLines(bytes, of: size)
    }

    private func attemptLines(on terminal: Terminal) -> [String] {
        guard !attempts.isEmpty else { return [] }
        var table = Table<Attempt>(
            [
                Column(title: "ATTEMPT") { StyledText("\($0.on)") },
                Column(title: "CLASS") { StyledText($0.class) },
                Column(title: "REASON", cut: .first(minimum: 20)) { StyledText($0.reason) },
            ], on: terminal)
        return [""] + table.lines(of: attempts)
    }

    private func bodyLines(_ bytes: [UInt8], of size: Int) -> [String] {
        guard !bytes.isEmpty else { return [] }
        let shown = bytes.prefix(Self.preview)
        var lines = [""]
        if bodyIsBase64 {
            lines += HexDump.lines(of: shown)
        } else {
            lines += String(decoding: shown, as: UTF8.self)
                .split(separator: "\n", omittingEmptySubsequences: false).map(\.escapedForTerminal)
        }
        if size > shown.count {
            lines.append("(\(size - shown.count) more bytes; --body prints what was received)")
        }
        return lines
    }
}
