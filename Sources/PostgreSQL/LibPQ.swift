import CPostgreSQL

/// The functions of libpq, which is found when it is needed first.
struct LibPQ: @unchecked Sendable {
    // Functions of a loaded library: they are written once, before anybody gets the pointer, and never change.
    let functions: UnsafePointer<acms_pq>

    /// - Throws: when libpq isn't installed or too old.
    init() throws(DatabaseTrouble) {
        guard let functions = acms_pq_load() else {
            throw DatabaseTrouble(
                .unreachable,
                "PostgreSQL's client library can't be used: \(String(cString: acms_pq_failure())). Install the package libpq5."
            )
        }
        self.functions = functions
    }
}
