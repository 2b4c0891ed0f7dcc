import Glibc

/// Where an export goes: standard output, or a file that has its name only once it is complete.
struct ExportSink: Sendable {
    private let path: String?
    private let descriptor: Int32
    private let output: Output

    /// - Parameter path: The file; nil for standard output.
    init(_ path: String?, _ output: Output) throws(Failure) {
        self.path = path
        self.output = output
        guard let path else {
            descriptor = STDOUT_FILENO
            return
        }
        descriptor = open(Self.part(path), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o640)
        guard descriptor >= 0 else { throw .fileFailed(path: Self.part(path), errno: errno) }
    }

    var isFile: Bool { path != nil }

    private static func part(_ path: String) -> String { path + ".part" }

    func write(_ bytes: [UInt8]) throws(Failure) {
        guard let path else { return try output.write(bytes: bytes) }
        let failure = writeAll(bytes, to: descriptor)
        guard failure == 0 else { throw .fileFailed(path: Self.part(path), errno: failure) }
    }

    /// Makes the file durable and gives it its name.
    func finish() throws(Failure) {
        guard let path else { return }
        guard fsync(descriptor) == 0 else { throw .fileFailed(path: Self.part(path), errno: errno) }
        guard rename(Self.part(path), path) == 0 else { throw .fileFailed(path: path, errno: errno) }
        close(descriptor)
        // The name too is only durable with its directory.
        let parent = path.lastIndex(of: "/").map { String(path[...$0]) } ?? "."
        let directory = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard directory >= 0 else { throw .fileFailed(path: parent, errno: errno) }
        defer { close(directory) }
        guard fsync(directory) == 0 else { throw .fileFailed(path: parent, errno: errno) }
    }

    /// Leaves nothing of an export that failed.
    func abandon() {
        guard let path else { return }
        unlink(Self.part(path))
    }
}
