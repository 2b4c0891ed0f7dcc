public import Varlink

/// How many items a page of a list has.
public enum PageLimit {
    /// The limit that a caller gave, or 100.
    ///
    /// - Throws: InvalidParameter unless it is 1 to 1000.
    public static func checked(_ limit: Int?) throws(ErrorReply) -> Int {
        let limit = limit ?? 100
        guard (1...1000).contains(limit) else {
            throw ErrorReply(ServiceError.InvalidParameter(parameter: "limit"))
        }
        return limit
    }
}
