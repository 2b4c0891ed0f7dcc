import Bookings
import FoundationEssentials
import Varlink

/// Looks through the messages that wait and the dead letters, on a thread of its own, so that a long look never holds
/// up the committing.
actor QueueSurvey {
    private let executor = BlockingExecutor(label: "io.acms.survey")
    /// Jobs run on a thread of their own, which may block.
    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    private let queue: any BookingQueueReader
    private let encoder = JSONEncoder()

    /// - Parameter queue: to look at.
    init(_ queue: any BookingQueueReader) {
        self.queue = queue
        encoder.outputFormatting = [.withoutEscapingSlashes]
    }

    /// Lists the messages that wait: a page of them, or with `more` all.
    func messages(
        _ parameters: QueueInterface.ListMessages, _ call: CallContext,
        _ replies: EncodedReplyStream
    ) async throws(ErrorReply) -> [UInt8] {
        let limit = try PageLimit.checked(parameters.limit)
        do {
            var pages = try queue.messages(after: parameters.nextToken)
            var page = try pages.next(limit)
            while call.wantsMore, page.nextToken != nil {
                guard await replies.send(Array(try encoder.encode(page))) else { break }
                page = try pages.next(limit)
            }
            return Array(try encoder.encode(page))
        } catch is InvalidPageToken {
            throw ErrorReply(ServiceError.InvalidParameter(parameter: "nextToken"))
        } catch {
            throw Self.unreadable(error)
        }
    }

    /// Gathers figures, some of which are files to be read.
    func metrics(_ body: @Sendable () -> [Metric]) -> MetricsReply { MetricsReply(metrics: body()) }

    /// Counts messages by name and age.
    func ages(_ parameters: QueueInterface.GetAgeProfile) async throws(ErrorReply)
        -> QueueInterface.AgeProfile
    {
        let isOfLetters = parameters.dead ?? false
        guard isOfLetters || !parameters.by.isOfLetters else {
            throw ErrorReply(ServiceError.InvalidParameter(parameter: "by"))
        }
        let limit = try PageLimit.checked(parameters.limit ?? 20)
        var tally = AgeTally(at: .now())
        do {
            var ages = queue.ages(by: parameters.by, dead: isOfLetters)
            while try ages.countMore(into: &tally) {
                // Somebody else's look gets its turn; who is gone wants no answer.
                await Task.yield()
                if Task.isCancelled { break }
            }
        } catch {
            throw Self.unreadable(error)
        }
        return tally.profile(rows: limit)
    }

    private static func unreadable(_ error: any Error) -> ErrorReply {
        let reason = (error as? QueueUnavailable)?.reason ?? "The queue can't be read. \(error)"
        return ErrorReply(QueueInterface.StorageUnavailable(reason: reason))
    }
}
