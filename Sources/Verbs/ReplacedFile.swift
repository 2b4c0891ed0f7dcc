import Glibc

/// A file that is replaced as a whole: whoever reads it meanwhile sees the old text or the new one.
struct ReplacedFile {
    let path: String

    /// Writes the text beside the file, and puts it in the file's place. Everybody may read it.
    func write(_ lines: [String]) throws(Failure) {
        // Its name begins with a dot and has no suffix, so that no collector takes it for one of its files.
        let slash = path.lastIndex(of: "/").map(path.index(after:)) ?? path.startIndex
        var template = Array("\(path[..<slash]).\(path[slash...]).XXXXXX".utf8CString)
        let descriptor = mkstemp(&template)
        guard descriptor >= 0 else { throw .fileNotWritten(path: path, errno: errno) }
        let temporary = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
        var failure = StandardError.writeAll(
            Array(lines.map { $0 + "\n" }.joined().utf8), to: descriptor)
        if failure == 0, fchmod(descriptor, 0o644) != 0 { failure = errno }
        if close(descriptor) != 0, failure == 0 { failure = errno }
        if failure == 0, rename(temporary, path) != 0 { failure = errno }
        guard failure == 0 else {
            unlink(temporary)
            throw .fileNotWritten(path: path, errno: failure)
        }
    }
}
