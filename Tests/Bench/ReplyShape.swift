/// How replies are told apart and recognised as good ones without being read.
struct ReplyShape {
    /// Where a reply ends.
    enum End {
        /// At the nth such byte.
        case terminator(UInt8, times: Int)
        /// After so many bytes.
        case length(Int)
    }

    /// Where a reply ends.
    let end: End
    /// What a good reply begins with.
    let first: UInt8
    /// What is in no good reply, wherever in it.
    let mark: [UInt8]

    /// Varlink: a reply ends with NUL, and an error's name is in a member "error".
    static let varlink = ReplyShape(
        end: .terminator(0, times: 1), first: UInt8(ascii: "{"), mark: Array("\"error\"".utf8))
    /// The Redis protocol, for a reply that is one string: its length, and its bytes.
    static let redisString = ReplyShape(
        end: .terminator(UInt8(ascii: "\n"), times: 2), first: UInt8(ascii: "$"), mark: [])
    /// beanstalkd: "INSERTED" and an id.
    static let beanstalkd = ReplyShape(
        end: .terminator(UInt8(ascii: "\n"), times: 1), first: UInt8(ascii: "I"), mark: [])
    /// PostgreSQL: BindComplete, CommandComplete "INSERT 0 1", ReadyForQuery.
    static let postgresInsert = ReplyShape(end: .length(5 + 16 + 6), first: UInt8(ascii: "2"), mark: [])
}
