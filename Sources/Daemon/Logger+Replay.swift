public import Logging
import Systemd

extension Logger {
    /// Tells that messages were put back from the journal, by whichever daemon did.
    ///
    /// - Parameter messages: how many; nothing is told of none.
    public func replayed(_ messages: Int) {
        guard messages > 0 else { return }
        notice(
            "Put \(messages) bookings back into incoming/ from the journal: their files were lost in a crash of the system."
        )
    }
}

extension Logger {
    /// Logs that a segment of the journal can't be read in whole.
    public func damagedJournal(_ segment: String, _ stretches: Int) {
        error(
            """
            The journal's segment tmp/\(segment) is damaged in \(stretches == 1 ? "a place" : "\(stretches) places"). \
            What can be read was replayed; bookings that were accepted in the last moments before the system crashed \
            may be lost. See 'acmsctl check'.
            """,
            metadata: .event(.setAside, ["file": .string(segment)]))
    }
}
