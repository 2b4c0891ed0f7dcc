import Foundation
import Support

/// The built `acmsctl`, run as users run it.
struct Program {
    /// What a run left behind.
    struct Outcome {
        /// The exit status, or minus the number of the signal that ended it.
        let status: Int32
        let output: String
        let errors: String

        var outputLines: [Substring] { output.split(separator: "\n") }
        var errorLines: [Substring] { errors.split(separator: "\n") }
    }

    static let path = Site.products.appendingPathComponent("acmsctl").path

    /// Runs it with an environment that holds nothing else.
    static func run(_ arguments: String..., environment: [String: String] = [:]) async throws -> Outcome {
        try await run([path] + arguments, environment: environment)
    }

    /// Runs a program, found by its path.
    static func run(
        _ command: [String], environment: [String: String] = [:],
        interruptedBy interruption: AsyncStream<Void>? = nil
    ) async throws -> Outcome {
        let directory = try TemporaryDirectory()
        try directory.write("", to: "output")
        try directory.write("", to: "errors")
        let status = try await status(
            command, environment: environment, interruptedBy: interruption,
            output: try FileHandle(forWritingTo: URL(fileURLWithPath: "\(directory.path)/output")),
            errors: try FileHandle(forWritingTo: URL(fileURLWithPath: "\(directory.path)/errors")))
        return Outcome(
            status: status, output: try directory.read("output"), errors: try directory.read("errors"))
    }

    /// Runs it with standard output on a terminal of so many columns, and returns what is shown there.
    static func runOnTerminal(
        _ arguments: String..., columns: UInt16 = 80, environment: [String: String] = [:]
    ) async throws -> String {
        let terminal = try PseudoTerminal(columns: columns)
        async let shown = terminal.readToEnd()
        _ = try await status(
            [path] + arguments, environment: environment, output: terminal.user,
            errors: try FileHandle(forWritingTo: URL(fileURLWithPath: "/dev/null")))
        try terminal.user.close()
        return await shown
    }

    private static func status(
        _ command: [String], environment: [String: String],
        interruptedBy interruption: AsyncStream<Void>? = nil,
        output: FileHandle, errors: FileHandle
    ) async throws -> Int32 {
        let process = try ChildProcess(
            command, environment: environment.merging(["PATH": "/usr/bin:/bin"]) { own, _ in own },
            output: output.fileDescriptor, errors: errors.fileDescriptor)
        if let interruption {
            for await _ in interruption { process.signal(SIGINT) }
        }
        return await process.end()
    }
}

/// A terminal that nobody looks at.
final class PseudoTerminal: Sendable {
    /// The side of the program.
    let user: FileHandle
    private let screen: FileHandle

    /// TIOCSPTLCK and TIOCGPTN of Linux's asm-generic/ioctls.h.
    private static let unlock: UInt = 0x4004_5431
    private static let getNumber: UInt = 0x8004_5430

    init(columns: UInt16) throws {
        // posix_openpt(3) and its companions aren't in Swift's Glibc; this is what they do (pty(7)).
        let descriptor = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC)
        var lock: Int32 = 0
        var number: UInt32 = 0
        guard descriptor >= 0, ioctl(descriptor, Self.unlock, &lock) == 0,
            ioctl(descriptor, Self.getNumber, &number) == 0
        else { throw CocoaError(.fileReadUnknown) }
        var size = winsize(ws_row: 24, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0)
        guard ioctl(descriptor, UInt(TIOCSWINSZ), &size) == 0 else { throw CocoaError(.fileReadUnknown) }
        screen = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        user = FileHandle(
            fileDescriptor: open("/dev/pts/\(number)", O_RDWR | O_NOCTTY | O_CLOEXEC), closeOnDealloc: true)
    }

    /// All that is shown until the last program closes the terminal (EIO then).
    func readToEnd() async -> String {
        await withCheckedContinuation { continuation in
            // A thread of its own, since it blocks.
            Thread.detachNewThread { [screen] in
                var shown = Data()
                var buffer = [UInt8](repeating: 0, count: 4096)
                while true {
                    let count = read(screen.fileDescriptor, &buffer, buffer.count)
                    guard count > 0 else { break }
                    shown.append(contentsOf: buffer[..<count])
                }
                let text = String(decoding: shown, as: UTF8.self)
                continuation.resume(returning: text.replacingOccurrences(of: "\r\n", with: "\n"))
            }
        }
    }
}
