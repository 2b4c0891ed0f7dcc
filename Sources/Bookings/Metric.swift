/// A family of figures about a daemon (`Metric` of io.acms.Bookings and io.acms.Queue), with a name and a unit after
/// the conventions of OpenMetrics (https://prometheus.io/docs/specs/om/open_metrics_spec/).
public struct Metric: Codable, Hashable, Sendable {
    /// How its samples are to be read.
    public enum Kind: String, Codable, Sendable, CaseIterable {
        /// Only rises, until the daemon starts anew.
        case counter = "COUNTER"
        /// What is now.
        case gauge = "GAUGE"
        /// How many values there were of which size.
        case histogram = "HISTOGRAM"
    }

    /// So many values of a histogram were at most `upTo`, and larger than what the bucket before holds.
    public struct Bucket: Codable, Hashable, Sendable {
        /// The largest value that it holds, in the metric's unit.
        public var upTo: Double
        /// How many it holds.
        public var count: Int

        /// Creates a bucket.
        public init(upTo: Double, count: Int) {
            self.upTo = upTo
            self.count = count
        }
    }

    /// The figures for one combination of labels.
    public struct Sample: Codable, Hashable, Sendable {
        /// What it is about.
        public var labels: [String: String]
        /// Of a counter or a gauge.
        public var value: Double?
        /// The sum of a histogram's values.
        public var sum: Double?
        /// The buckets of a histogram that hold values, in order.
        public var buckets: [Bucket]?

        /// A counter's or a gauge's.
        public init(_ value: Double, labels: [String: String] = [:]) {
            self.labels = labels
            self.value = value
        }

        /// A histogram's.
        public init(sum: Double, buckets: [Bucket], labels: [String: String] = [:]) {
            self.labels = labels
            self.sum = sum
            self.buckets = buckets
        }
    }

    /// Its name, without the suffix of a counter.
    public var name: String
    /// How its samples are to be read.
    public var kind: Kind
    /// What its values count, for example `seconds`; nil for plain numbers.
    public var unit: String?
    /// What it is, in a sentence.
    public var help: String
    /// Its figures.
    public var samples: [Sample]

    /// Creates a family.
    public init(_ name: String, _ kind: Kind, unit: String? = nil, help: String, samples: [Sample]) {
        self.name = name
        self.kind = kind
        self.unit = unit
        self.help = help
        self.samples = samples
    }
}

/// Reply of GetMetrics.
public struct MetricsReply: Codable, Hashable, Sendable {
    /// All families, in a fixed order.
    public var metrics: [Metric]
    /// Creates the reply.
    public init(metrics: [Metric]) { self.metrics = metrics }
}
