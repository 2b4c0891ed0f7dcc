import Bookings
import Glibc

/// The pages of a table's file in their newest whole versions, read without SQLite.
struct TablePages {
    private let path: String
    private let main: RawFile
    private let wal: RawFile?
    private let frames: WALFrames
    private let pageSize: Int

    /// Pages whose newest version, in the -wal file, is damaged.
    var damagedPages: Set<UInt32> { frames.damagedPages }

    init(_ path: String) throws(TableUnavailable) {
        self.path = path
        main = try RawFile(path)
        wal = try RawFile.ifThere(path + "-wal")
        frames = try Self.frames(of: path)
        let header = try main.read(16, 2)
        let announced = header.count == 2 ? Int(header[0]) << 8 | Int(header[1]) : 0
        let size = announced == 1 ? 65536 : announced
        pageSize = [512, 1024, 2048, 4096, 8192, 16384, 32768, 65536].contains(size) ? size : frames.pageSize
    }

    /// The frames of a table's -wal file.
    static func frames(of path: String) throws(TableUnavailable) -> WALFrames {
        guard let wal = try RawFile.ifThere(path + "-wal") else { return WALFrames(size: 0) { _, _ in [] } }
        do {
            return try WALFrames(size: wal.size) { try wal.read($0, $1) }
        } catch {
            throw error as? TableUnavailable ?? TableUnavailable(.other, reason: "\(error)")
        }
    }

    /// How many frames SQLite itself has last seen in the -wal file, as its index says; 0 when that tells nothing.
    static func indexedFrames(of path: String, _ frames: WALFrames) throws(TableUnavailable) -> Int {
        guard let index = try RawFile.ifThere(path + "-shm") else { return 0 }
        let header = try index.read(0, 48)
        guard header.count == 48, Array(header[32..<40]) == frames.salts else { return 0 }
        // In this machine's order of bytes.
        return Int(header.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: 16, as: UInt32.self) })
    }

    /// Calls `body` with every page.
    func forEach(_ body: (_ page: [UInt8], _ isFirst: Bool) throws -> Void) throws {
        let last = max(UInt32(clamping: (main.size + pageSize - 1) / pageSize), frames.pages.keys.max() ?? 0)
        guard last > 0 else { return }
        for number in 1...last {
            let page: [UInt8] =
                if let offset = frames.pages[number], let wal {
                    try wal.read(offset, pageSize)
                } else {
                    try main.readWhatCan((Int(number) - 1) * pageSize, pageSize)
                }
            try body(page, number == 1)
        }
    }
}

/// A file, read at offsets.
final class RawFile {
    private let descriptor: Int32
    private let path: String
    let size: Int

    convenience init(_ path: String) throws(TableUnavailable) {
        guard let descriptor = try Self.open(path) else {
            throw TableUnavailable(.gone, reason: "The table \(path) is gone.")
        }
        try self.init(descriptor, path)
    }

    private init(_ descriptor: Int32, _ path: String) throws(TableUnavailable) {
        self.descriptor = descriptor
        self.path = path
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw Self.trouble(path) }
        size = Int(status.st_size)
    }

    /// Nil when there is no such file.
    static func ifThere(_ path: String) throws(TableUnavailable) -> RawFile? {
        guard let descriptor = try open(path) else { return nil }
        return try RawFile(descriptor, path)
    }

    deinit { close(descriptor) }

    private static func open(_ path: String) throws(TableUnavailable) -> Int32? {
        let descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        if descriptor < 0, errno == ENOENT { return nil }
        guard descriptor >= 0 else { throw trouble(path) }
        return descriptor
    }

    private static func trouble(_ path: String) -> TableUnavailable {
        let code = errno
        return TableUnavailable(
            code == EIO ? .inputOutput : .cannotOpen,
            reason: "\(path) can't be read: \(String(cString: strerror(code))) (errno \(code)). "
                + "Run this as root, or as the worker's user.")
    }

    /// Up to `count` bytes at `offset`; fewer only at the end.
    func read(_ offset: Int, _ count: Int) throws(TableUnavailable) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        let length = pread(descriptor, &bytes, count, off_t(offset))
        guard length >= 0 else { throw Self.trouble(path) }
        return Array(bytes.prefix(length))
    }

    /// As ``read(_:_:)``, and nothing where the disk fails.
    func readWhatCan(_ offset: Int, _ count: Int) throws(TableUnavailable) -> [UInt8] {
        do throws(TableUnavailable) {
            return try read(offset, count)
        } catch {
            if error.kind == .inputOutput { return [] }
            throw error
        }
    }
}
