import Bookings
import FoundationEssentials
import Spool
import Varlink

/// Looks through the messages that wait and the dead letters, on a thread of its own, so that a long look never holds
/// up the committing.
actor QueueSurvey {
    private let executor = BlockingExecutor(label: "io.acms.survey")
    /// Jobs run on a thread of their own, which may block.
    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    private let reader: SpoolReader
    private let letters: DeadLetterStore
    private let encoder = JSONEncoder()
    /// Files that are read before somebody else's look gets its turn.
    private static let filesAtATime = 64

    /// - Parameter directory: the spool, which is only read.
    init(_ directory: SpoolDirectory) {
        reader = SpoolReader(directory)
        letters = DeadLetterStore(directory)
        encoder.outputFormatting = [.withoutEscapingSlashes]
    }

    /// Lists the messages that wait: a page of them, or with `more` all.
    func messages(
        _ parameters: QueueInterface.ListMessages, _ call: CallContext,
        _ replies: EncodedReplyStream
    ) async throws(ErrorReply) -> [UInt8] {
        let limit = try PageLimit.checked(parameters.limit)
        do {
            var listing = try QueueListing(reader, after: parameters.nextToken)
            var page = try listing.next(limit)
            while call.wantsMore, page.nextToken != nil {
                guard await replies.send(Array(try encoder.encode(page))) else { break }
                page = try listing.next(limit)
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
            if isOfLetters {
                try await countLetters(parameters.by, &tally)
            } else {
                try await countWaiting(parameters.by, &tally)
            }
        } catch {
            throw Self.unreadable(error)
        }
        return tally.profile(rows: limit)
    }

    private func countWaiting(_ key: QueueInterface.AgeKey, _ tally: inout AgeTally) async throws(SpoolError)
    {
        for place in QueueListing.places.map(\.place) {
            for (number, name) in try reader.entries(in: place).enumerated() {
                guard var messages = try reader.messages(in: place, name.description) else { continue }
                while let message = try messages.next() {
                    let request = message.request
                    tally.count(
                        key == .user ? request.userID : request.apartmentID, since: message.acceptedOn)
                }
                for _ in 0..<messages.unreadable { tally.count(nil, since: messages.arrival) }
                guard await mayGoOn(number) else { return }
            }
        }
    }

    private func countLetters(_ key: QueueInterface.AgeKey, _ tally: inout AgeTally) async throws(SpoolError)
    {
        for (number, id) in try letters.ids().enumerated() {
            guard let letter = try letters.letter(id, bodyBytes: 0) else { continue }
            let name =
                switch key {
                case .apartment: letter.apartmentId
                case .user: letter.userId
                case .class: letter.class.rawValue
                case .reason: letter.reason
                }
            tally.count(name, since: letter.deadOn)
            guard await mayGoOn(number) else { return }
        }
    }

    /// - Returns: false when the caller is gone.
    private func mayGoOn(_ number: Int) async -> Bool {
        if number % Self.filesAtATime == 0 { await Task.yield() }
        return !Task.isCancelled
    }

    private static func unreadable(_ error: any Error) -> ErrorReply {
        ErrorReply(QueueInterface.StorageUnavailable(reason: "The spool can't be read. \(error)"))
    }
}
