import CBench
import Glibc

/// Calls a server from one thread over many connections: system calls, a few additions and nothing else, so that it
/// takes little from a server on the same processors.
final class LoadGenerator {
    let load: Load
    let calls: EncodedCalls
    let shape: ReplyShape
    let peers: UnsafeMutablePointer<LoadConnection>
    var result = LoadResult()
    /// How many calls were begun, and how many replies are awaited.
    var begun = 0, inFlight = 0
    /// When the first call was made, and when the last reply came.
    var start: Int64 = 0, last: Int64 = 0
    /// Connections without a call, the one that waits longest first; used when paced.
    var idle: [Int32] = []
    private var firstIdle = 0
    private let poll: Int32
    let buffer: UnsafeMutablePointer<UInt8>
    static let bufferSize = 1 << 18
    var errors = 0
    var firstError = ""

    init(_ load: Load, _ calls: EncodedCalls, _ shape: ReplyShape) throws {
        self.load = load
        self.calls = calls
        self.shape = shape
        poll = epoll_create1(Int32(EPOLL_CLOEXEC))
        guard poll >= 0 else { throw Failure.system("epoll_create1") }
        peers = .allocate(capacity: load.connections)
        buffer = .allocate(capacity: Self.bufferSize + LoadConnection.carryLimit)
        for number in 0..<load.connections {
            (peers + number).initialize(
                to: LoadConnection(depth: load.depth, awaits: number < load.awaiting))
        }
    }

    deinit {
        for number in 0..<load.connections { peers[number].end() }
        peers.deallocate()
        buffer.deallocate()
        close(poll)
    }

    /// Connects, calls until the time or the calls are up, and waits for the last replies.
    func run() throws -> LoadResult {
        for number in 0..<load.connections { try connect(number) }
        let ownStart = ownTime()
        start = now()
        last = start
        let end = start + Int64(load.seconds * 1e9)
        var events = [epoll_event](repeating: epoll_event(), count: 256)
        var nextSecond = start + 1_000_000_000
        if load.pace == nil { for number in 0..<load.connections { try fill(number, start) } }
        var quietSince = start
        while true {
            var time = now()
            let isOver = time >= end || begun == calls.count
            if isOver && inFlight == 0 { break }
            if !isOver { try beginDueCalls(time) }
            let count = try waitForEvents(&events, isOver ? nil : time)
            time = now()
            for event in events.prefix(count) {
                let number = Int(event.data.u32)
                if event.events & EPOLLOUT.rawValue != 0 { try flush(number) }
                if event.events & ~EPOLLOUT.rawValue != 0 { try receive(number, time) }
                if load.pace == nil && time < end { try fill(number, time) }
            }
            if count > 0 { quietSince = time }
            guard time - quietSince < 120_000_000_000 || inFlight == 0 else {
                throw Failure("no reply came for 120 s")
            }
            if time >= nextSecond, let everySecond = load.everySecond {
                try everySecond(Double(time - start) / 1e9, result.bookings)
                nextSecond += 1_000_000_000
            }
        }
        result.seconds = Double(last - start) / 1e9
        result.ownSeconds = Double(ownTime() - ownStart) / 1e9
        guard errors == 0 else { throw Failure("\(errors) replies tell of errors, the first: \(firstError)") }
        return result
    }

    private func connect(_ number: Int) throws {
        let socket = try Socket(load.socket)
        try load.greeting?(socket)
        let descriptor = dup(socket.descriptor)
        guard descriptor >= 0, fcntl(descriptor, F_SETFL, O_NONBLOCK) == 0 else {
            throw Failure.system("dup")
        }
        peers[number].descriptor = descriptor
        try watch(number, isNew: true)
        idle.append(Int32(number))
    }

    func watch(_ number: Int, isNew: Bool = false) throws {
        var event = epoll_event()
        event.events = EPOLLIN.rawValue
        if peers[number].hasUnsent { event.events |= EPOLLOUT.rawValue }
        event.data.u32 = UInt32(number)
        guard epoll_ctl(poll, isNew ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, peers[number].descriptor, &event) == 0
        else {
            throw Failure.system("epoll_ctl")
        }
    }

    /// Makes the calls that are due by now, as far as there are connections for them.
    private func beginDueCalls(_ time: Int64) throws {
        guard let pace = load.pace else { return }
        let step = Double(calls.bookingsPerCall) / pace * 1e9
        let due = min(calls.count, Int(Double(time - start) / step) + 1)
        while begun < due, firstIdle < idle.count {
            let number = Int(idle[firstIdle])
            firstIdle += 1
            try begin(1, on: number, start + Int64(Double(begun) * step))
        }
        if firstIdle > 4096 {
            idle.removeFirst(firstIdle)
            firstIdle = 0
        }
    }

    private func waitForEvents(_ events: inout [epoll_event], _ time: Int64?) throws -> Int {
        var rest: Int64 = 50_000_000
        if let time, let pace = load.pace, firstIdle < idle.count {
            let due = start + Int64(Double(begun * calls.bookingsPerCall) / pace * 1e9)
            rest = min(rest, max(0, due - time))
        }
        var limit = timespec(tv_sec: 0, tv_nsec: Int(rest))
        let count = epoll_pwait2(poll, &events, Int32(events.count), &limit, nil)
        guard count >= 0 || errno == EINTR else { throw Failure.system("epoll_pwait2") }
        return max(0, Int(count))
    }
}
