import Glibc

extension Output {
    /// Writes lines into a file, in place of what it held; `-` is standard output.
    ///
    /// - Parameter mode: who may read and write a file that is replaced; nil for what the umask leaves.
    func write(_ lines: [String], to path: String, mode: mode_t? = nil) throws(Failure) {
        let sink = try FileSink(path, self, mode: mode)
        do throws(Failure) {
            try sink.write(Array(lines.map { $0 + "\n" }.joined().utf8))
            try sink.finish()
        } catch {
            sink.abandon()
            throw error
        }
    }
}

/// Where a verb writes that can write a file: standard output, a pipe or a device, or a file that is replaced once all
/// is written.
struct FileSink: Sendable {
    private enum Target: Sendable {
        case output
        case inPlace(path: String, descriptor: Int32)
        case replaced(ReplacedFile)
    }

    private let target: Target
    private let output: Output

    /// - Parameters:
    ///   - path: The file; nil or `-` for standard output.
    ///   - mode: who may read and write a file that is replaced; nil for what the umask leaves.
    init(_ path: String?, _ output: Output, mode: mode_t? = nil) throws(Failure) {
        self.output = output
        guard let path, path != "-" else {
            target = .output
            return
        }
        var status = stat()
        guard stat(path, &status) == 0, status.st_mode & S_IFMT != S_IFREG else {
            target = .replaced(try ReplacedFile(path, mode: mode))
            return
        }
        let descriptor = open(path, O_WRONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .fileFailed(path: path, errno: errno) }
        target = .inPlace(path: path, descriptor: descriptor)
    }

    /// Whether what is written is seen nowhere else meanwhile.
    var isFile: Bool { if case .output = target { false } else { true } }

    func write(_ bytes: [UInt8]) throws(Failure) {
        switch target {
        case .output: try output.write(bytes: bytes)
        case .replaced(let file): try file.write(bytes)
        case .inPlace(let path, let descriptor):
            let failure = writeAll(bytes, to: descriptor)
            guard failure == 0 else { throw .fileFailed(path: path, errno: failure) }
        }
    }

    func finish() throws(Failure) {
        switch target {
        case .output: return
        case .replaced(let file): try file.finish()
        case .inPlace(let path, let descriptor):
            guard close(descriptor) == 0 else { throw .fileFailed(path: path, errno: errno) }
        }
    }

    /// Leaves nothing behind where that can be.
    func abandon() {
        if case .replaced(let file) = target { file.abandon() }
    }
}
