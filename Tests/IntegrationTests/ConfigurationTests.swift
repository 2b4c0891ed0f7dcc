import Foundation
import Support
import Testing

/// A mistake in the configuration keeps either daemon from starting, in one line and without a trace.
@Suite struct ConfigurationTests {
    /// Something wrong, and what is to be said of it; `FILE` stands for the file's path.
    struct Mistake: CustomTestStringConvertible {
        var yaml: String? = ""
        var environment: [String: String] = [:]
        let told: String
        /// The line may go on after `told`.
        var isBeginning = false

        var testDescription: String { told }
    }

    static let mistakes = [
        Mistake(
            yaml: "wroker:\n  batch-size: 5\n", told: "FILE: wroker: is no setting; did you mean worker?"),
        Mistake(
            yaml: "worker:\n  batch-sise: 5\n",
            told: "FILE: worker.batch-sise: is no setting; did you mean worker.batch-size?"),
        Mistake(
            yaml: "worker:\n  batch-size: ten\n", told: "FILE: worker.batch-size: must be an integer, is ten"),
        Mistake(
            yaml: "worker:\n  batch-size: [5]\n", told: "FILE: worker.batch-size: must be a single value"),
        Mistake(yaml: "worker:\n  batch-size: 11\n", told: "FILE: worker.batch-size: must be 1 to 10, is 11"),
        Mistake(
            yaml: "worker:\n  idle-exit-seconds: -1\n",
            told: "FILE: worker.idle-exit-seconds: must be 0 to 86400 seconds, is -1"),
        Mistake(
            yaml: "spool:\n  directory: here\n",
            told: "FILE: spool.directory: must be an absolute path, is here"),
        Mistake(
            yaml: "worker:\n  retry-initial-seconds: 9\n  retry-maximum-seconds: 8\n",
            told: "FILE: worker.retry-maximum-seconds: "
                + "must not be less than worker.retry-initial-seconds, which is 9"),
        Mistake(
            yaml: "front:\n  trusted-groups: {a: b}\n",
            told: "FILE: front.trusted-groups: must be a list of names"),
        Mistake(
            yaml: "front:\n  bind-users: yes\n", told: "FILE: front.bind-users: must be true or false, is yes"
        ),
        Mistake(
            yaml: "log:\n  level: loud\n", told: "FILE: log.level: must be one of ", isBeginning: true),
        Mistake(yaml: "worker: [\n", told: "FILE: is not YAML: line ", isBeginning: true),
        Mistake(
            yaml: "worker:\n  batch-size: 5\n  batch-size: 6\n",
            told: "FILE: batch-size: is there twice, first in line 2"),
        Mistake(yaml: nil, told: "FILE: can't be read: No such file or directory"),
        Mistake(
            environment: ["ACMS_WORKER_BATCHSIZE": "5"],
            told: "ACMS_WORKER_BATCHSIZE: is no setting; did you mean ACMS_WORKER_BATCH_SIZE?"),
        Mistake(
            environment: ["ACMS_WORKER_BATCH_SIZE": "many"],
            told: "ACMS_WORKER_BATCH_SIZE: worker.batch-size: must be an integer, is many"),
        Mistake(
            environment: ["ACMS_WORKER_RETRY_INITIAL_SECONDS": "400"],
            told: "ACMS_WORKER_RETRY_INITIAL_SECONDS: worker.retry-initial-seconds: "
                + "must not be more than worker.retry-maximum-seconds, which is 300"),
    ]

    @Test(arguments: mistakes, ["acms-frontd", "acms-workerd"])
    func aMistakeIsToldInOneLineAndNothingIsCreated(mistake: Mistake, program: String) async throws {
        let site = try Site()
        if let yaml = mistake.yaml { try site.directory.write(yaml, to: "acms.yaml") }
        try await expectRefusal(of: mistake, by: program, on: site)
    }

    @Test(arguments: ["acms-frontd", "acms-workerd"])
    func aDirectoryInPlaceOfTheFileIsTold(program: String) async throws {
        let site = try Site()
        try FileManager.default.createDirectory(
            atPath: "\(site.directory.path)/acms.yaml", withIntermediateDirectories: false)
        try await expectRefusal(
            of: Mistake(told: "FILE: can't be read: Is a directory"), by: program, on: site)
    }

    @Test(
        .enabled("Only root can run the daemons as a user who can't read a file.") {
            try await Identity.canRunPrograms()
        }, arguments: ["acms-frontd", "acms-workerd"])
    func aFileOfSomebodyElseIsTold(program: String) async throws {
        let site = try Site()
        try site.directory.write("", to: "acms.yaml")
        chmod("\(site.directory.path)/acms.yaml", 0o600)
        chmod(site.directory.path, 0o777)
        try await expectRefusal(
            of: Mistake(told: "FILE: can't be read: Permission denied"), by: program, on: site,
            as: Identity(user: 65534, group: 65534))
    }

    @Test(arguments: ["acms-frontd", "acms-workerd"])
    func aValidConfigurationIsSaidToBeValidAndNothingIsCreated(program: String) async throws {
        let site = try Site()
        try site.directory.write("worker:\n  batch-size: 5\n", to: "acms.yaml")
        let run = try await run(program, ["--check-config"], on: site)
        #expect(run.status == 0)
        #expect(run.lines == ["The configuration is valid."])
        #expect(run.errors.isEmpty)
        #expect(try contents(site) == ["acms.yaml", "spool", "table"])
    }

    private func expectRefusal(
        of mistake: Mistake, by program: String, on site: Site, as identity: Identity? = nil
    ) async throws {
        let told = mistake.told.replacing("FILE", with: "\(site.directory.path)/acms.yaml")
        for more in [[], ["--check-config"]] {
            let before = try contents(site)
            let run = try await run(program, more, on: site, mistake.environment, as: identity)
            #expect(run.status == 78)
            #expect(run.output.isEmpty)
            #expect(run.errors.hasSuffix("\n"))
            let line = try #require(run.errorLines.first)
            #expect(run.errorLines.count == 1, "\(run.errors)")
            #expect(
                mistake.isBeginning ? line.hasPrefix("\(program): \(told)") : line == "\(program): \(told)",
                "\(line)")
            // Neither in the spool's directory nor beside it: no socket, no table.
            #expect(try contents(site) == before)
        }
    }

    /// Runs a daemon, for a limited time should it not refuse to.
    private func run(
        _ program: String, _ arguments: [String], on site: Site, _ environment: [String: String] = [:],
        as identity: Identity? = nil
    ) async throws -> Command {
        try FileManager.default.createDirectory(
            atPath: "\(site.directory.path)/spool", withIntermediateDirectories: true)
        let path = Site.products.appendingPathComponent(program).path
        let command =
            ["/usr/bin/timeout", "20", path, "--config", "\(site.directory.path)/acms.yaml"] + arguments
        let places = site.environment.filter {
            !$0.key.hasPrefix("ACMS_WORKER_") && $0.key != "ACMS_LOG_LEVEL"
        }
        return try await Command.run(
            identity?.command(command) ?? command, environment: places.merging(environment) { $1 })
    }

    private func contents(_ site: Site) throws -> [String] {
        try FileManager.default.createDirectory(
            atPath: "\(site.directory.path)/spool", withIntermediateDirectories: true)
        return try FileManager.default.subpathsOfDirectory(atPath: site.directory.path).sorted()
    }
}
