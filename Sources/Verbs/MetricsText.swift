import Bookings

/// Metrics as text, in one of the two forms that Prometheus reads.
struct MetricsText {
    enum Form {
        /// The text format (https://prometheus.io/docs/instrumenting/exposition_formats/), which names a counter's
        /// family as its samples, with `_total`. Units and the end are comments to it.
        case prometheus
        /// OpenMetrics 1.0 (https://prometheus.io/docs/specs/om/open_metrics_spec/), which names it without.
        case openMetrics
    }

    let form: Form

    /// The largest values, in seconds, of the buckets that all histograms are printed with. They are fixed, so that
    /// figures of different times and hosts can be added up.
    static let bounds: [Double] = [
        0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300,
    ]

    /// All lines, with the end's mark.
    func lines(of metrics: [Metric]) -> [String] {
        metrics.flatMap(lines) + ["# EOF"]
    }

    private func lines(of metric: Metric) -> [String] {
        let name = form == .prometheus ? metric.sampleName : metric.name
        var lines = ["# TYPE \(name) \(metric.kind.rawValue.lowercased())"]
        // OpenMetrics demands that the name ends with its unit.
        if let unit = metric.unit, metric.name.hasSuffix("_\(unit)") {
            lines.append("# UNIT \(name) \(unit)")
        }
        lines.append("# HELP \(name) \(escaped(metric.help))")
        for sample in metric.samples {
            lines += metric.kind == .histogram ? histogram(metric, sample) : value(metric, sample)
        }
        return lines
    }

    private func value(_ metric: Metric, _ sample: Metric.Sample) -> [String] {
        guard let value = sample.value else { return [] }
        return ["\(metric.sampleName)\(labels(sample)) \(value.metricText)"]
    }

    private func histogram(_ metric: Metric, _ sample: Metric.Sample) -> [String] {
        let buckets = sample.buckets ?? []
        var lines: [String] = []
        var rest = buckets[...]
        var count = 0
        for bound in Self.bounds {
            while let bucket = rest.first, bucket.upTo <= bound {
                count += bucket.count
                rest = rest.dropFirst()
            }
            // With a fraction always, as OpenMetrics wants bounds to be spelled.
            lines.append("\(metric.name)_bucket\(labels(sample, le: "\(bound)")) \(count)")
        }
        count += rest.reduce(0) { $0 + $1.count }
        lines.append("\(metric.name)_bucket\(labels(sample, le: "+Inf")) \(count)")
        lines.append("\(metric.name)_sum\(labels(sample)) \((sample.sum ?? 0).metricText)")
        lines.append("\(metric.name)_count\(labels(sample)) \(count)")
        return lines
    }

    private func labels(_ sample: Metric.Sample, le bound: String? = nil) -> String {
        var pairs = sample.labels.sorted { $0.key < $1.key }.map { key, value in
            "\(key)=\"\(value.escapedForMetrics.replacing("\"", with: "\\\""))\""
        }
        if let bound { pairs.append("le=\"\(bound)\"") }
        return pairs.isEmpty ? "" : "{\(pairs.joined(separator: ","))}"
    }

    /// Prometheus takes a backslash before a quote for itself in a help text, so only OpenMetrics gets one.
    private func escaped(_ help: String) -> String {
        let help = help.escapedForMetrics
        return form == .prometheus ? help : help.replacing("\"", with: "\\\"")
    }
}

extension Metric {
    /// The name of a counter's or a gauge's samples.
    fileprivate var sampleName: String { kind == .counter ? "\(name)_total" : name }
}

extension Double {
    /// The shortest text that is read as exactly this number.
    fileprivate var metricText: String {
        if isNaN { return "NaN" }
        if isInfinite { return self < 0 ? "-Inf" : "+Inf" }
        let text = "\(self)"
        return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
    }
}

extension String {
    /// With what would end a line, and what escapes it, escaped.
    fileprivate var escapedForMetrics: String {
        replacing("\\", with: "\\\\").replacing("\n", with: "\\n")
    }
}
