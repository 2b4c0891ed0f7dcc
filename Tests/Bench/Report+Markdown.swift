extension Report {
    /// Tables for people, one of figures and one of targets for each room.
    func markdown(_ plan: Plan) -> String {
        var lines = [
            "\(machine.date), \(machine.processor), \(machine.cores) cores, \(machine.memory) of memory, "
                + "Linux \(machine.kernel)."
        ]
        for place in places {
            let room = RoomFigures(figures: figures.filter { $0.place == place })
            lines += ["", "### \(place)", ""] + table(room)
            let targets = targets(room, plan)
            if !targets.isEmpty { lines += [""] + targets }
        }
        return lines.joined(separator: "\n")
    }

    /// In the order of their first figures.
    private var places: [String] {
        figures.reduce(into: []) { places, figure in
            if places.last != figure.place { places.append(figure.place) }
        }
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

    private func targets(_ room: RoomFigures, _ plan: Plan) -> [String] {
        let lines = Target.all(plan).compactMap { target -> String? in
            guard let value = target.value(room) else { return nil }
            let limit =
                switch target.limit {
                case .atLeast(let limit): "at least \(Figure.text(limit, target.unit))"
                case .atMost(let limit): "at most \(Figure.text(limit, target.unit))"
                }
            let isMet = target.isMet(by: value) ? "met" : "**not met**"
            return "| \(target.promise) | \(limit) | \(Figure.text(value, target.unit)) | \(isMet) |"
        }
        return lines.isEmpty ? [] : ["| target | is to be | is | |", "|---|---|---|---|"] + lines
    }
}
