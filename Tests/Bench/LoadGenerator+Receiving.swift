import CBench
import Glibc

extension LoadGenerator {
    /// Reads what has come and notes the replies that ended.
    func receive(_ number: Int, _ time: Int64) throws {
        let peer = peers + number
        let limit = LoadConnection.carryLimit
        let count = read(peer.pointee.descriptor, buffer + limit, Self.bufferSize)
        guard count != 0 else { throw Failure("the server has hung up with \(inFlight) calls unanswered") }
        guard count > 0 else {
            if errno == EAGAIN { return }
            throw Failure.system("read")
        }
        lookForMark(peer, UnsafeBufferPointer(start: buffer + limit, count: count))
        var rest = UnsafeBufferPointer(start: buffer + limit, count: count)[...]
        while let next = try endOfReply(peer, rest) {
            let reply = rest[..<next]
            rest = rest[next...]
            try noteReply(number, UnsafeBufferPointer(rebasing: reply), time)
        }
    }

    /// Looks for what no good reply holds, also across the border of what came before.
    private func lookForMark(
        _ peer: UnsafeMutablePointer<LoadConnection>, _ bytes: UnsafeBufferPointer<UInt8>
    ) {
        guard !shape.mark.isEmpty, let base = bytes.baseAddress else { return }
        let carried = peer.pointee.carryCount
        let start = UnsafeMutablePointer(mutating: base) - carried
        start.update(from: peer.pointee.carry, count: carried)
        let total = carried + bytes.count
        if bench_finds(start, total, shape.mark, shape.mark.count) {
            errors += 1
            if errors == 1 {
                let bytes = UnsafeBufferPointer(start: start, count: min(total, 400))
                firstError = String(decoding: bytes.map { $0 == 0 ? 32 : $0 }, as: UTF8.self)
            }
        }
        peer.pointee.carryCount = min(total, shape.mark.count - 1)
        peer.pointee.carry.update(
            from: start + total - peer.pointee.carryCount, count: peer.pointee.carryCount)
    }

    /// - Returns: where the first reply ends, or nil if it doesn't yet.
    private func endOfReply(
        _ peer: UnsafeMutablePointer<LoadConnection>, _ bytes: Slice<UnsafeBufferPointer<UInt8>>
    ) throws -> Int? {
        guard let first = bytes.first, let base = bytes.base.baseAddress else { return nil }
        guard peer.pointee.isInside || first == shape.first else {
            throw Failure("a reply is \(String(decoding: bytes.prefix(400), as: UTF8.self))")
        }
        peer.pointee.isInside = true
        var end = bytes.startIndex
        switch shape.end {
        case .length(let length):
            end += min(length - peer.pointee.partial, bytes.count)
            peer.pointee.partial += end - bytes.startIndex
            guard peer.pointee.partial == length else { return nil }
        case .terminator(let byte, let times):
            while peer.pointee.partial < times {
                guard let found = memchr(base + end, Int32(byte), bytes.endIndex - end) else { return nil }
                end = UnsafeRawPointer(found) - UnsafeRawPointer(base) + 1
                peer.pointee.partial += 1
            }
        }
        peer.pointee.partial = 0
        peer.pointee.isInside = false
        return end
    }

    private func noteReply(_ number: Int, _ reply: UnsafeBufferPointer<UInt8>, _ time: Int64) throws {
        let peer = peers + number
        guard inFlight > 0, peer.pointee.inFlight > 0 else {
            throw Failure("more replies came than calls were made")
        }
        last = time
        if peer.pointee.isAwaiting {
            peer.pointee.isAwaiting = false
            guard bench_finds(reply.baseAddress, reply.count, "\"COMMITTED\"", 11) else {
                throw Failure("AwaitBooking was answered with \(String(decoding: reply, as: UTF8.self))")
            }
            result.commitLatency.add(time - peer.pointee.noteReply())
        } else {
            result.bookings += calls.bookingsPerCall
            if peer.pointee.awaits {
                result.latency.add(time - peer.pointee.begun[peer.pointee.oldest])
                return try awaitCommit(number, reply)
            }
            result.latency.add(time - peer.pointee.noteReply())
        }
        inFlight -= 1
        if load.pace != nil { idle.append(Int32(number)) }
    }

    /// Asks on the same connection for the end of the booking that was just accepted.
    private func awaitCommit(_ number: Int, _ reply: UnsafeBufferPointer<UInt8>) throws {
        let text = String(decoding: reply, as: UTF8.self)
        guard let mark = text.firstRange(of: "\"id\":\"") else {
            throw Failure("a reply without id: \(text)")
        }
        let call =
            "{\"method\":\"io.acms.Bookings.AwaitBooking\",\"parameters\":{\"id\":\""
            + text[mark.upperBound...].prefix(36) + "\"}}\0"
        let sent = call.utf8CString.withUnsafeBytes {
            // Two zero bytes end it, and one of them is the string's own.
            send(peers[number].descriptor, $0.baseAddress, $0.count - 1, Int32(MSG_NOSIGNAL))
        }
        guard sent == call.utf8.count else { throw Failure.system("send") }
        peers[number].isAwaiting = true
    }
}
