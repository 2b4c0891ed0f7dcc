public import Varlink

extension BookingsInterface {
    /// So many calls of WatchEvents are under way already, in all or of this user.
    public struct TooManyWatchers: VarlinkError, Codable, Hashable {
        /// The full name of the error.
        public static let errorName = BookingsInterface.method("TooManyWatchers")
        /// How many there may be in all.
        public var limit: Int
        /// Creates the error.
        public init(limit: Int) { self.limit = limit }
    }
}

extension QueueInterface {
    /// So many calls of WatchEvents are under way already, in all or of this user.
    public struct TooManyWatchers: VarlinkError, Codable, Hashable {
        /// The full name of the error.
        public static let errorName = QueueInterface.method("TooManyWatchers")
        /// How many there may be in all.
        public var limit: Int
        /// Creates the error.
        public init(limit: Int) { self.limit = limit }
    }
}
