import Foundation
import Glibc

/// Runs `body` with the rights that another user's process has to files; nil, after a loud message, when the
/// tests don't run as root.
///
/// Linux keeps the identity for files by thread (setfsuid(2)), so a thread of its own takes on the uid and gid
/// of nobody, and loses with uid 0 the capability to pass permissions by.
func asAnotherUser<Value: Sendable>(_ body: @escaping @Sendable () -> Value) throws -> Value? {
    typealias SetID = @convention(c) (UInt32) -> Int32
    // Glibc's module lacks <sys/fsuid.h>.
    guard getuid() == 0, let userSymbol = dlsym(nil, "setfsuid"), let groupSymbol = dlsym(nil, "setfsgid")
    else {
        print("SKIPPED, because only root can take on another uid: what another user may do with the table.")
        return nil
    }
    let setUser = unsafeBitCast(userSymbol, to: SetID.self)
    let setGroup = unsafeBitCast(groupSymbol, to: SetID.self)
    let nobody: UInt32 = 65534
    let result = Handover<Value>()
    let thread = Thread {
        _ = setGroup(nobody)
        _ = setUser(nobody)
        // It answers the identity so far: proof that the change took place.
        let isOther = setUser(nobody) == Int32(nobody)
        result.put(isOther ? body() : nil)
    }
    thread.start()
    return result.take()
}

/// A value that one thread gives another once.
// Unchecked: the semaphore orders the only write before the only read.
private final class Handover<Value: Sendable>: @unchecked Sendable {
    private let ready = DispatchSemaphore(value: 0)
    private var value: Value?

    func put(_ value: Value?) {
        self.value = value
        ready.signal()
    }

    func take() -> Value? {
        ready.wait()
        return value
    }
}
