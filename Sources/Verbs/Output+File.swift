import Glibc

extension Output {
    /// Writes lines into a file, in place of what it held; `-` is standard output.
    func write(_ lines: [String], to path: String) throws(Failure) {
        if path == "-" { return try write(lines) }
        var status = stat()
        guard stat(path, &status) == 0, status.st_mode & S_IFMT != S_IFREG else {
            return try ReplacedFile(path: path).write(lines)
        }
        // A pipe or a device is written to.
        let descriptor = open(path, O_WRONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .fileFailed(path: path, errno: errno) }
        defer { close(descriptor) }
        let failure = writeAll(Array(lines.map { $0 + "\n" }.joined().utf8), to: descriptor)
        guard failure == 0 else { throw .fileFailed(path: path, errno: failure) }
    }
}
