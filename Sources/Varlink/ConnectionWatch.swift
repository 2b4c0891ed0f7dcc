internal import NIOCore

/// Ends an event loop's connections whose patience has ended: one timer for all of them, and none while none waits.
///
/// `@unchecked Sendable`: all its state belongs to the event loop.
final class ConnectionWatch: @unchecked Sendable {
    /// How often it looks at most: many deadlines that lie close together are one look.
    private static let interval = TimeAmount.milliseconds(250)

    /// How many that pause go on at a time, and when the next ones do. A timer and not a task: the event loop runs all
    /// tasks, those that they leave as well, before it looks for what has come for others.
    private static let resumed = 4
    private static let pause = TimeAmount.microseconds(200)

    private let eventLoop: any EventLoop
    private var pausing = CircularBuffer<Connection>()
    private var connections: [ObjectIdentifier: Connection] = [:]
    private var next: (time: NIODeadline, timer: Scheduled<Void>)?
    private var lastLook: NIODeadline

    init(_ eventLoop: any EventLoop) {
        self.eventLoop = eventLoop
        lastLook = .uptimeNanoseconds(0)
    }

    func add(_ connection: Connection) { connections[ObjectIdentifier(connection)] = connection }

    func remove(_ connection: Connection) { connections[ObjectIdentifier(connection)] = nil }

    /// Sees to it that somebody looks then. What is no longer due when its time comes is looked at again later, so a
    /// deadline that moves on costs nothing.
    func expect(_ deadline: NIODeadline) {
        let time = max(deadline, lastLook + Self.interval)
        if let next {
            guard time < next.time else { return }
            next.timer.cancel()
        }
        next = (time, eventLoop.scheduleTask(deadline: time) { [weak self] in self?.look() })
    }

    /// Lets a connection go on once others had their turn.
    func resumeLater(_ connection: Connection) {
        pausing.append(connection)
        if pausing.count == 1 { scheduleResuming() }
    }

    private func scheduleResuming() {
        eventLoop.scheduleTask(in: Self.pause) { [weak self] in self?.resumeSome() }
    }

    private func resumeSome() {
        // It stays in its place until it was looked after, so that there is one timer.
        for _ in 0..<min(Self.resumed, pausing.count) {
            pausing[pausing.startIndex].resume()
            pausing.removeFirst()
        }
        if !pausing.isEmpty { scheduleResuming() }
    }

    private func look() {
        next = nil
        lastLook = eventLoop.now
        var earliest: NIODeadline?
        // A copy, as those that end leave it.
        for connection in Array(connections.values) {
            if connection.waitsForOthers { connection.proceed() }
            guard let deadline = connection.deadline else { continue }
            if deadline <= lastLook {
                connection.giveUp()
            } else {
                earliest = min(earliest ?? deadline, deadline)
            }
        }
        if let earliest { expect(earliest) }
    }
}
