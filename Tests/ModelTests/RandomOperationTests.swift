import Foundation
import Testing

/// Random operations against a simple model: nothing accepted is lost, no two undecided bookings of a user and an
/// apartment, no two approved ones that overlap, no claim left behind.
///
/// `ACMS_MODEL_SEED` reproduces a run, `ACMS_MODEL_STEPS` sets its length.
@Suite struct RandomOperationTests {
    private static func variable(_ name: String) -> UInt64? {
        ProcessInfo.processInfo.environment[name].flatMap { UInt64($0) }
    }

    private func run(_ engine: Engine, seed: UInt64, steps: Int) async throws -> RandomRun {
        let run = try await RandomRun(engine, seed: seed)
        var done = 0
        do {
            while done < steps {
                try await run.step()
                done += 1
                if done % 2000 == 0 { try await run.settle() }
            }
            try await run.settle()
        } catch {
            Issue.record(
                """
                ACMS_MODEL_SEED=\(seed) contradicts the model at step \(done): \(error)
                \(run.stories(in: "\(error)").joined(separator: "\n"))
                \(run.places(in: "\(error)").joined(separator: "\n"))
                What came before:
                \(run.history.suffix(40).joined(separator: "\n"))
                """)
        }
        await run.front.end()
        return run
    }

    @Test(arguments: Engine.allCases)
    func whateverIsDoneInWhateverOrderTheModelHolds(_ engine: Engine) async throws {
        let seed = Self.variable("ACMS_MODEL_SEED") ?? .random(in: 1...UInt64(UInt32.max))
        // A step takes longer where a server is asked.
        let steps =
            Self.variable("ACMS_MODEL_STEPS").map(Int.init) ?? (engine == .embedded ? 50_000 : 10_000)
        print("ACMS_MODEL_SEED=\(seed) reproduces this run of \(steps) steps on \(engine).")
        let run = try await run(engine, seed: seed, steps: steps)
        let counts = run.counts.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
        print("What happened: \(counts.joined(separator: ", "))")
        // A run that does nothing proves nothing.
        for operation in [
            "book", "repeat", "reused", "pending", "not available", "committed", "dead", "approve", "cancel",
            "redrive", "delete", "expired", "worker replaced", "front crashed", "settled",
        ] where steps >= 20_000 {
            #expect(run.counts[operation, default: 0] > 0, "\(operation) never happened")
        }
    }

    @Test(arguments: Engine.allCases)
    func aSeedReproducesARun(_ engine: Engine) async throws {
        let steps = engine == .embedded ? 3000 : 1000
        let first = try await run(engine, seed: 7, steps: steps).history
        let second = try await run(engine, seed: 7, steps: steps).history
        let same = zip(first, second).prefix { $0 == $1 }.count
        #expect(
            first == second,
            """
            The runs part after \(same) operations:
            \(first[max(0, same - 10)...].prefix(20).joined(separator: "\n"))
            In the second run:
            \(second[max(0, same - 10)...].prefix(20).joined(separator: "\n"))
            """)
        #expect(try await run(engine, seed: 8, steps: steps).history != first)
    }
}
