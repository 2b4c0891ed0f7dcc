import Foundation

/// Why a case can't be measured, or must not be believed.
struct Failure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }

    /// What failed, and the reason that the C library gives.
    static func system(_ operation: String, _ path: String = "", _ code: Int32 = errno) -> Failure {
        Failure("\(operation)\(path.isEmpty ? "" : " \(path)"): \(String(cString: strerror(code)))")
    }
}

/// Nanoseconds since some time in the past; never goes back.
func now() -> Int64 { clock(CLOCK_MONOTONIC) }

/// Nanoseconds of CPU time that the calling thread has used.
func ownTime() -> Int64 { clock(CLOCK_THREAD_CPUTIME_ID) }

private func clock(_ id: clockid_t) -> Int64 {
    var time = timespec()
    clock_gettime(id, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
}

/// Prints a line at once, also into a pipe.
func say(_ line: String) { FileHandle.standardOutput.write(Data("\(line)\n".utf8)) }

/// Waits for something that happens by itself, looking often.
///
/// - Parameters:
///   - what: the thing, for the error when it doesn't happen.
///   - interval: microseconds between two looks.
@discardableResult
func wait<Value>(
    for what: String, seconds: Double, interval: UInt32 = 200, _ look: () throws -> Value?
) throws -> Value {
    let end = now() + Int64(seconds * 1e9)
    while true {
        if let value = try look() { return value }
        guard now() < end else { throw Failure("\(what) took longer than \(Int(seconds)) s") }
        usleep(interval)
    }
}
