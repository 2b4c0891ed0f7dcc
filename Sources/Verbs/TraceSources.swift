import Bookings
import Glibc
import Systemd
import Varlink

/// Those who know what happened to a booking. Each may be out of reach; the others are told of then.
struct TraceSources {
    /// What the front says of a booking.
    struct Known {
        var state: BookingsInterface.BookingState?
        var failure: Failure?

        /// Whether the front answered that there is no such booking.
        var isNowhere: Bool {
            guard case .refused(let error, _, _) = failure else { return false }
            return error.name == BookingsInterface.BookingNotFound.errorName
        }

        /// Where the booking is now.
        ///
        /// - Parameter isLetter: whether the worker has a dead letter of it.
        func text(isLetter: Bool) -> StyledText {
            if let state {
                return state.progress == .committed
                    ? StyledText("COMMITTED, \(state.booking.bookingStatus.rawValue)")
                    : StyledText(state.progress)
            }
            if isLetter { return StyledText(Progress.deadLettered) }
            return isNowhere
                ? StyledText("nowhere: no booking has this id any more") : StyledText("unknown", .red)
        }
    }

    let settings: Settings
    let options: CommonOptions
    let output: Output

    private var timeout: Duration { options.timeout.map { .seconds($0) } ?? .seconds(30) }

    /// Asks the front.
    func state(of id: String) async -> Known {
        let path = options.socket ?? Service.bookings.socketPath(in: settings)
        do {
            let state: BookingsInterface.BookingState = try await Session.with(
                .bookings, at: path, timeout: timeout, output
            ) { session in
                try await session.call(
                    BookingsInterface.method("GetBooking"), BookingsInterface.ByID(id: id), about: id)
            }
            return Known(state: state)
        } catch {
            return Known(failure: error as? Failure)
        }
    }

    /// Asks the worker for a letter, where there may be one: the front doesn't know of those that nobody can read.
    func letter(_ id: String, _ known: Known) async -> DeadLetter? {
        guard known.state?.progress ?? .deadLettered == .deadLettered else { return nil }
        do {
            let reply: QueueInterface.OneDeadLetter = try await Session.with(
                .queue, at: Service.queue.socketPath(in: settings), timeout: timeout, output
            ) { session in
                try await session.call(
                    QueueInterface.method("GetDeadLetter"), QueueInterface.ByID(id: id), about: id)
            }
            return reply.letter
        } catch {
            // Otherwise it is only tried: nobody knows whether there is a letter.
            if known.state != nil, let failure = error as? Failure {
                output.warn(
                    "QueueUnreachable",
                    ["The tries of the dead letter can't be asked for: \(failure.lines.first ?? "")"]
                        + failure.lines.dropFirst())
            }
            return nil
        }
    }

    /// Searches the journal.
    func story(of id: String, user: String?, _ directory: String?) throws(Failure) -> JournalStory {
        warn(about: directory.map { JournalAccess(directories: [$0]) } ?? .ofThisHost(), directory)
        do throws(JournalError) {
            var reader =
                if let directory { try JournalReader(directory: directory) } else { try JournalReader() }
            let daemons = Self.daemons
            let records = try reader.records(where: "ACMS_BOOKING_ID", is: id) {
                JournalStory.isTrusted($0, daemons)
            }
            return JournalStory(records, of: id, user: user, daemons: daemons)
        } catch {
            // One that is named must be there.
            if let directory { throw .inputFailed(path: directory, errno: error.errno) }
            output.warn("JournalUnreadable", ["\(error) Only what table and queue know is told."])
            return JournalStory([], of: id, user: user)
        }
    }

    private func warn(about access: JournalAccess, _ directory: String?) {
        switch access {
        case .readable: return
        case .forbidden:
            output.warn(
                "JournalUnreadable",
                [
                    "The journal can't be read, so only what table and queue know is told.",
                    directory == nil
                        ? "Join its group with 'sudo usermod -aG systemd-journal $USER', then log in again."
                        : "Repeat the command with sudo.",
                ])
        case .absent:
            output.warn(
                "JournalUnreadable",
                [
                    "There is no journal in \(directory ?? "this system"); only what table and queue know is told."
                ])
        }
    }

    /// The user ids of the daemons on this host.
    private static var daemons: Set<String> {
        Set(["acms-front", "acms-worker"].compactMap(uid))
    }

    private static func uid(of account: String) -> String? {
        getpwnam(account).map { "\($0.pointee.pw_uid)" }
    }
}

extension Output {
    /// Tells on standard error what is missing from the result: people in lines, programs in an object.
    func warn(_ name: String, _ lines: [String]) {
        guard isJSON else { return StandardError.write(lines) }
        let reply = Failure.Reply(
            error: "acmsctl.\(name)", parameters: .object(["message": .string(lines.joined(separator: " "))]))
        StandardError.write([JSONLine.text(of: reply)])
    }
}
