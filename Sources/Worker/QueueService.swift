import Bookings
import Daemon
import Varlink

/// The methods of io.acms.Queue.
struct QueueService: Sendable {
    let worker: QueueWorker
    private let survey: QueueSurvey
    private let connections: @Sendable () -> Int
    private let process = ProcessMetrics(daemon: "worker")

    /// - Parameters:
    ///   - worker: answers.
    ///   - reader: the queue, to look at on a thread of its own.
    ///   - connections: how many callers are connected.
    init(
        _ worker: QueueWorker, _ reader: any BookingQueueReader,
        connections: @escaping @Sendable () -> Int = { 0 }
    ) {
        self.worker = worker
        self.connections = connections
        survey = QueueSurvey(reader)
    }

    /// The interface as a server offers it.
    func interface() throws -> Interface {
        try Interface(
            description: QueueInterface.description,
            methods: [
                Method("GetQueueAttributes") { (_: NoParameters, _) throws(ErrorReply) in
                    try await worker.attributes()
                },
                .streaming("ListDeadLetters") {
                    (
                        parameters: QueueInterface.ListDeadLetters, call,
                        replies: ReplyStream<QueueInterface.DeadLetterList>
                    ) throws(ErrorReply) in
                    var page = try await worker.deadLetters(
                        parameters.filter, limit: parameters.limit, after: parameters.nextToken)
                    while call.wantsMore, let next = page.nextToken {
                        await replies.send(page)
                        page = try await worker.deadLetters(
                            parameters.filter, limit: parameters.limit, after: next)
                    }
                    return page
                },
                Method("GetDeadLetter") { (parameters: QueueInterface.ByID, _) throws(ErrorReply) in
                    QueueInterface.OneDeadLetter(letter: try await worker.deadLetter(parameters.id))
                },
                .streaming("RedriveDeadLetters") {
                    (
                        parameters: QueueInterface.RedriveDeadLetters, call,
                        replies: ReplyStream<QueueInterface.Redriven>
                    ) throws(ErrorReply) in
                    try await redrive(parameters, call, replies)
                },
                Method("DeleteDeadLetters") {
                    (parameters: QueueInterface.DeleteDeadLetters, call) throws(ErrorReply) in
                    try await delete(parameters, call)
                },
                Method("Pause") { (parameters: QueueInterface.Pause, call) throws(ErrorReply) in
                    try await worker.pause(until: parameters.until, by: call.peer)
                    return NoParameters()
                },
                Method("Resume") { (_: NoParameters, call) throws(ErrorReply) in
                    try await worker.resume(by: call.peer)
                    return NoParameters()
                },
                .streamingEncoded("ListMessages") {
                    (parameters: QueueInterface.ListMessages, call, replies) throws(ErrorReply) in
                    try await survey.messages(parameters, call, replies)
                },
                Method("GetAgeProfile") {
                    (parameters: QueueInterface.GetAgeProfile, _) throws(ErrorReply) in
                    try await survey.ages(parameters)
                },
                .streaming("WatchEvents", requiresMore: true) {
                    (filter: EventFilter, call, replies: ReplyStream<EventsReply>) throws(ErrorReply) in
                    guard let last = await worker.report.events.watch(filter, by: call.peer, replies) else {
                        throw ErrorReply(QueueInterface.TooManyWatchers(limit: EventHub.maximumWatchers))
                    }
                    return last
                },
                // The worker itself isn't asked, which may be busy.
                Method("GetMetrics") { (_: NoParameters, _) in
                    await survey.metrics { [process, connections, report = worker.report] in
                        process.metrics(connections: connections()) + report.metrics.metrics + report.health
                    }
                },
            ])
    }
}
