import Foundation

/// All figures of a run.
struct Report: Codable {
    var machine = Machine()
    let figures: [Figure]
    let targets: [TargetOutcome]
    let failures: [String]

    init(figures: [Figure], failures: [String], plan: Plan) {
        self.figures = figures
        self.failures = failures
        targets = Self.places(figures).flatMap { place in
            Target.all(plan).compactMap { TargetOutcome($0, place, figures) }
        }
    }

    /// The file systems, in the order of their first figures.
    static func places(_ figures: [Figure]) -> [String] {
        figures.reduce(into: []) { places, figure in
            if places.last != figure.place { places.append(figure.place) }
        }
    }

    /// What they were measured on.
    struct Machine: Codable {
        var date = String(ISO8601DateFormatter().string(from: Date()).prefix(10))
        var processor = Self.value(of: "model name", in: "/proc/cpuinfo") ?? "unknown"
        var cores = ProcessInfo.processInfo.activeProcessorCount
        var memory = Self.value(of: "MemTotal", in: "/proc/meminfo") ?? "unknown"
        var kernel = Self.kernel()

        private static func value(of name: String, in path: String) -> String? {
            let lines = (try? String(contentsOfFile: path, encoding: .utf8))?.split(separator: "\n") ?? []
            return lines.first { $0.hasPrefix(name) }?.split(separator: ":").last.map {
                $0.trimmingCharacters(in: .whitespaces)
            }
        }

        private static func kernel() -> String {
            let text = try? String(contentsOfFile: "/proc/sys/kernel/osrelease", encoding: .utf8)
            return text?.trimmingCharacters(in: .whitespacesAndNewlines) ?? "unknown"
        }
    }

    /// All of it for programs.
    func json() throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return try encoder.encode(self)
    }
}
