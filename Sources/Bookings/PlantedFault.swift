#if DEBUG
    import Glibc
#endif

/// Faults that a debug build has on demand, so that the programs in `Tests/Torture` can prove that they would notice
/// them. `ACMS_PLANTED_FAULT` names the one to have. A release build holds nothing of it.
public enum PlantedFault: String, Sendable {
    /// The worker removes a spool file when it takes it, instead of when its messages are durable elsewhere.
    case removeBeforeCommit = "remove-before-commit"
    /// A sync of a file or a directory that fails is taken for a good one.
    case ignoreSyncError = "ignore-sync-error"
    /// The front doesn't learn at its start which claims the queue holds.
    case claimNotRebuilt = "claim-not-rebuilt"
    /// No checksum of a line or of a dead letter is compared.
    case skipChecksum = "skip-checksum"
    /// Every fourth year has a 29th of February.
    case fourthYearLeaps = "fourth-year-leaps"
    /// An error of the configuration shows what it quotes as it is.
    case errorNotEscaped = "error-not-escaped"
    /// A line in the common form is read whatever its checksum; in another form it is not.
    case checksumIgnored = "checksum-ignored"
    /// A group of the journal is believed to be as long as it says.
    case lengthBelieved = "length-believed"

    /// Whether this process has it.
    @inline(__always)
    public var isPlanted: Bool {
        #if DEBUG
            return PlantedFaultState.fault == self
        #else
            return false
        #endif
    }
}

#if DEBUG
    private enum PlantedFaultState {
        static let fault = getenv("ACMS_PLANTED_FAULT").flatMap {
            PlantedFault(rawValue: String(cString: $0))
        }
    }
#endif
