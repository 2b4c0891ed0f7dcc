/// What a load generator is to do.
struct Load {
    /// The server's socket.
    var socket: String
    /// How many connections call.
    var connections = 1
    /// How many calls are in flight on each of them.
    var depth = 1
    /// When no further calls are made. It ends earlier when there are no more encoded ones.
    var seconds: Double
    /// Bookings offered a second, in even steps; as many as are answered if nil. Latencies then count from when a
    /// call was due, so that a server which is behind doesn't look quick.
    var pace: Double?
    /// How many of the connections await after each booking that it is committed.
    var awaiting = 0
    /// What is said on a new connection before the first call.
    var greeting: ((Socket) throws -> Void)?
    /// Called about every second with the seconds since the start and the bookings accepted since.
    var everySecond: ((Double, Int) throws -> Void)?
}

/// What a load generator has done.
struct LoadResult {
    /// Bookings that were accepted.
    var bookings = 0
    /// From the first call to the last reply.
    var seconds = 0.0
    /// CPU seconds of the generator.
    var ownSeconds = 0.0
    /// How long calls took.
    var latency = Histogram()
    /// How long it took from a call until its booking was committed.
    var commitLatency = Histogram()

    /// Accepted bookings a second.
    var rate: Double { Double(bookings) / seconds }
}
