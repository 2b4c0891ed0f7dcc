import SystemPackage

extension CRC32C {
    /// The checksum of contents, and of what came before them.
    static func checksum(_ contents: [FileContent], after previous: UInt32) throws(SpoolError) -> UInt32 {
        var sum = previous
        for content in contents {
            switch content {
            case .bytes(let bytes): sum = bytes.withUnsafeBytes { checksum($0, after: sum) }
            case .part(let file, var offset, var count):
                while count > 0 {
                    let chunk = try file.read(at: offset, count: min(count, 1 << 20))
                    guard !chunk.isEmpty else { throw SpoolError("read the whole of", file.path, .ioError) }
                    sum = chunk.withUnsafeBytes { checksum($0, after: sum) }
                    offset += chunk.count
                    count -= chunk.count
                }
            }
        }
        return sum
    }
}
