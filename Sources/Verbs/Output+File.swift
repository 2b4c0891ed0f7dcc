import Glibc

extension Output {
    /// Writes lines into a file, in place of what it held; `-` is standard output.
    func write(_ lines: [String], to path: String) throws(Failure) {
        if path == "-" { return try write(lines) }
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw .fileNotWritten(path: path, errno: errno) }
        var failure = StandardError.writeAll(Array(lines.map { $0 + "\n" }.joined().utf8), to: descriptor)
        // Some file systems tell only now that there was no room.
        if close(descriptor) != 0, failure == 0 { failure = errno }
        guard failure == 0 else { throw .fileNotWritten(path: path, errno: failure) }
    }
}
