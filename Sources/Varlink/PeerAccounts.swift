/// How many connections each user has, and how many bytes they hold. Pure.
///
/// When all together hold too much, the user who holds most loses the connections that hold most: whoever sends and
/// reads calls as others do is never near that.
struct PeerAccounts {
    /// What a connection may hold without being counted, in bytes: an ordinary call and its reply, so that these cost
    /// no look at what all share.
    static let uncounted = 8 << 10

    /// A connection that holds more.
    private struct Holder {
        let uid: UInt32
        var bytes: Int
        /// It is closed or about to be, and can't be chosen.
        var isClosing: Bool
    }

    private struct User {
        var connections = 0
        var bytes = 0
    }

    private(set) var connections = 0
    /// What those hold that are counted.
    private(set) var bytes = 0
    private var users: [UInt32: User] = [:]
    private var holders: [ObjectIdentifier: Holder] = [:]

    /// What is counted of `bytes`: steps, so that few changes are told.
    static func counted(_ bytes: Int) -> Int {
        bytes <= uncounted ? 0 : (bytes + uncounted - 1) / uncounted * uncounted
    }

    /// Takes a connection in, unless there are too many.
    ///
    /// - Returns: the limit that it is at; nil when it was taken in.
    mutating func admit(_ uid: UInt32, _ limits: ServerLimits) -> LimitReached.Limit? {
        guard connections < limits.maximumConnections else { return .connections }
        let user = users[uid] ?? User()
        guard user.connections < limits.maximumConnectionsPerUser else { return .connectionsPerUser }
        connections += 1
        users[uid, default: User()].connections += 1
        return nil
    }

    /// A connection that was taken in has ended.
    mutating func remove(_ id: ObjectIdentifier, _ uid: UInt32) {
        set(id, uid, 0, isClosing: true)
        connections -= 1
        users[uid]?.connections -= 1
        if users[uid]?.connections == 0 { users[uid] = nil }
    }

    /// Learns what a connection holds now.
    ///
    /// - Parameters:
    ///   - counted: 0 or a multiple of `uncounted`.
    ///   - isClosed: whether the connection is closed already; calls of it may still be under way.
    /// - Returns: who is to be closed, so that no more than `limit` is held; then so many that there is room for a
    ///   while, as they aren't found for nothing.
    mutating func hold(
        _ id: ObjectIdentifier, _ uid: UInt32, _ counted: Int, isClosed: Bool, limit: Int
    ) -> [ObjectIdentifier] {
        // What one holds that is about to be closed is as good as given back.
        if holders[id]?.isClosing == true, !isClosed { return [] }
        set(id, uid, counted, isClosing: isClosed)
        return bytes > limit ? makeRoom(goal: limit - limit / 8) : []
    }

    private mutating func makeRoom(goal: Int) -> [ObjectIdentifier] {
        // Those that can be closed, the largest last.
        var candidates = Dictionary(grouping: holders.filter { !$1.isClosing }, by: \.value.uid)
            .mapValues { $0.sorted { $0.value.bytes < $1.value.bytes } }
        var closing: [ObjectIdentifier] = []
        while bytes > goal,
            let uid = candidates.keys.max(by: { users[$0]?.bytes ?? 0 < users[$1]?.bytes ?? 0 })
        {
            guard let (id, holder) = candidates[uid]?.popLast() else {
                candidates[uid] = nil
                continue
            }
            add(-holder.bytes, of: uid)
            holders[id] = Holder(uid: uid, bytes: 0, isClosing: true)
            closing.append(id)
        }
        return closing
    }

    private mutating func set(_ id: ObjectIdentifier, _ uid: UInt32, _ counted: Int, isClosing: Bool) {
        add(counted - (holders[id]?.bytes ?? 0), of: uid)
        holders[id] = counted == 0 ? nil : Holder(uid: uid, bytes: counted, isClosing: isClosing)
    }

    private mutating func add(_ difference: Int, of uid: UInt32) {
        bytes += difference
        users[uid]?.bytes += difference
    }
}
