import Bookings

/// A frame of the live screen: exactly so many lines, none wider than the screen. Pure.
struct TopScreen {
    let state: TopState
    let size: (columns: Int, rows: Int)
    let hasColour: Bool
    /// Whether only ASCII may be used.
    var isPlain = false
    /// What was done last, or couldn't be.
    var message: StyledText?

    /// The frame.
    var lines: [String] {
        var lines = [title, daemons, ""] + queue + [""] + rates + [""] + latencies + [""] + letters
        let footer = message ?? "q quit   p pause   r resume   d dead letters"
        lines = Array(lines.prefix(max(0, size.rows - 1)))
        lines += Array(repeating: "", count: max(0, size.rows - 1 - lines.count))
        return lines + [row([footer])]
    }

    /// Pieces of text beside one another, cut where the screen ends.
    private func row(_ pieces: [StyledText]) -> String {
        var room = size.columns
        var text = ""
        for piece in pieces where room > 0 {
            text += piece.rendered(hasColour: hasColour, width: room)
            room -= min(room, piece.text.displayWidth)
        }
        return text
    }

    private var title: String {
        let time = String("\(state.sample.time)".prefix(19)).replacing("T", with: " ") + "Z"
        let pause: StyledText =
            switch state.sample.attributes {
            case let attributes? where attributes.paused:
                StyledText(
                    "PAUSED\(attributes.pausedUntil.map { " until \("\($0)".prefix(16))Z" } ?? "")", .yellow)
            case nil: StyledText("")
            default: StyledText("committing", .green)
            }
        return row(["acms \(acmsVersion)   \(time)   ", pause])
    }

    private var daemons: String {
        row(
            daemon("front", state.sample.front, state.frontLoad)
                + ["   "] + daemon("worker", state.sample.worker, state.workerLoad) + ["   "] + table)
    }

    private func daemon(_ name: String, _ metrics: Result<[Metric], Failure>, _ load: Double?) -> [StyledText]
    {
        switch metrics {
        case .failure(let failure):
            return ["\(name) ", StyledText("DOWN: \(failure.brief)", .red)]
        case .success(let metrics):
            let memory = metrics.value("acms_process_resident_memory_bytes").map { $0.bytesText } ?? "-"
            let cpu = load.map { "\(($0 * 100).whole) %" } ?? "-"
            return ["\(name) ", StyledText("up", .green), " \(memory) \(cpu) CPU"]
        }
    }

    private var table: [StyledText] {
        guard let attributes = state.sample.attributes else { return [] }
        if attributes.tableAvailable { return ["table ", StyledText("available", .green)] }
        return ["table ", StyledText("UNAVAILABLE", .red)]
    }

    private var queue: [String] {
        func count(_ value: Int?) -> String { value.map { $0.grouped } ?? "-" }
        let dead = state.count("dead", \.dead)
        let age = state.oldest.map { Duration.seconds($0).roundText } ?? "none waits"
        var lines = [
            row([
                "QUEUE  incoming \(count(state.count("incoming", \.incoming)))",
                "   active \(count(state.count("active", \.active)))",
                "   deferred \(count(state.count("deferred", \.deferred)))   dead ",
                StyledText(count(dead), dead ?? 0 > 0 ? .red : nil), "   oldest \(StyledText(age).text)",
            ])
        ]
        if let trouble = state.sample.attributes?.tableError {
            lines.append(row([StyledText(trouble, .red)]))
        }
        return lines
    }

    private var rates: [String] {
        func line(_ name: String, _ rate: TopHistory.Rate, _ style: StyledText.Style?) -> String {
            let now = rate.rates.last.map { "\($0.whole.grouped)/s" } ?? "-"
            let total = rate.total.map { $0.whole.grouped } ?? "-"
            let head = name.padded(to: 11) + now.leftPadded(to: 10) + total.leftPadded(to: 15) + "  "
            let width = max(0, size.columns - head.displayWidth)
            return row([
                StyledText(head),
                StyledText(Sparkline.text(rate.rates, width: width, isPlain: isPlain), style),
            ])
        }
        return [
            row(
                ["RATE".padded(to: 11) + "now".leftPadded(to: 10) + "in all".leftPadded(to: 15)].map {
                    StyledText($0, .dim)
                }),
            line("accepted", state.accepted, .green), line("committed", state.committed, .green),
            line("refused", state.refused, .yellow),
        ]
    }

    private var latencies: [String] {
        func line(_ name: String, _ percentiles: LatencyWindow.Percentiles?) -> String {
            let values = percentiles.map { [$0.p50, $0.p90, $0.p99, $0.max].map(\.latencyText) }
            let cells = (values ?? ["-", "-", "-", "-"]).map {
                (isPlain ? $0.replacing("µ", with: "u") : $0).leftPadded(to: 10)
            }
            let count = percentiles.map { $0.count.grouped } ?? "-"
            return row([StyledText(name.padded(to: 21) + cells.joined() + count.leftPadded(to: 12))])
        }
        let titles = ["p50", "p90", "p99", "max"].map { $0.leftPadded(to: 10) }.joined()
        return [
            row([StyledText("LATENCY".padded(to: 21) + titles + "of".leftPadded(to: 12), .dim)]),
            line("call to answer", state.accept), line("  sync of a group", state.sync),
            line("accepted to committed", state.latency), line("  transaction", state.commit),
        ]
    }

    private var letters: [String] {
        guard let profile = state.sample.letters else { return [] }
        let rows = profile.rows + (profile.others.map { [$0] } ?? [])
        return [row([StyledText("DEAD LETTERS  REASON", .dim)])]
            + rows.map { one in
                row([
                    StyledText("\(one.total.grouped)".leftPadded(to: 12) + "  ", .red),
                    StyledText(one.name ?? "other reasons"),
                ])
            }
    }
}
