import CPostgreSQL

/// PostgreSQL's client library, which is found when it is needed first.
public enum ClientLibrary: Hashable, Sendable {
    /// It can be used, and is of this version, such as 15.8.
    case version(String)
    /// It can't be used, for this reason: a part of a sentence.
    case missing(String)

    /// Looks for it.
    public static func find() -> ClientLibrary {
        guard let functions = acms_pq_load() else { return .missing(String(cString: acms_pq_failure())) }
        return .version(text(of: Int(functions.pointee.PQlibVersion())))
    }

    /// A version as people write it: of 150008, 15.8.
    static func text(of number: Int) -> String { "\(number / 10_000).\(number % 10_000)" }
}
