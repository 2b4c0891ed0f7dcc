import Bookings
import Glibc
import SystemPackage

/// A regular file, open for reading until the last reference goes.
public final class OpenFile: Sendable {
    let descriptor: FileDescriptor
    /// The path it was opened by.
    public let path: String
    /// Its state when it was opened.
    public let status: FileStatus

    init(descriptor: FileDescriptor, path: String, status: FileStatus) {
        self.descriptor = descriptor
        self.path = path
        self.status = status
    }

    deinit {
        try? descriptor.close()
    }

    /// Reads up to `count` bytes at `offset`; fewer only at the end of the file.
    public func read(at offset: Int, count: Int) throws(SpoolError) -> [UInt8] {
        var failure: Errno?
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            filled = 0
            while filled < count {
                let part = UnsafeMutableRawBufferPointer(
                    rebasing: UnsafeMutableRawBufferPointer(buffer)[filled...])
                do {
                    let length = try descriptor.read(fromAbsoluteOffset: Int64(offset + filled), into: part)
                    if length == 0 { return }
                    filled += length
                } catch {
                    failure = error as? Errno ?? .ioError
                    return
                }
            }
        }
        if let failure { throw SpoolError("read", path, failure) }
        return bytes
    }
}

/// The file system of this machine.
public struct LocalFileSystem: FileSystem {
    /// Creates it; it has no state.
    public init() {}

    /// Renames entries whose names are no UTF-8.
    public func escapeNames(in directory: String) throws(SpoolError) {
        var odd: [[UInt8]] = []
        try forEachName(in: directory) { name in
            if String(validating: name, as: UTF8.self) == nil { odd.append(Array(name)) }
        }
        for name in odd {
            let escaped = Self.escaped(name)
            let target = "\(directory)/\(escaped)"
            // Nothing that is there already may be replaced; the odd one waits until that name is free.
            if try status(of: target) != nil { continue }
            let source = (Array("\(directory)/".utf8) + name + [0]).map(CChar.init(bitPattern:))
            guard Glibc.rename(source, target) == 0 || Glibc.errno == ENOENT else {
                throw SpoolError("rename", target, .last)
            }
        }
    }

    /// Odd bytes as `%` and two hexadecimal digits, cut to what a name may have.
    private static func escaped(_ name: [UInt8]) -> String {
        let pieces = name.map { byte in
            byte > 0x20 && byte < 0x7f && byte != UInt8(ascii: "%")
                ? String(UnicodeScalar(byte))
                : "%" + String(byte >> 4, radix: 16) + String(byte & 15, radix: 16)
        }
        let whole = pieces.joined()
        guard whole.utf8.count > 200 else { return whole }
        return String(whole.prefix(160)) + "%" + CRC32C.text(name)
    }

