import Bookings
import Varlink

/// What both daemons say at an instant.
struct TopSample: Sendable {
    var time = Timestamp.now()
    var instant = ContinuousClock.now
    /// Of each daemon; why not, where they can't be had.
    var front: Result<[Metric], Failure>
    var worker: Result<[Metric], Failure>
    /// Of the worker; nil where it can't be reached.
    var attributes: QueueInterface.Attributes?
    /// Dead letters by reason; nil where there are none, or the worker can't be reached.
    var letters: QueueInterface.AgeProfile?
}

/// Asks both daemons how they are.
struct TopLook: Sendable {
    /// So long a daemon may keep the screen waiting.
    private static let patience = Duration.seconds(2)

    private let daemons: Daemons

    init(settings: Settings, output: Output) {
        daemons = Daemons(settings: settings, timeout: Self.patience, output: output)
    }

    /// Calls a service.
    func ask<R: Sendable>(
        _ service: Service, _ body: (Session) async throws -> R
    ) async -> Result<R, Failure> { await daemons.ask(service, body) }

    /// Counts dead letters by reason, for which the worker reads all of them: it may take long where there are many.
    ///
    /// - Returns: nil where there are none, or it can't be had.
    func letters() async -> QueueInterface.AgeProfile? {
        let answer = await ask(.queue) { session in
            try await session.call(
                QueueInterface.method("GetAgeProfile"),
                QueueInterface.GetAgeProfile(by: .reason, dead: true, limit: 8),
                returning: QueueInterface.AgeProfile.self)
        }
        guard let profile = try? answer.get(), profile.total.total > 0 else { return nil }
        return profile
    }

    /// Asks both daemons.
    func sample() async -> TopSample {
        async let front = ask(.bookings) { try await $0.metrics() }
        async let worker = ask(.queue) { session in
            let metrics = try await session.metrics()
            let attributes: QueueInterface.Attributes = try await session.call(
                QueueInterface.method("GetQueueAttributes"), NoParameters())
            return (metrics, attributes)
        }
        let answers = (await front, await worker)
        let known = try? answers.1.get()
        return TopSample(
            front: answers.0, worker: answers.1.map(\.0), attributes: known?.1)
    }

    /// The first look.
    ///
    /// - Throws: when neither daemon can be reached.
    func first() async throws -> TopSample {
        let sample = await sample(after: TopHistory())
        if case (.failure(let failure), .failure) = (sample.front, sample.worker) { throw failure }
        return sample
    }

    /// The same, with dead letters counted where that is due.
    func sample(after history: TopHistory) async -> TopSample {
        var sample = await sample()
        if history.wantsLetters(sample) { sample.letters = await letters() }
        return sample
    }
}
