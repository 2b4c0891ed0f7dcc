import Foundation
import Synchronization

/// A child process, started with posix_spawn(3). Foundation's `Process` crashes now and then when several are
/// started at once, as tests that run side by side do.
public final class ChildProcess: Sendable {
    /// Its process id.
    public let processIdentifier: Int32
    private let status = Mutex<Int32?>(nil)
    private let ended: AsyncStream<Void>

    /// The program could not be started.
    public struct Failure: Error {
        let program: String
        let errno: Int32
    }

    /// Starts a program.
    ///
    /// - Parameters:
    ///   - command: the program's path and its arguments.
    ///   - environment: all of its environment.
    ///   - input: the descriptor that becomes its standard input; nothing comes from there if nil.
    ///   - output: the descriptor that becomes its standard output, and `errors` its standard error.
    public init(
        _ command: [String], environment: [String: String], input: Int32? = nil, output: Int32, errors: Int32
    ) throws {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        if let input {
            posix_spawn_file_actions_adddup2(&actions, input, 0)
        } else {
            posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        }
        posix_spawn_file_actions_adddup2(&actions, output, 1)
        posix_spawn_file_actions_adddup2(&actions, errors, 2)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // The test runner's own way with signals is no concern of the child.
        var none = sigset_t()
        var all = sigset_t()
        sigemptyset(&none)
        sigfillset(&all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
        let arguments = command.map { strdup($0) } + [nil]
        let variables = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { (arguments + variables).forEach { free($0) } }
        var child: pid_t = 0
        let result = posix_spawn(&child, command[0], &actions, &attributes, arguments, variables)
        guard result == 0 else { throw Failure(program: command[0], errno: result) }
        processIdentifier = child
        let (ended, continuation) = AsyncStream.makeStream(of: Void.self)
        self.ended = ended
        // A thread of its own, since it blocks.
        Thread.detachNewThread { [self] in
            var raw: Int32 = 0
            while waitpid(processIdentifier, &raw, 0) < 0 && errno == EINTR {}
            // WIFEXITED and its companions of wait(2) are macros.
            status.withLock { $0 = raw & 0x7f == 0 ? raw >> 8 & 0xff : -(raw & 0x7f) }
            continuation.finish()
        }
    }

    /// Whether it has not ended yet.
    public var isRunning: Bool { status.withLock { $0 == nil } }

    /// Sends a signal, unless it has ended.
    public func signal(_ number: Int32) {
        status.withLock { status in
            if status == nil { kill(processIdentifier, number) }
        }
    }

    /// Waits for the end; one task may.
    ///
    /// - Returns: the exit status, or minus the number of the signal that ended it.
    public func end() async -> Int32 {
        for await _ in ended {}
        return status.withLock { $0 } ?? .max
    }
}
