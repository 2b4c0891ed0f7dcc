public import Bookings
import Glibc

/// Figures about a daemon's own process, which both daemons have.
public struct ProcessMetrics: Sendable {
    private let labels: [String: String]
    private let start = Timestamp.now()

    /// - Parameter daemon: the value of the label `daemon`: "front" or "worker".
    public init(daemon: String) {
        labels = ["daemon": daemon]
    }

    /// The figures of now.
    ///
    /// - Parameter connections: how many callers are connected.
    public func metrics(connections: Int) -> [Metric] {
        func gauge(_ name: String, unit: String? = nil, _ help: String, _ value: Double?) -> Metric {
            Metric(
                name, .gauge, unit: unit, help: help,
                samples: value.map { [Metric.Sample($0, labels: labels)] } ?? [])
        }
        let version = labels.merging(["version": acmsVersion]) { $1 }
        return [
            Metric(
                "acms_build_info", .gauge, help: "The version of the daemon, as a label.",
                samples: [Metric.Sample(1, labels: version)]),
            gauge("acms_connections", "Callers that are connected.", Double(connections)),
            gauge(
                "acms_process_resident_memory_bytes", unit: "bytes", "Memory of the daemon that is resident.",
                Self.residentBytes),
            Metric(
                "acms_process_cpu_seconds", .counter, unit: "seconds",
                help: "Time of processors that the daemon has used.",
                samples: [Metric.Sample(Self.cpuSeconds, labels: labels)]),
            gauge(
                "acms_process_open_fds", "File descriptors that the daemon has open.", Self.openDescriptors),
            gauge(
                "acms_process_start_time_seconds", unit: "seconds",
                "When the daemon started, in seconds since 1970-01-01T00:00:00Z.",
                Double(start.milliseconds) / 1000),
        ]
    }

    /// As proc_pid_statm(5) has it; nil where it can't be read.
    private static var residentBytes: Double? {
        guard let file = fopen("/proc/self/statm", "re") else { return nil }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 256)
        guard fgets(&line, Int32(line.count), file) != nil else { return nil }
        let fields = String(decoding: line.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
            .split(separator: " ")
        guard fields.count > 1, let pages = Int(fields[1]) else { return nil }
        return Double(pages * sysconf(Int32(_SC_PAGESIZE)))
    }

    private static var cpuSeconds: Double {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    private static var openDescriptors: Double? {
        guard let directory = opendir("/proc/self/fd") else { return nil }
        defer { closedir(directory) }
        var count = 0
        while let entry = readdir(directory) {
            if entry.pointee.d_name.0 != CChar(UInt8(ascii: ".")) { count += 1 }
        }
        // One is this look's own.
        return Double(count - 1)
    }
}
