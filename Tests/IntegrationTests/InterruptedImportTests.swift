import Bookings
import Foundation
import Support
import Testing

@Suite struct InterruptedImportTests {
    /// Lines of two users an apartment, some of which say the same twice.
    private static let lines = (0..<6000).map { number in
        let day = number % 100 == 99 ? number - 1 : number
        return """
            {"userId":"u\(day)","apartmentId":"A\(day % 50)","startDate":"2026-01-01","endDate":"2026-01-05"}\n
            """
    }
    private static let bookings = Set(lines).count

    /// `acmsctl import -`, which is given lines by the test and writes its results to a file.
    private final class Import: Sendable {
        private let process: ChildProcess
        private let input: FileHandle
        private let results: String

        init(_ site: Site, _ name: String) throws {
            let pipe = Pipe()
            // A child that holds the writing end itself would never see the end.
            for end in [pipe.fileHandleForReading, pipe.fileHandleForWriting] {
                _ = fcntl(end.fileDescriptor, F_SETFD, FD_CLOEXEC)
            }
            results = "\(site.directory.path)/\(name)"
            try site.directory.write("", to: name)
            let output = try FileHandle(forWritingTo: URL(fileURLWithPath: results))
            let errors = FileHandle(forWritingAtPath: "/dev/null") ?? output
            process = try ChildProcess(
                [
                    Site.products.appendingPathComponent("acmsctl").path, "import", "-", "--json",
                    "--refused", "\(results).refused",
                ],
                environment: site.environment, input: pipe.fileHandleForReading.fileDescriptor,
                output: output.fileDescriptor, errors: errors.fileDescriptor)
            try pipe.fileHandleForReading.close()
            input = pipe.fileHandleForWriting
        }

        func write(_ lines: some Sequence<String>) throws {
            try input.write(contentsOf: Data(lines.joined().utf8))
        }

        func close() throws { try input.close() }
        func kill() { process.signal(SIGKILL) }
        func end() async -> Int32 { await process.end() }

        /// The ids by number of their lines.
        func ids() throws -> [Int: String] {
            struct Outcome: Decodable {
                let line: Int
                let id: String
            }
            let text = try String(contentsOfFile: results, encoding: .utf8)
            // The last line may not be whole yet.
            let outcomes = try text.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
                .map { try JSONDecoder().decode(Outcome.self, from: Data($0.utf8)) }
            return Dictionary(outcomes.map { ($0.line, $0.id) }) { $1 }
        }
    }

    /// Imports all lines, and checks that each is booked once.
    private func importAll(_ site: Site, after first: [Int: String]) async throws {
        let whole = try Import(site, "whole")
        try whole.write(Self.lines)
        try whole.close()
        #expect(await whole.end() == 0)
        let ids = try whole.ids()
        #expect(ids.count == Self.lines.count)
        #expect(Set(ids.values).count == Self.bookings)
        #expect(first.allSatisfy { ids[$0] == $1 })
        try await site.drained()
        let attributes = try await site.attributes()
        #expect(attributes.committedTotal == Self.bookings)
        #expect(attributes.dead == 0)
    }

    @Test func anImportThatIsKilledAndRepeatedBooksEachLineOnce() async throws {
        let site = try Site()
        let front = try await site.startFront()
        let worker = try await site.startWorker()
        let killed = try Import(site, "killed")
        try killed.write(Self.lines.prefix(4000))
        // It waits for more lines now, with results that it has and others that it has not yet.
        try await eventually("the first results") { try !killed.ids().isEmpty }
        killed.kill()
        #expect(await killed.end() == -SIGKILL)
        let first = try killed.ids()
        #expect(first.count < 4000)
        try await importAll(site, after: first)
        await front.stop()
        await worker.stop()
    }

    @Test func anImportWhoseFrontIsKilledSaysSoAndGoesOnWhenItIsRepeated() async throws {
        let site = try Site()
        let first = try await site.startFront()
        let broken = try Import(site, "broken")
        try broken.write(Self.lines.prefix(4000))
        try await eventually("the first results") { try !broken.ids().isEmpty }
        await first.kill9()
        // It may have noticed, and be gone.
        signal(SIGPIPE, SIG_IGN)
        try? broken.write(Self.lines.dropFirst(4000))
        try broken.close()
        #expect(await broken.end() == 69)
        let known = try broken.ids()
        let front = try await site.startFront()
        let worker = try await site.startWorker()
        try await importAll(site, after: known)
        await front.stop()
        await worker.stop()
    }

    @Test func whatOneSiteExportsAnotherImports() async throws {
        let site = try Site()
        let front = try await site.startFront()
        let worker = try await site.startWorker()
        let users = ["plain", "Zoë", "a \"b\", c", "\\"]
        try await site.committed(try await site.books(users))
        let other = try Site()
        let otherFront = try await other.startFront()
        let otherWorker = try await other.startWorker()
        let program = Site.products.appendingPathComponent("acmsctl").path
        let file = "\(other.directory.path)/bookings.csv"
        let export = try await Command.run(
            [program, "export", "bookings", "--apartment", "A", "--format", "csv", "--output", file],
            environment: site.environment)
        #expect(export.status == 0, "\(export.errors)")
        let imported = try await Command.run([program, "import", file], environment: other.environment)
        #expect(imported.status == 0, "\(imported.errors)")
        try await other.drained()
        let bookings = try await other.list()
        #expect(Set(bookings.map(\.userId)) == Set(users))
        await front.stop()
        await worker.stop()
        await otherFront.stop()
        await otherWorker.stop()
    }
}
