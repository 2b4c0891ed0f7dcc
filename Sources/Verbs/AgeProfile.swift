import Bookings

extension Session {
    /// Prints how many messages there are by age.
    func printAges(by key: QueueInterface.AgeKey, dead: Bool, limit: Int?) async throws(Failure) {
        let profile: QueueInterface.AgeProfile = try await call(
            QueueInterface.method("GetAgeProfile"),
            QueueInterface.GetAgeProfile(by: key, dead: dead ? true : nil, limit: limit))
        try output.write(profile) { profile.lines(by: key, on: output.terminal) }
        if profile.total.total == 0 { output.note(dead ? "No dead letters." : "Nothing waits.") }
    }
}

extension QueueInterface.AgeProfile {
    /// The table for people: a column for each span of age, as Postfix's qshape has it.
    func lines(by key: QueueInterface.AgeKey, on terminal: Terminal) -> [String] {
        let titles = bounds.map { "<\(Duration.seconds($0).shortText)" } + ["more"]
        let columns =
            [
                Column<Line>(title: key.rawValue, cut: .first(minimum: 8)) { $0.name },
                Column<Line>(title: "ALL", isRightAligned: true) { StyledText("\($0.row.total)") },
            ]
            + titles.enumerated().map { index, title in
                Column<Line>(title: title, isRightAligned: true) { $0.count(index) }
            }
        var table = Table(columns, on: terminal)
        return table.lines(
            of: [Line(row: total, name: "TOTAL")] + rows.map(Line.init)
                + (others.map { [Line(row: $0, name: "(others)")] } ?? []))
    }

    private struct Line: Sendable {
        let row: QueueInterface.AgeRow
        let name: StyledText

        init(row: QueueInterface.AgeRow, name: StyledText) {
            self.row = row
            self.name = name
        }

        init(_ row: QueueInterface.AgeRow) {
            self.init(row: row, name: StyledText(optional: row.name))
        }

        /// Zeros are dim, so that what is there stands out.
        func count(_ index: Int) -> StyledText {
            guard row.counts.indices.contains(index) else { return "-" }
            return StyledText("\(row.counts[index])", row.counts[index] == 0 ? .dim : nil)
        }
    }
}

extension Duration {
    /// In a few columns: `10s`, `5m`, `2h`, `7d`.
    var shortText: String {
        let seconds = components.seconds
        return switch seconds {
        case ..<60: "\(seconds)s"
        case ..<3600: "\(seconds / 60)m"
        case ..<86_400: "\(seconds / 3600)h"
        default: "\(seconds / 86_400)d"
        }
    }
}
