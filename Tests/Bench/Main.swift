import ArgumentParser
import Foundation

/// The program.
@main
struct Main: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "acms-bench",
        abstract: "Measures acms. ./Tests/bench builds everything and runs this.")

    @Option(
        help:
            "A directory to measure in, after what its file system is to be called: LABEL=DIRECTORY. May be repeated."
    )
    var room: [String]

    @Option(help: "A directory for logs and for what is used in all rooms.")
    var shared: String

    @Flag(help: "Runs of two seconds and small backlogs.")
    var quick = false

    @Flag(help: "Measure the other queues as well.")
    var peers = false

    @Option(
        help:
            "Only these cases, with commas between them: \(caseNames)."
    )
    var only: String?

    @Option(help: "Write all figures to this file.")
    var json: String?

    func run() throws {
        try Self.raiseDescriptorLimit()
        let cases = try chosenCases()
        let plan = quick ? Plan.quick : Plan.full
        var figures: [Figure] = []
        var failures: [String] = []
        for text in room {
            guard let mark = text.firstIndex(of: "=") else {
                throw ValidationError("no '=' in --room \(text)")
            }
            let directory = String(text[text.index(after: mark)...])
            let room = try Room(label: String(text[..<mark]), directory: directory, shared: shared)
            say("== \(room.label) (\(room.directory))")
            let benchmark = Benchmark(room, plan, peers: peers ? Peers.all : [])
            benchmark.run(cases)
            figures += benchmark.figures
            failures += benchmark.failures
        }
        let report = Report(figures: figures, failures: failures, plan: plan)
        say("\n\(report.markdown)")
        if let json { try report.json().write(to: URL(fileURLWithPath: json)) }
        for failure in failures { say("FAILED \(failure)") }
        if !failures.isEmpty { throw ExitCode.failure }
    }

    private static var caseNames: String { Case.allCases.map(\.rawValue).joined(separator: ", ") }

    private func chosenCases() throws -> [Case] {
        guard let only else { return Case.allCases.filter { peers || !$0.needsPeers } }
        return try only.split(separator: ",").map { name in
            guard let item = Case(rawValue: String(name)) else {
                throw ValidationError("There is no case '\(name)' among \(Self.caseNames).")
            }
            return item
        }
    }

    /// A thousand clients need more descriptors than a process usually may have; so does the front.
    private static func raiseDescriptorLimit() throws {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else {
            throw Failure.system("getrlimit")
        }
        limit.rlim_cur = min(limit.rlim_max, 65_536)
        guard setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else {
            throw Failure.system("setrlimit")
        }
    }
}
