public import Logging

/// The kinds of events in the log, by their `MESSAGE_ID`. The journal catalog `systemd/acms.catalog` explains
/// each one (`journalctl -x`). An id is for ever: a new kind gets a new id.
public enum EventID: String, CaseIterable, Sendable {
    /// The front accepted bookings: they are durable in the queue.
    case bookingsAccepted = "f83acc8ba21b4b4b95bf6581652e8c55"
    /// The worker committed a batch to the table.
    case batchCommitted = "7d6b0f621fcc4509ae14062542b8b067"
    /// Messages became dead letters.
    case deadLettered = "99e8599c484a4599a5b89a3399e8614b"
    /// Messages failed and are tried again later.
    case deferred = "901fc559ed954ed5a6faf213988f5542"
    /// A message was a repeat of a committed one.
    case duplicateIgnored = "2520202abf1647e59cb96efd44258992"
    /// The table can't be used; the queue holds.
    case tableUnavailable = "b4caed94e4e949c0afe0a1bdcfe92703"
    /// The table can be used again.
    case tableAvailable = "5629dc75054c4a94b81fbf4a4e8ade21"
    /// The spool can't be written; callers are refused.
    case spoolUnavailable = "93584633d47449a6ac5b1a5a18767227"
    /// The spool can be written again.
    case spoolAvailable = "bb1f3aa521cb4c61b47a578fbc457275"
    /// An unreadable or odd file of the spool was set aside.
    case setAside = "91b5508745ec429a907dcda4c8f0bb2b"
    /// The worker found messages in hand of a worker that died.
    case crashRecovered = "f939e0e9eaa04caf9179a8c103c97bcd"
    /// A caretaker approved or cancelled a booking.
    case decided = "dc549c7084f14839b83dbe1f857bc030"
    /// A new configuration is in force.
    case configurationReloaded = "31254400112b46528d1375ecd736da60"
    /// A new configuration was invalid; the old one stays in force.
    case configurationInvalid = "e67683e4920042e699708240a5d80390"
    /// A daemon started.
    case started = "f4cabe2bda6b48bba49e8251784e0e96"
    /// A daemon is about to end.
    case stopping = "30146fba9d4340c6a686f6bfbed335cf"
    /// A peer was refused a call that it may not make.
    case callRefused = "32ea72494ccf4752b28699b11b0fc2af"
    /// Bookings were PENDING for too long, and were cancelled.
    case pendingExpired = "c765f632d20e4c8f846020ee8b794750"
    /// An operator put dead letters back into the queue.
    case lettersRedriven = "2ee7a2f1bf59452080305c2340e5bcbb"
    /// An operator deleted dead letters.
    case lettersDeleted = "09e528b24e7c4819b82045a1faddb076"
    /// An operator stopped the committing.
    case paused = "5bee0407138449cfbba343c2f8a6a45d"
    /// Committing goes on after a pause.
    case resumed = "5e8c7d2754e047dca321a94dec5be98a"
    /// The queue is at a limit; new bookings are refused.
    case queueFull = "50d66fd3d3794af78078c084069d2398"
    /// The queue is below its limits again.
    case queueHasRoom = "be09c48584d44c9e84a024bc12cd5ad5"
    /// Connections were closed because a caller was at a limit.
    case connectionLimit = "6f0d8a4f4a2b4f7e9d1c53a0e7b86c12"
}

extension Logger.MetadataValue {
    /// The value for the metadata key `MESSAGE_ID`.
    public static func event(_ id: EventID) -> Self { .string(id.rawValue) }
}

extension Dictionary where Key == String, Value == Logger.MetadataValue {
    /// Metadata that says what kind of event a statement logs:
    /// `logger.info("…", metadata: .event(.deferred, ["booking-id": …]))`.
    public static func event(_ id: EventID, _ metadata: Logger.Metadata = [:]) -> Logger.Metadata {
        var metadata = metadata
        metadata["MESSAGE_ID"] = .event(id)
        return metadata
    }
}
