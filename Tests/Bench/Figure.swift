/// One measured figure.
struct Figure: Codable {
    /// The file system.
    var place = ""
    /// What was measured, the same for all systems.
    let name: String
    /// Whose it is: acms, C, or another queue.
    let system: String
    let value: Double
    let unit: String
    /// Of calls, or of bookings until they were committed.
    var latency: Latency?
    /// CPU microseconds a booking of all the system's processes.
    var serverMicroseconds: Double?
    /// CPU microseconds a booking of the load generator.
    var generatorMicroseconds: Double?
    /// Most resident memory of the system's main process, in MB.
    var peakMegabytes: Double?
    /// The name of acms' figure that this one is a measure for, if it differs from its own.
    var counterpart: String?
    /// What else is to be known.
    var remark: String?

    /// How long something took, in microseconds.
    struct Latency: Codable {
        let p50, p90, p99, p999, max: Double

        init?(_ histogram: Histogram) {
            guard histogram.count > 0 else { return nil }
            func microseconds(_ share: Double) -> Double { Double(histogram.quantile(share)) / 1000 }
            (p50, p90, p99, p999) = (
                microseconds(0.5), microseconds(0.9), microseconds(0.99), microseconds(0.999)
            )
            max = Double(histogram.maximum) / 1000
        }
    }

    init(_ name: String, _ system: String, _ value: Double, _ unit: String) {
        self.name = name
        self.system = system
        self.value = value
        self.unit = unit
    }

    /// A rate of accepted bookings.
    init(
        _ name: String, _ system: String, _ result: LoadResult, serverSeconds: Double?, peakBytes: Int? = nil
    ) {
        self.init(name, system, result.rate, "bookings/s")
        latency = Latency(result.latency)
        serverMicroseconds = serverSeconds.map { $0 * 1e6 / Double(result.bookings) }
        generatorMicroseconds = result.ownSeconds * 1e6 / Double(result.bookings)
        peakMegabytes = peakBytes.map { Double($0) / 1e6 }
    }
}
