public import Bookings
public final class SQLiteTableReader: BookingQueries {
  public init(path: String) {}
  public func booking(_ id: BookingID) throws(TableUnavailable) -> Booking? { nil }
  public func committed(among ids: [BookingID]) throws(TableUnavailable) -> Set<BookingID> { [] }
  public func verdicts(on requests: [BookingRequest]) throws(TableUnavailable) -> [TableVerdict] { [] }
  public func bookings(of owner: BookingOwner, status: BookingStatus?, limit: Int, after token: String?) throws -> BookingPage { .init(items: [], nextToken: nil) }
}
public final class SQLiteTable: BookingTable {
  public init(path: String) {}
  public func booking(_ id: BookingID) throws(TableUnavailable) -> Booking? { nil }
  public func committed(among ids: [BookingID]) throws(TableUnavailable) -> Set<BookingID> { [] }
  public func verdicts(on requests: [BookingRequest]) throws(TableUnavailable) -> [TableVerdict] { [] }
  public func bookings(of owner: BookingOwner, status: BookingStatus?, limit: Int, after token: String?) throws -> BookingPage { .init(items: [], nextToken: nil) }
  public func apply(_ batch: [Message], deadLettered: Int) throws(TableUnavailable) -> [ApplyOutcome] { [] }
  public func approve(_ id: BookingID, at time: Timestamp) throws(TableUnavailable) -> Decision { .notFound }
  public func cancel(_ id: BookingID, at time: Timestamp) throws(TableUnavailable) -> Decision { .notFound }
  public func totals() throws(TableUnavailable) -> (committed: Int, deadLettered: Int) { (0, 0) }
}
