public import Foundation

/// A directory of its own for one test, removed with all it holds when the last reference goes.
public final class TemporaryDirectory: Sendable {
    /// Its path.
    public let path: String

    /// Makes one; the name is short, because socket paths are.
    ///
    /// - Parameter parent: where; without one under `$TMPDIR` or `/tmp`.
    public init(in parent: String? = nil) throws {
        let parent = parent ?? ProcessInfo.processInfo.environment["TMPDIR"] ?? "/tmp"
        let template = parent + "/acms-XXXXXX"
        var bytes = Array(template.utf8CString)
        guard mkdtemp(&bytes) != nil else { throw CocoaError(.fileWriteUnknown) }
        path = String(decoding: bytes.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    deinit {
        // Tests take permissions away from directories; they are given back so that all can be removed. A daemon
        // that is just ending may still remove a file of its own meanwhile.
        Self.remove(path)
    }

    private static func remove(_ path: String) {
        chmod(path, 0o700)
        guard let stream = opendir(path) else { return }
        var names: [String] = []
        while let entry = readdir(stream) {
            names.append(
                withUnsafePointer(to: &entry.pointee.d_name) { name in
                    name.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
                })
        }
        closedir(stream)
        for name in names where name != "." && name != ".." {
            let inside = "\(path)/\(name)"
            if unlink(inside) != 0 && errno == EISDIR { remove(inside) }
        }
        rmdir(path)
    }

    /// Writes a file.
    public func write(_ text: String, to name: String) throws {
        try Data(text.utf8).write(to: URL(fileURLWithPath: "\(path)/\(name)"))
    }

    /// Reads a file.
    public func read(_ name: String) throws -> String {
        String(decoding: try Data(contentsOf: URL(fileURLWithPath: "\(path)/\(name)")), as: UTF8.self)
    }

    /// Reads a file's bytes.
    public func bytes(_ name: String) throws -> Data {
        try Data(contentsOf: URL(fileURLWithPath: "\(path)/\(name)"))
    }

    /// The names in a directory, in order.
    public func names(in name: String = "") throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: "\(path)/\(name)").sorted()
    }
}
