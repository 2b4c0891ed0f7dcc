import Glibc

/// What another program prints, for those whose answers have no other interface.
struct ProgramOutput {
    /// Standard output.
    let text: String

    /// A pager or another language would change what is printed.
    private static let environment = [
        "LC_ALL=C", "SYSTEMD_PAGER=cat", "SYSTEMD_COLORS=0", "PATH=/usr/sbin:/usr/bin:/sbin:/bin",
    ]

    /// Runs a program that is found in PATH, in plain English. Nil when there is none, when it fails, and when it isn't
    /// done in time.
    init?(_ words: [String], within limit: Duration = .seconds(10)) {
        var pipe: [Int32] = [0, 0]
        guard Glibc.pipe(&pipe) == 0 else { return nil }
        for end in pipe { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        let reading = pipe[0]
        defer { close(reading) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, pipe[1], STDOUT_FILENO)
        posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0)
        var arguments = words.map { strdup($0) } + [nil]
        var environment: [UnsafeMutablePointer<CChar>?] = Self.environment.map { strdup($0) } + [nil]
        defer { (arguments + environment).forEach { free($0) } }
        var child: pid_t = 0
        let failure = posix_spawnp(&child, words.first ?? "", &actions, nil, &arguments, &environment)
        close(pipe[1])
        guard failure == 0 else { return nil }
        let bytes = Self.read(reading, until: .now + limit)
        if bytes == nil { kill(child, SIGKILL) }
        var status: Int32 = 0
        while waitpid(child, &status, 0) < 0, errno == EINTR {}
        guard let bytes, status == 0 else { return nil }
        text = String(decoding: bytes, as: UTF8.self)
    }

    /// All that comes until the other side is closed; nil when that takes too long.
    private static func read(_ descriptor: Int32, until deadline: ContinuousClock.Instant) -> [UInt8]? {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 16 << 10)
        while true {
            let left = deadline - .now
            guard left > .zero else { return nil }
            var request = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            guard poll(&request, 1, Int32(left / .milliseconds(1)) + 1) > 0 else { continue }
            let count = Glibc.read(descriptor, &chunk, chunk.count)
            if count == 0 { return bytes }
            if count > 0 { bytes.append(contentsOf: chunk[..<count]) }
            guard count > 0 || errno == EINTR else { return nil }
        }
    }
}
