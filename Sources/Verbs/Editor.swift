import Glibc

/// The user's editor, on a private file.
struct Editor {
    private let command: String

    /// - Parameter environment: names it by VISUAL or EDITOR, which may hold arguments too.
    init(environment: [String: String]) {
        let named = [environment["VISUAL"], environment["EDITOR"]].compactMap { $0 }.first { !$0.isEmpty }
        let usual = access("/usr/bin/sensible-editor", X_OK) == 0 ? "sensible-editor" : "vi"
        command = named ?? usual
    }

    /// Lets the user edit a text. The file is gone when this returns.
    func edit(_ text: String) throws(Failure) -> String {
        var template = Array("/tmp/acmsctl-XXXXXX.json".utf8CString)
        let descriptor = mkstemps(&template, Int32(".json".utf8.count))
        let path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
        guard descriptor >= 0 else { throw .editorFailed("no file can be made in /tmp: \(Self.lastError).") }
        defer { unlink(path) }
        let bytes = Array(text.utf8)
        let written = write(descriptor, bytes, bytes.count)
        close(descriptor)
        guard written == bytes.count else {
            throw .editorFailed("\(path) can't be written: \(Self.lastError).")
        }
        let status = try run(on: path)
        guard status == 0 else {
            throw .editorFailed("the editor '\(command)' ended with status \(status).")
        }
        return try read(path)
    }

    private func run(on path: String) throws(Failure) -> Int32 {
        // The terminal's signals are for the editor, as in system(3); and whatever ends this program would leave the
        // file behind.
        let numbers = [SIGINT, SIGQUIT, SIGTERM, SIGHUP]
        let before = numbers.map { signal($0, SIG_IGN) }
        defer { for (number, handler) in zip(numbers, before) { signal(number, handler) } }
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var signals = sigset_t()
        sigemptyset(&signals)
        for number in numbers + [SIGPIPE] { sigaddset(&signals, number) }
        posix_spawnattr_setsigdefault(&attributes, &signals)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGDEF))
        // What is piped on is this program's output, not the editor's.
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        if isatty(STDOUT_FILENO) != 1 {
            posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO)
        }
        let words = ["/bin/sh", "-c", "\(command) \"$1\"", "acmsctl", path]
        var arguments = words.map { strdup($0) } + [nil]
        defer { arguments.forEach { free($0) } }
        var child: pid_t = 0
        let failure = posix_spawn(&child, "/bin/sh", &actions, &attributes, &arguments, environ)
        guard failure == 0 else {
            throw .editorFailed("/bin/sh can't be started: \(String(cString: strerror(failure))).")
        }
        var status: Int32 = 0
        while waitpid(child, &status, 0) < 0 {
            guard errno == EINTR else { throw .editorFailed("the editor is lost: \(Self.lastError).") }
        }
        // WIFEXITED and WEXITSTATUS of wait(2); a signal counts as a shell tells it.
        return status & 0x7f == 0 ? status >> 8 & 0xff : 128 + status & 0x7f
    }

    private func read(_ path: String) throws(Failure) -> String {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .editorFailed("\(path) can't be read: \(Self.lastError).") }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 64 << 10)
        while bytes.count <= 1 << 20 {
            let count = Glibc.read(descriptor, &chunk, chunk.count)
            if count == 0 { return String(decoding: bytes, as: UTF8.self) }
            guard count > 0 else { throw .editorFailed("\(path) can't be read: \(Self.lastError).") }
            bytes.append(contentsOf: chunk[..<count])
        }
        throw .editorFailed("what was written has more than 1 MiB.")
    }

    private static var lastError: String { String(cString: strerror(errno)) }
}
