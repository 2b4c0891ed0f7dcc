/// Something wrong with the spool or the table, as `acmsctl check` tells it.
public struct DamageFinding: Hashable, Sendable, Encodable {
    /// The file or directory.
    public var path: String
    /// The line in it, counted from 1; nil when it is not about one.
    public var line: Int?
    /// The booking that is concerned, as far as it can be read.
    public var bookingId: String?
    /// What is wrong, in full sentences.
    public var problem: String
    /// What a repair would do, has done or can't do, in full sentences.
    public var repair: String
    /// Whether it was repaired; nil when nobody has tried.
    public var isRepaired: Bool?

    /// Describes damage.
    public init(
        path: String, line: Int? = nil, bookingId: String? = nil, problem: String, repair: String,
        isRepaired: Bool? = nil
    ) {
        self.path = path
        self.line = line
        self.bookingId = bookingId
        self.problem = problem
        self.repair = repair
        self.isRepaired = isRepaired
    }
}
