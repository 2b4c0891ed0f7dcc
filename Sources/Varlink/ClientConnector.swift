internal import Glibc
internal import NIOCore
internal import NIOPosix

/// Connects to a Unix socket.
struct ClientConnector: Sendable {
    typealias Frames = NIOAsyncChannel<FrameSplitter.Frame, ByteBuffer>

    /// How often a service is tried again whose queue of connections is full.
    private static let maximumTries = 50
    private static let pause = Duration.milliseconds(100)

    let path: String
    /// The longest frame, in bytes.
    let limit: Int

    func connect() async throws(ClientError) -> Frames {
        guard !path.isEmpty, path.utf8.count <= SocketPath.maximumBytes else {
            throw .unreachable(path: path, errno: path.isEmpty ? ENOENT : ENAMETOOLONG)
        }
        for _ in 1..<Self.maximumTries {
            do throws(ClientError) {
                return try await connectOnce()
            } catch .unreachable(_, EAGAIN) {
                // A blocking connect would wait in the kernel for the service to accept; this one can't.
                guard (try? await Task.sleep(for: Self.pause)) != nil else { throw .cancelled }
            }
        }
        return try await connectOnce()
    }

    private func connectOnce() async throws(ClientError) -> Frames {
        do {
            return try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .connect(unixDomainSocketPath: path) { [limit] channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(FrameHandler(limit: limit))
                        return try Frames(wrappingChannelSynchronously: channel)
                    }
                }
        } catch let error as IOError {
            throw .unreachable(path: path, errno: error.errnoCode)
        } catch {
            throw .unreachable(path: path, errno: ETIMEDOUT)
        }
    }
}
