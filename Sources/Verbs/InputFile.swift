import Glibc

/// A file or standard input, read once from where it stands to its end, a block at a time.
struct InputFile {
    /// Its path; `-` for standard input.
    let path: String
    /// How many bytes there are to read; nil where that isn't known, as of a pipe.
    let size: Int?
    private let descriptor: Int32
    private let status: stat

    private static let blockBytes = 256 << 10

    init(_ path: String) throws(Failure) {
        self.path = path
        descriptor = path == "-" ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .inputFailed(path: path, errno: errno) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw .inputFailed(path: path, errno: errno) }
        self.status = status
        let position = lseek(descriptor, 0, SEEK_CUR)
        size = status.st_mode & S_IFMT == S_IFREG && position >= 0 ? Int(status.st_size - position) : nil
    }

    /// Whether its path says nothing about what it holds: a pipe, or one of the names of standard input.
    var isNameless: Bool {
        path == "-" || size == nil || path.hasPrefix("/dev/") || path.hasPrefix("/proc/")
    }

    /// Whether what `other` tells of is this file.
    func isSame(as other: stat) -> Bool {
        status.st_dev == other.st_dev && status.st_ino == other.st_ino
    }

    /// Appends what comes next to `buffer`.
    /// - Returns: false at the end.
    func read(into buffer: inout [UInt8]) throws(Failure) -> Bool {
        let start = buffer.count
        buffer.append(contentsOf: repeatElement(0, count: Self.blockBytes))
        var count = 0
        repeat {
            count = buffer.withUnsafeMutableBytes {
                Glibc.read(
                    descriptor, UnsafeMutableRawBufferPointer(rebasing: $0[start...]).baseAddress,
                    Self.blockBytes)
            }
        } while count < 0 && errno == EINTR
        let failure = errno
        buffer.removeLast(Self.blockBytes - max(count, 0))
        guard count >= 0 else { throw .inputFailed(path: path, errno: failure) }
        return count > 0
    }
}
