extension Report {
    /// Tables for people, one of figures and one of targets for each room.
    var markdown: String {
        var lines = [
            "\(machine.date), \(machine.processor), \(machine.cores) cores, \(machine.memory) of memory, "
                + "Linux \(machine.kernel)."
        ]
        for place in Self.places(figures) {
            let room = RoomFigures(figures: figures.filter { $0.place == place })
            lines += ["", "### \(place)", ""] + table(room)
            lines += targetTable(targets.filter { $0.place == place })
        }
        return lines.joined(separator: "\n")
    }

    private func table(_ room: RoomFigures) -> [String] {
        let head = [
            "| case | whose | figure | acms is | p50 / p99 / max | CPU a booking |",
            "|---|---|---|---|---|---|",
        ]
        return head
            + room.figures.map { figure in
                let latency = figure.latency.map { value in
                    [value.p50, value.p99, value.max].map { Figure.short($0 / 1000) }.joined(separator: " / ")
                        + " ms"
                }
                let ratio =
                    figure.system == "acms"
                    ? nil : room.ratio(figure.counterpart ?? figure.name, figure.name, figure.system)
                let cells = [
                    figure.name, figure.system, Figure.text(figure.value, figure.unit),
                    ratio.map { "\(Figure.short($0))×" }, latency,
                    figure.serverMicroseconds.map { Figure.short($0) + " µs" },
                ]
                return "| " + cells.map { $0 ?? "" }.joined(separator: " | ") + " |"
            }
    }

    private func targetTable(_ outcomes: [TargetOutcome]) -> [String] {
        guard !outcomes.isEmpty else { return [] }
        return ["", "| target | is to be | is | |", "|---|---|---|---|"]
            + outcomes.map { outcome in
                "| \(outcome.promise) | \(outcome.limit) | \(Figure.text(outcome.value, outcome.unit)) "
                    + "| \(outcome.isMet ? "met" : "**not met**") |"
            }
    }
}
