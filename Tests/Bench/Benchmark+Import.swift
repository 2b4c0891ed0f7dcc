import Foundation

extension Benchmark {
    /// A file that acmsctl imports, and the same bookings by calls that are ready beforehand; the front alone.
    func importing() throws {
        try noteMedians(
            plan.rounds,
            [
                { [self] in try imported(Self.importName) },
                { [self] in try imported("\(Self.importName), without keys", "--no-keys") },
                { [self] in try callsLikeThose(ofImport: Self.importName, key: Self.key) },
                { [self] in try callsLikeThose(ofImport: "\(Self.importName), without keys", key: nil) },
            ])
    }

    static let importName = "import of 100,000 lines"
    private static let imported = 100_000
    /// As long as the keys that acmsctl makes. Each user has keys of its own, so that it serves for all.
    private static let key = "import-0123456789abcdef0123456789abcdef"

    private func imported(_ name: String, _ options: String...) throws -> Figure {
        try atSite { site in
            let file = "\(site.directory)/bookings.jsonl"
            let lines = try EncodedCalls(AcmsCalls.lines(), count: Self.imported, first: 0)
            try lines.write(to: file)
            let log = "\(room.logs)/import.log"
            let start = now()
            let program = try ServerProcess(
                [Programs.path("acmsctl"), "import", file, "--quiet", "--socket", site.socket] + options,
                log: log)
            // It succeeds only when every line was accepted.
            try program.waitForSuccess(seconds: 600)
            var figure = Figure(
                name, "acms", Double(Self.imported) / Double(now() - start) * 1e9, "bookings/s")
            figure.generatorMicroseconds = program.endUsage.processorSeconds * 1e6 / Double(Self.imported)
            figure.peakMegabytes = Double(program.endUsage.peakBytes) / 1e6
            return figure
        }
    }

    /// As many bookings in calls of 500, four under way, as acmsctl has them.
    private func callsLikeThose(ofImport name: String, key: String?) throws -> Figure {
        try atSite { site in
            let calls = try EncodedCalls(
                AcmsCalls.batch(key: key), count: Self.imported / 500, first: 0, bookingsPerCall: 500)
            let load = Load(socket: site.socket, depth: 4, seconds: 600)
            let result = try LoadGenerator(load, calls, .varlink).run()
            guard result.bookings == Self.imported else {
                throw Failure("\(result.bookings) of \(Self.imported) were accepted")
            }
            return Figure(name, "calls of 500", result, serverSeconds: nil)
        }
    }

    private func atSite(_ body: (AcmsSite) throws -> Figure) throws -> Figure {
        try room.clear()
        let site = try AcmsSite(room)
        try site.startFront()
        let figure = try body(site)
        try site.stopFront()
        return figure
    }
}
