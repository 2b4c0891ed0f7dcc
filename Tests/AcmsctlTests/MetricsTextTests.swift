import Bookings
import Testing

@testable import Verbs

@Suite struct MetricsTextTests {
    private func text(_ metric: Metric, _ form: MetricsText.Form = .prometheus) -> [String] {
        MetricsText(form: form).lines(of: [metric])
    }

    @Test func `a counter's family has the suffix for Prometheus, and has it not in OpenMetrics`() {
        let counter = Metric(
            "acms_cpu_seconds", .counter, unit: "seconds", help: "Time.", samples: [.init(1.25)])
        #expect(
            text(counter) == [
                "# TYPE acms_cpu_seconds_total counter", "# UNIT acms_cpu_seconds_total seconds",
                "# HELP acms_cpu_seconds_total Time.", "acms_cpu_seconds_total 1.25", "# EOF",
            ])
        #expect(
            text(counter, .openMetrics) == [
                "# TYPE acms_cpu_seconds counter", "# UNIT acms_cpu_seconds seconds",
                "# HELP acms_cpu_seconds Time.", "acms_cpu_seconds_total 1.25", "# EOF",
            ])
    }

    @Test func `a unit that the name doesn't end with is left out`() {
        let gauge = Metric("acms_x", .gauge, unit: "letters", help: "X.", samples: [])
        #expect(text(gauge) == ["# TYPE acms_x gauge", "# HELP acms_x X.", "# EOF"])
    }

    @Test(
        arguments: [
            (0, "0"), (1, "1"), (-3, "-3"), (1_073_741_824, "1073741824"), (0.1, "0.1"),
            (0.1 + 0.2, "0.30000000000000004"),
            (1e300, "1e+300"), (.infinity, "+Inf"), (-.infinity, "-Inf"), (.nan, "NaN"),
        ] as [(Double, String)]) func `a number is the shortest text that is read as exactly it`(
            number: Double, expected: String
        )
    {
        let gauge = Metric("acms_x", .gauge, help: "X.", samples: [.init(number)])
        #expect(text(gauge).contains("acms_x \(expected)"))
    }

    @Test func `labels are in order and escaped, and so is the help by the rules of each form`() {
        let gauge = Metric(
            "acms_x", .gauge, help: "A \"b\" \\ c\nd", samples: [.init(1, labels: ["b": "\"\\\n", "a": "ü"])])
        #expect(text(gauge).contains("# HELP acms_x A \"b\" \\\\ c\\nd"))
        #expect(text(gauge, .openMetrics).contains("# HELP acms_x A \\\"b\\\" \\\\ c\\nd"))
        #expect(text(gauge).contains("acms_x{a=\"ü\",b=\"\\\"\\\\\\n\"} 1"))
    }

    @Test func `narrow buckets are added up into the first bound that holds all of each`() {
        let histogram = Metric(
            "acms_x_seconds", .histogram, unit: "seconds", help: "X.",
            samples: [
                .init(
                    sum: 612.5,
                    buckets: [
                        .init(upTo: 0.0004, count: 1), .init(upTo: 0.0005, count: 2),
                        .init(upTo: 0.000501, count: 4), .init(upTo: 0.9, count: 8),
                        .init(upTo: 301, count: 16), .init(upTo: 5000, count: 32),
                    ], labels: ["daemon": "front"])
            ])
        let lines = text(histogram).filter { !$0.hasPrefix("#") }
        let counts = Dictionary(
            uniqueKeysWithValues: lines.map { $0.split(separator: " ") }.map { ($0[0], $0[1]) })
        #expect(lines.count == MetricsText.bounds.count + 3)
        #expect(counts["acms_x_seconds_bucket{daemon=\"front\",le=\"0.0005\"}"] == "3")
        #expect(counts["acms_x_seconds_bucket{daemon=\"front\",le=\"0.001\"}"] == "7")
        #expect(counts["acms_x_seconds_bucket{daemon=\"front\",le=\"0.5\"}"] == "7")
        #expect(counts["acms_x_seconds_bucket{daemon=\"front\",le=\"1.0\"}"] == "15")
        #expect(counts["acms_x_seconds_bucket{daemon=\"front\",le=\"300.0\"}"] == "15")
        #expect(counts["acms_x_seconds_bucket{daemon=\"front\",le=\"+Inf\"}"] == "63")
        #expect(counts["acms_x_seconds_sum{daemon=\"front\"}"] == "612.5")
        #expect(counts["acms_x_seconds_count{daemon=\"front\"}"] == "63")
    }

    @Test func `a histogram without values counts none`() {
        let histogram = Metric(
            "acms_x_seconds", .histogram, help: "X.", samples: [.init(sum: 0, buckets: [])])
        #expect(text(histogram).contains("acms_x_seconds_bucket{le=\"+Inf\"} 0"))
        #expect(text(histogram).contains("acms_x_seconds_count 0"))
    }

    @Test func `families of one name are one, the front's first, and no sample is there twice`() {
        func gauge(_ name: String, _ daemons: String...) -> Metric {
            Metric(
                name, .gauge, help: "\(daemons)", samples: daemons.map { .init(1, labels: ["daemon": $0]) })
        }
        let merged = [gauge("acms_a", "front"), gauge("acms_b", "front")].merged(with: [
            gauge("acms_c", "worker"), gauge("acms_a", "worker", "front"),
            Metric("acms_b", .counter, help: "Of another version.", samples: [.init(1)]),
        ])
        #expect(merged.map(\.name) == ["acms_a", "acms_b", "acms_c"])
        #expect(
            merged.map { $0.samples.map { $0.labels["daemon"] } } == [
                ["front", "worker"], ["front"], ["worker"],
            ])
    }
}
