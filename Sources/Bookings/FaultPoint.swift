#if DEBUG
    import Glibc
#endif

/// Places where a debug build kills its own process on demand, so that tests can prove what a crash there does.
/// A release build holds nothing of it.
///
/// `ACMS_FAULT_POINT=worker.commit` ends the process with SIGKILL the first time it gets there,
/// `ACMS_FAULT_POINT=worker.commit:3` the third time. `ACMS_FAULT_APARTMENT=A` makes `worker.apply` do so
/// whenever the batch holds a booking of apartment A.
public enum FaultPoint {
    /// Marks a place.
    @inline(__always)
    public static func reached(_ name: StaticString) {
        #if DEBUG
            FaultPointState.reached("\(name)")
        #endif
    }

    /// Marks a place where the process has these apartments' bookings in hand.
    @inline(__always)
    public static func reached(apartments: @autoclosure () -> [String]) {
        #if DEBUG
            if let fatal = FaultPointState.apartment, apartments().contains(fatal) { FaultPointState.die() }
        #endif
    }
}

#if DEBUG
    import Synchronization

    private enum FaultPointState {
        /// Only debug builds have this state; it stands for the debugger that a test can't attach.
        static let remaining = Mutex<(name: String, hits: Int)?>(
            getenv("ACMS_FAULT_POINT").map { value in
                let parts = String(cString: value).split(separator: ":", maxSplits: 1)
                return (String(parts.first ?? ""), parts.count == 2 ? Int(parts[1]) ?? 1 : 1)
            })
        static let apartment = getenv("ACMS_FAULT_APARTMENT").map { String(cString: $0) }

        static func reached(_ name: String) {
            let fatal = remaining.withLock { state -> Bool in
                guard let current = state, current.name == name else { return false }
                state = (name, current.hits - 1)
                return current.hits <= 1
            }
            if fatal { die() }
        }

        static func die() {
            kill(getpid(), SIGKILL)
            pause()
        }
    }
#endif
