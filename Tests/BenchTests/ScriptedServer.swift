import Foundation

/// Answers each call that ends with NUL with the next of its replies, over and over.
final class ScriptedServer {
    let path: String
    private let descriptor: Int32

    /// - Parameters:
    ///   - replies: none means that it hangs up at the first call.
    ///   - bytesAtOnce: how much of a reply it sends at a time.
    init(replies: [String], bytesAtOnce: Int) throws {
        path = "\(NSTemporaryDirectory())/bench-\(UUID().uuidString.prefix(8))"
        descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard result == 0, listen(descriptor, 16) == 0 else { throw CocoaError(.fileWriteUnknown) }
        let listener = descriptor
        Thread.detachNewThread {
            while true {
                let peer = accept(listener, nil, nil)
                guard peer >= 0 else { return }
                Thread.detachNewThread { Self.serve(peer, replies, bytesAtOnce) }
            }
        }
    }

    deinit {
        shutdown(descriptor, Int32(SHUT_RDWR))
        close(descriptor)
        unlink(path)
    }

    private static func serve(_ peer: Int32, _ replies: [String], _ bytesAtOnce: Int) {
        defer { close(peer) }
        var buffer = [UInt8](repeating: 0, count: 65_536)
        var answered = 0
        while true {
            let count = read(peer, &buffer, buffer.count)
            guard count > 0, !replies.isEmpty else { return }
            for _ in buffer.prefix(count).filter({ $0 == 0 }) {
                var rest = Array(replies[answered % replies.count].utf8)[...] + [0]
                answered += 1
                while !rest.isEmpty {
                    let piece = Array(rest.prefix(bytesAtOnce))
                    guard send(peer, piece, piece.count, Int32(MSG_NOSIGNAL)) == piece.count else { return }
                    rest = rest.dropFirst(piece.count)
                }
            }
        }
    }
}
