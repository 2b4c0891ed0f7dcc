/// Another queue, set to be durable before it answers, and otherwise as it comes.
protocol Peer: AnyObject {
    /// What it is called in the report.
    static var name: String { get }
    /// The Debian package's program, for a clear word when it is missing.
    static var program: String { get }
    /// Starts it in an empty directory and waits until it answers.
    init(_ room: Room, slowSyncs: Int) throws
    var process: ServerProcess { get }
    var socket: String { get }
    /// How it is told to enqueue a message, and how it says that it has.
    var format: CallFormat { get throws }
    var shape: ReplyShape { get }
    /// What is said on a connection before the first call.
    func greet(_ socket: Socket) throws
    /// A consumer of what is queued.
    func consumer() throws -> any PeerConsumer
    func stop() throws
}

/// Receives messages and settles them.
protocol PeerConsumer: AnyObject {
    /// Settles what it has given out before, and receives up to ten messages, in one round trip where that is
    /// possible; none if the queue is empty. The pointers hold until the next call.
    func next() throws -> [UnsafePointer<UInt8>]
}

extension Peer {
    func greet(_ socket: Socket) throws {}

    func stop() throws { try process.stop() }
}

/// The other queues.
enum Peers {
    static var all: [any Peer.Type] { [Redis.self, PostgreSQL.self, Beanstalkd.self] }
}
