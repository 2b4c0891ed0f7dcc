import CBench
import Foundation

/// A server that was started, and what it uses.
final class ServerProcess {
    let identifier: pid_t
    private let name: String
    private let log: String
    private var isGone = false
    private var status: Int32 = 0
    private var used = rusage()
    private let deathSignal: Int32

    /// A user that a server is to run as.
    struct User {
        let id: uid_t
        let group: gid_t

        init?(_ name: String) {
            guard let entry = getpwnam(name) else { return nil }
            (id, group) = (entry.pointee.pw_uid, entry.pointee.pw_gid)
        }
    }

    /// - Parameters:
    ///   - command: the program's path and its arguments.
    ///   - log: a file for what it writes.
    ///   - deathSignal: what the kernel sends it when the benchmark ends early.
    init(
        _ command: [String], environment: [String: String] = [:], log: String, directory: String = "/",
        user: User? = nil, deathSignal: Int32 = SIGKILL
    ) throws {
        name = (command[0] as NSString).lastPathComponent
        self.log = log
        self.deathSignal = deathSignal
        let arguments = command.map { strdup($0) }
        let variables = environment.map { strdup("\($0.key)=\($0.value)") }
        defer { (arguments + variables).forEach { free($0) } }
        let child = bench_spawn(
            arguments.map { UnsafePointer($0) } + [nil], variables.map { UnsafePointer($0) } + [nil], log,
            directory,
            user?.id ?? 0, user?.group ?? 0, deathSignal)
        // Without an identifier there is nothing to be ended: kill(2) takes -1 for every process there is.
        guard child > 0 else { throw Failure.system("start", command[0]) }
        identifier = child
    }

    deinit {
        guard !isGone else { return }
        kill(identifier, deathSignal)
        _ = try? waitForEnd(seconds: 60)
    }

    /// - Throws: if it has ended by itself, with the end of its log.
    func checkThatItRuns() throws {
        guard try hasEnded() else { return }
        throw Failure("\(name) has ended:\n\(logEnd)")
    }

    private var logEnd: Substring { ((try? String(contentsOfFile: log, encoding: .utf8)) ?? "").suffix(2000) }

    /// Waits for a program that ends by itself.
    ///
    /// - Throws: if it doesn't end well.
    func waitForSuccess(seconds: Double) throws {
        try waitForEnd(seconds: seconds)
        guard status == 0 else { throw Failure("\(name) has failed:\n\(logEnd)") }
    }

    /// Asks it to end, and waits.
    func stop(_ signal: Int32 = SIGTERM) throws {
        guard !isGone else { return }
        kill(identifier, signal)
        try waitForEnd(seconds: 60)
    }

    private func waitForEnd(seconds: Double) throws {
        try wait(for: "the end of \(name)", seconds: seconds) { try hasEnded() ? () : nil }
    }

    private func hasEnded() throws -> Bool {
        if !isGone { isGone = wait4(identifier, &status, WNOHANG, &used) == identifier }
        return isGone
    }
}

extension ServerProcess {
    /// What it has used in all, once it has ended.
    var endUsage: (processorSeconds: Double, peakBytes: Int) {
        func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }
        return (seconds(used.ru_utime) + seconds(used.ru_stime), used.ru_maxrss << 10)
    }

    /// CPU seconds that it and its children have used.
    func processorSeconds() throws -> Double {
        let ticks = try Self.tree(identifier).reduce(0) { $0 + Self.ticks($1) }
        return Double(ticks) / Double(sysconf(Int32(_SC_CLK_TCK)))
    }

    /// Resident memory in bytes: now, and the most it ever was.
    func memory() throws -> (now: Int, most: Int) {
        let status = try Self.status("/proc/\(identifier)/status")
        return ((status["VmRSS"] ?? 0) << 10, (status["VmHWM"] ?? 0) << 10)
    }

    /// How often each of its threads was switched to, so far.
    func contextSwitches() throws -> [String: Int] {
        let threads = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(identifier)/task")
        return threads.reduce(into: [:]) { counts, thread in
            // One can end while they are gone through.
            let status = (try? Self.status("/proc/\(identifier)/task/\(thread)/status")) ?? [:]
            counts[thread] =
                (status["voluntary_ctxt_switches"] ?? 0) + (status["nonvoluntary_ctxt_switches"] ?? 0)
        }
    }

    /// Its own time, and that of its children which have ended.
    private static func ticks(_ process: pid_t) -> Int {
        // The name, in parentheses, can hold anything; the state after it is field 3.
        guard let stat = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8),
            let end = stat.lastIndex(of: ")")
        else { return 0 }
        let fields = stat[end...].split(separator: " ")
        return fields.count < 15 ? 0 : fields[12...15].reduce(0) { $0 + (Int($1) ?? 0) }
    }

    private static func tree(_ process: pid_t) throws -> [pid_t] {
        let path = "/proc/\(process)/task/\(process)/children"
        let children = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
        return try [process] + children.split(separator: " ").compactMap { pid_t($0) }.flatMap(tree)
    }

    private static func status(_ path: String) throws -> [String: Int] {
        let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
        return Dictionary(
            lines.compactMap { line in
                let parts = line.split { $0 == ":" || $0 == "\t" || $0 == " " }
                return parts.count < 2 ? nil : Int(parts[1]).map { (String(parts[0]), $0) }
            }, uniquingKeysWith: { $1 })
    }
}
