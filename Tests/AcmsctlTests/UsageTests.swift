import Support
import Testing

@Suite struct UsageTests {
    @Test(arguments: [
        ["shwo", "x"], ["list"], ["list", "--apartment", "a", "--user", "b"], ["show"],
        ["list", "--user", "a", "--status", "maybe"], ["list", "--user", "a", "--limit", "0"],
        ["book", "--user", "a", "--apartment", "b", "--from", "2026-02-30", "--to", "2026-03-01"],
        ["book", "--user", "a", "--apartment", "b", "--from", "1.2.2026", "--to", "2026-03-01"],
        ["dlq", "list", "--class", "odd"], ["dlq", "list", "--before", "yesterday"],
        ["dlq", "show", "x", "--body", "--json"], ["queue", "--timeout", "0"], ["queue", "--timeout", "nan"],
        ["queue", "--nope"], ["metrics", "--json", "--openmetrics"], ["metrics", "--worker", "maybe"],
        ["metrics", "--timeout", "0"], ["metrics", "--output", ""],
    ]) func `a wrong command line exits 64 and says so on standard error`(arguments: [String]) async throws {
        let outcome = try await Program.run([Program.path] + arguments)
        #expect(outcome.status == 64)
        #expect(outcome.output.isEmpty)
        #expect(outcome.errors.hasPrefix("acmsctl: "))
        #expect(outcome.errors.contains("Usage: acmsctl"))
    }

    @Test(arguments: [
        (["shwo", "x"], "show"), (["mterics"], "metrics"), (["dlq", "lsit"], "dlq list"),
        (["dlq", "redirve", "--all"], "dlq redrive"),
    ]) func `an unknown verb gets a suggestion`(arguments: [String], verb: String) async throws {
        let outcome = try await Program.run([Program.path] + arguments)
        #expect(outcome.status == 64)
        #expect(outcome.errorLines.contains("Did you mean 'acmsctl \(verb)'?"))
    }

    @Test(arguments: [[], ["--help"], ["dlq"], ["book", "--help"]])
    func `help goes to standard output and exits 0`(arguments: [String]) async throws {
        let outcome = try await Program.run([Program.path] + arguments)
        #expect(outcome.status == 0)
        #expect(outcome.output.contains("EXAMPLES\n  acmsctl "))
        #expect(outcome.errors.isEmpty)
    }

    @Test func `an invalid configuration exits 78 with one line`() async throws {
        let directory = try TemporaryDirectory()
        try directory.write("socket:\n  bokings: /x\n", to: "acms.yaml")
        let file = "\(directory.path)/acms.yaml"
        let outcome = try await Program.run("show", "x", "--config", file)
        #expect(outcome.status == 78)
        #expect(outcome.errorLines.count == 1)
        #expect(outcome.errors.hasPrefix("acmsctl: \(file): socket.bokings: "))
    }

    @Test func `a configuration that is named must be there`() async throws {
        let outcome = try await Program.run("show", "x", "--config", "/nonexistent/acms.yaml")
        #expect(outcome.status == 78)
        #expect(outcome.errorLines.count == 1)
    }

    @Test func `the configuration says where to connect, the environment comes before it`() async throws {
        let directory = try TemporaryDirectory()
        try directory.write("socket:\n  bookings: /nonexistent/file\n", to: "acms.yaml")
        let file = "\(directory.path)/acms.yaml"
        let configured = try await Program.run("show", "x", "--config", file)
        #expect(configured.errors.contains("/nonexistent/file"))
        let overridden = try await Program.run(
            "show", "x", "--config", file, environment: ["ACMS_SOCKET_BOOKINGS": "/nonexistent/variable"])
        #expect(overridden.errors.contains("/nonexistent/variable"))
        let named = try await Program.run("show", "x", "--config", file, "--socket", "/nonexistent/option")
        #expect(named.errors.contains("/nonexistent/option"))
    }
}
