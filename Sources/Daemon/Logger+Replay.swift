public import Logging

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