    /// Calls `body` with the bytes of each name in a directory.
    public func forEachName(
        in directory: String, _ body: (UnsafeBufferPointer<UInt8>) -> Void
    ) throws(SpoolError) {
        guard let stream = opendir(directory) else { throw SpoolError("list", directory, .last) }
        defer { closedir(stream) }
        while true {
            Glibc.errno = 0
            guard let entry = readdir(stream) else {
                if Glibc.errno != 0 { throw SpoolError("list", directory, .last) }
                return
            }
            withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                let name = UnsafeBufferPointer(rebasing: bytes.bindMemory(to: UInt8.self).prefix { $0 != 0 })
                let isSelf = name.elementsEqual(".".utf8) || name.elementsEqual("..".utf8)
                if !isSelf { body(name) }
            }
        }
    }

    /// Makes a directory; one that exists is fine.
    public func makeDirectory(_ path: String, mode: UInt32) throws(SpoolError) {
        guard mkdir(path, mode) == 0 || Glibc.errno == EEXIST else {
            throw SpoolError("make the directory", path, .last)
        }
    }

    /// What lies at `path`.
    public func status(of path: String) throws(SpoolError) -> FileStatus? {
        var status = stat()
        guard lstat(path, &status) == 0 else {
            if Glibc.errno == ENOENT { return nil }
            throw SpoolError("look at", path, .last)
        }
        return FileStatus(status)
    }

    /// Opens a regular file for reading.
    public func open(_ path: String) throws(SpoolError) -> OpenFile {
        let number = Glibc.open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
        guard number >= 0 else { throw SpoolError("open", path, .last) }
        let descriptor = FileDescriptor(rawValue: number)
        var status = stat()
        guard fstat(number, &status) == 0 else {
            let errno = Errno.last
            try? descriptor.close()
            throw SpoolError("look at", path, errno)
        }
        return OpenFile(descriptor: descriptor, path: path, status: FileStatus(status))
    }

    /// Writes a file, and syncs it unless told not to.
    public func write(
        _ contents: [FileContent], to path: String, mode: UInt32, synced: Bool
    ) throws(SpoolError) {
        let number = Glibc.open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, mode)
        guard number >= 0 else { throw SpoolError("create", path, .last) }
        var isOpen = true
        defer { if isOpen { Glibc.close(number) } }
        for content in contents {
            switch content {
            case .bytes(let bytes):
                try writeAll(bytes, to: number, path: path)
            case .part(let file, var offset, var count):
                while count > 0 {
                    let chunk = try file.read(at: offset, count: min(count, 1 << 20))
                    guard !chunk.isEmpty else { throw SpoolError("read the whole of", file.path, .ioError) }
                    try writeAll(chunk, to: number, path: path)
                    offset += chunk.count
                    count -= chunk.count
                }
            }
        }
        if synced { try Self.sync(number, path) }
        isOpen = false
        guard Glibc.close(number) == 0 else { throw SpoolError("close", path, .last) }
    }

    /// - Parameter offset: where to write; nil for where the last write ended.
    func writeAll(
        _ bytes: [UInt8], at offset: Int? = nil, to number: Int32, path: String
    ) throws(SpoolError) {
        var written = 0
        while written < bytes.count {
            let count = bytes.withUnsafeBytes { buffer in
                let rest = UnsafeRawBufferPointer(rebasing: buffer[written...])
                return if let offset {
                    pwrite(number, rest.baseAddress, rest.count, off_t(offset + written))
                } else {
                    Glibc.write(number, rest.baseAddress, rest.count)
                }
            }
            if count > 0 {
                written += count
            } else if Errno.last != .interrupted {
                throw SpoolError("write", path, .last)
            }
        }
    }

    /// Renames.
    public func rename(_ source: String, to target: String, replacing: Bool) throws(SpoolError) {
        if !replacing, try status(of: target) != nil {
            throw SpoolError("rename", "\(source) to \(target)", .fileExists)
        }
        guard Glibc.rename(source, target) == 0 else {
            throw SpoolError("rename", "\(source) to \(target)", .last)
        }
    }

    /// Removes a file.
    public func remove(_ path: String) throws(SpoolError) {
        guard unlink(path) == 0 || Glibc.errno == ENOENT else { throw SpoolError("remove", path, .last) }
    }

    /// Removes a file, or a directory with all it holds.
    public func removeTree(_ path: String) throws(SpoolError) {
        try Self.removeTree(AT_FDCWD, Array(path.utf8CString), shown: path)
    }

    /// Goes down by open directories, so that nobody can lead it elsewhere by a link while it works.
    private static func removeTree(_ parent: Int32, _ name: [CChar], shown: String) throws(SpoolError) {
        guard unlinkat(parent, name, 0) != 0 else { return }
        switch Glibc.errno {
        case ENOENT: return
        case EISDIR: break
        default: throw SpoolError("remove", shown, .last)
        }
        let number = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        guard number >= 0 else { throw SpoolError("open", shown, .last) }
        guard let stream = fdopendir(number) else {
            let failure = Errno.last
            Glibc.close(number)
            throw SpoolError("list", shown, failure)
        }
        defer { closedir(stream) }
        var names: [[CChar]] = []
        while let entry = readdir(stream) {
            withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                let name = bytes.prefix { $0 != 0 }
                let isSelf = name.elementsEqual(".".utf8) || name.elementsEqual("..".utf8)
                if !isSelf { names.append(name.map(CChar.init(bitPattern:)) + [0]) }
            }
        }
        for inside in names { try removeTree(number, inside, shown: shown) }
        guard unlinkat(parent, name, AT_REMOVEDIR) == 0 || Glibc.errno == ENOENT else {
            throw SpoolError("remove", shown, .last)
        }
    }

    /// Makes a file that takes up `bytes` of the disk.
    public func allocate(_ path: String, bytes: Int) throws(SpoolError) {
        let number = Glibc.open(path, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0o640)
        guard number >= 0 else { throw SpoolError("create", path, .last) }
        defer { Glibc.close(number) }
        let failure = posix_fallocate(number, 0, off_t(bytes))
        guard failure == 0 else {
            unlink(path)
            throw SpoolError("allocate", path, Errno(rawValue: failure))
        }
    }

    /// Makes the entries of a directory durable.
    public func syncDirectory(_ path: String) throws(SpoolError) {
        try withDirectory(path) { (number) throws(SpoolError) in try Self.sync(number, path) }
    }

    static func sync(
        _ number: Int32, _ path: String, by call: (Int32) -> Int32 = fsync
    ) throws(SpoolError) {
        guard call(number) == 0 || PlantedFault.ignoreSyncError.isPlanted else {
            throw SpoolError("sync", path, .last)
        }
    }

    func withDirectory(_ path: String, _ body: (Int32) throws(SpoolError) -> Void) throws(SpoolError) {
        let number = Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard number >= 0 else { throw SpoolError("open", path, .last) }
        defer { Glibc.close(number) }
        try body(number)
    }

    /// Bytes that are free on the file system of a directory.
    public func freeBytes(in directory: String) throws(SpoolError) -> Int {
        var status = statvfs()
        guard statvfs(directory, &status) == 0 else {
            throw SpoolError("ask for the free space of", directory, .last)
        }
        let (bytes, overflow) = Int(clamping: status.f_bavail)
            .multipliedReportingOverflow(by: Int(clamping: status.f_frsize))
        return overflow ? .max : bytes
    }

    /// Sets a file's time of last access to now.
    public func touch(_ path: String) throws(SpoolError) {
        // UTIME_NOW and UTIME_OMIT of utimensat(2), macros that the C library's module does not export. The time
        // of change stays: it is the time of arrival of messages that name none.
        let times = [
            timespec(tv_sec: 0, tv_nsec: (1 << 30) - 1), timespec(tv_sec: 0, tv_nsec: (1 << 30) - 2),
        ]
        guard utimensat(AT_FDCWD, path, times, AT_SYMLINK_NOFOLLOW) == 0 else {
            throw SpoolError("touch", path, .last)
        }
    }
}

extension FileStatus {
    init(_ status: stat) {
        let kind: FileKind =
            switch status.st_mode & S_IFMT {
            case S_IFREG: .regular
            case S_IFDIR: .directory
            default: .other
            }
        self.init(
            kind: kind, size: Int(status.st_size),
            modifiedMilliseconds: Self.milliseconds(status.st_mtim),
            identity: FileIdentity(device: UInt64(status.st_dev), inode: UInt64(status.st_ino)),
            isOwn: status.st_uid == geteuid())
    }
}

extension FileStatus {
    /// Anybody may have set a file's time to anything; it is kept within the years that can be written.
    private static func milliseconds(_ time: timespec) -> Int64 {
        let seconds = min(max(Int64(time.tv_sec), -62_135_596_800), 253_402_300_799)
        return seconds * 1000 + Int64(time.tv_nsec) / 1_000_000
    }
}

extension Errno {
    /// The error of the C library call just made.
    static var last: Errno { Errno(rawValue: Glibc.errno) }
}
