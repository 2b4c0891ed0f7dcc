import Glibc

extension LoadGenerator {
    /// Makes as many calls as the connection may have in flight.
    func fill(_ number: Int, _ time: Int64) throws {
        let count = min(load.depth - peers[number].inFlight, calls.count - begun)
        if count > 0, !peers[number].hasUnsent { try begin(count, on: number, time) }
    }

    /// Makes so many calls; the next ones, which lie side by side, so that they go out together.
    func begin(_ count: Int, on number: Int, _ time: Int64) throws {
        for _ in 0..<count { peers[number].noteBegun(time) }
        peers[number].unsent = begun * calls.length..<(begun + count) * calls.length
        begun += count
        inFlight += count
        try flush(number)
    }

    /// Sends what the socket takes of what is unsent.
    func flush(_ number: Int) throws {
        let peer = peers + number
        let unsent = peer.pointee.unsent
        guard !unsent.isEmpty else { return }
        let sent = send(
            peer.pointee.descriptor, calls.bytes + unsent.lowerBound, unsent.count, Int32(MSG_NOSIGNAL))
        guard sent >= 0 || errno == EAGAIN else { throw Failure.system("send") }
        let wasWaiting = peer.pointee.isWaitingForRoom
        peer.pointee.unsent = unsent.lowerBound + max(0, sent)..<unsent.upperBound
        peer.pointee.isWaitingForRoom = peer.pointee.hasUnsent
        if wasWaiting != peer.pointee.hasUnsent { try watch(number) }
    }
}
