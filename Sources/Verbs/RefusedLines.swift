import ArgumentParser
import Glibc
import Varlink

/// The file of the lines that were refused, which is there only when there are any.
struct RefusedLines {
    let path: String
    private(set) var count = 0
    private var descriptor: Int32?
    private var buffer: [UInt8] = []
    /// Whether such a file is left from an earlier run.
    private let isStale: Bool

    private static let beginning: [UInt8] = Array(#"{"line":"#.utf8)
    private static let bufferBytes = 64 << 10

    /// Looks whether the file may be written; it isn't yet.
    /// - Throws: a ValidationError when it is the file that is read, or one that holds something else.
    init(at path: String, besides input: InputFile) throws {
        self.path = path
        var status = stat()
        guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            isStale = false
            return
        }
        guard !input.isSame(as: status) else {
            throw ValidationError("\(path) is the file to be read; name another with --refused.")
        }
        guard Self.holdsRefusedLines(path) else {
            throw ValidationError("\(path) is there and holds no refused lines; name another with --refused.")
        }
        isStale = true
    }

    private static func holdsRefusedLines(_ path: String) -> Bool {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        // What can't be read is told of when it can't be written either.
        guard descriptor >= 0 else { return true }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: beginning.count)
        let count = read(descriptor, &bytes, bytes.count)
        return count == 0 || bytes == beginning
    }

    /// Adds a line.
    /// - Parameter original: The line as JSON.
    mutating func add(_ number: Int, _ refusal: Refusal, original: [UInt8]) throws(Failure) {
        count += 1
        buffer += Self.beginning
        buffer += String(number).utf8
        buffer.append(#","field":"#)
        if let field = refusal.field {
            buffer.append(quoting: field)
        } else {
            buffer.append("null")
        }
        buffer.append(#","error":"#)
        buffer.append(quoting: refusal.error)
        buffer.append(#","reason":"#)
        buffer.append(quoting: refusal.reason)
        buffer.append(#","input":"#)
        buffer += original
        buffer.append("}\n")
        if buffer.count >= Self.bufferBytes { try flush() }
    }

    /// Writes what was added. The file of an earlier run is replaced with the first line.
    mutating func flush() throws(Failure) {
        guard !buffer.isEmpty else { return }
        let file = descriptor ?? open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o640)
        guard file >= 0 else { throw .fileFailed(path: path, errno: errno) }
        descriptor = file
        let failure = writeAll(buffer, to: file)
        guard failure == 0 else { throw .fileFailed(path: path, errno: failure) }
        buffer.removeAll(keepingCapacity: true)
    }

    /// Ends the file, or removes the one of an earlier run when no line was refused.
    mutating func finish() throws(Failure) {
        try flush()
        if let descriptor {
            self.descriptor = nil
            guard close(descriptor) == 0 else { throw .fileFailed(path: path, errno: errno) }
        } else if isStale {
            unlink(path)
        }
    }
}
