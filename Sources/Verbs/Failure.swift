import ArgumentParser
import Glibc
import Varlink

/// Why a verb failed.
enum Failure: Error, Sendable {
    /// Nobody can be reached; nothing was sent.
    case unreachable(path: String, errno: Int32, Service)
    /// A call was sent and no reply came that can be read; `remedy` says what the user is to do.
    case lost(Loss, path: String, remedy: String)
    /// The service replied with an error; `id` is what the call was about.
    case refused(RemoteError, Service, about: String?)
    /// One line of the configuration's reader.
    case invalidConfiguration(String)
    /// The file to read can't be read.
    case inputFailed(path: String, errno: Int32)
    /// What the file to read holds can't be understood; nothing was sent.
    case inputInvalid(path: String, reason: String)
    /// acms could not store anything more, however often it was asked; `remedy` says how to go on.
    case importStopped(RemoteError, remedy: String)
    /// A file that the user named can't be written.
    case fileFailed(path: String, errno: Int32)
    /// The user's editor did not do its work; nothing was changed.
    case editorFailed(String)
    /// Standard output can't be written.
    case outputFailed(errno: Int32)
    /// Nobody reads standard output any more, as after `| head`.
    case outputClosed
    /// The service has only the beginning of what was asked for; the text says where the rest is.
    case incomplete(String)

    /// The spool or the table can't be looked through; the text says why and what to do.
    case checkFailed(String)
    /// A daemon uses what is to be repaired.
    case daemonRuns(role: String)
    /// Nothing may be moved from one engine to another now; what is in the way, and what to do.
    case moveRefused(String, remedy: String)
    /// A move from one engine to another can't go on: why.
    case moveStopped(String)

    enum Loss: Sendable {
        case disconnected
        case timedOut(Duration)
        case unreadable(String)
    }

    var exitCode: ExitCode {
        switch self {
        case .refused, .editorFailed, .daemonRuns, .moveRefused: ExitCode(1)
        case .unreachable, .lost, .importStopped, .moveStopped: ExitCode(EX_UNAVAILABLE)
        case .inputFailed, .inputInvalid, .checkFailed: ExitCode(EX_NOINPUT)
        case .outputFailed, .fileFailed, .incomplete: ExitCode(EX_IOERR)
        case .invalidConfiguration: ExitCode(EX_CONFIG)
        // What a shell reports of a program that SIGPIPE ended.
        case .outputClosed: ExitCode(128 + SIGPIPE)
        }
    }

    /// Tells the user, and returns what ends the program.
    func report(asJSON: Bool) -> ExitCode {
        if case .outputClosed = self { return exitCode }
        if asJSON {
            StandardError.write([JSONLine.text(of: reply)])
        } else {
            let lines = lines
            StandardError.write(["acmsctl: \(lines.first ?? "")"] + lines.dropFirst())
        }
        return exitCode
    }
}

// MARK: - For people

extension Failure {
    /// Why a daemon has not answered, in a few words.
    var brief: String {
        switch self {
        case .unreachable(_, let errno, _): String(cString: strerror(errno))
        case .lost(.timedOut, _, _): "no reply"
        case .lost(.disconnected, _, _): "it ended"
        default: lines.first ?? "can't be reached"
        }
    }

    /// What is wrong, then what to do next.
    var lines: [String] {
        switch self {
        case .unreachable(let path, let errno, let service): Self.unreachable(path, errno, service)
        case .lost(.disconnected, let path, let remedy):
            ["the connection to \(path) ended before the reply came.", remedy]
        case .lost(.timedOut(let timeout), let path, let remedy):
            ["no reply came from \(path) within \(timeout.secondsText).", remedy]
        case .lost(.unreadable(let reason), let path, let remedy):
            ["the reply from \(path) is of no use: \(reason)", remedy]
        case .refused(let error, let service, let id): error.lines(from: service, about: id)
        case .invalidConfiguration(let line): [line]
        case .inputFailed(let path, let errno):
            [
                "\(path) can't be read: \(String(cString: strerror(errno))).",
                "Name a file, or - for standard input.",
            ]
        case .inputInvalid(let path, let reason): ["\(path): \(reason)", "Nothing was sent."]
        case .importStopped(let error, let remedy):
            [error.lines(from: .bookings, about: nil).first ?? "", remedy]
        case .fileFailed(let path, let errno):
            [
                "\(path) can't be written: \(String(cString: strerror(errno))).",
                "Name another file, or make room.",
            ]
        case .outputFailed(let errno):
            [
                "standard output can't be written: \(String(cString: strerror(errno))).",
                "What was printed is incomplete.",
            ]
        case .editorFailed(let reason):
            [reason, "Nothing was changed. Name another editor in EDITOR, or repeat the command."]
        case .incomplete(let text): [text]
        case .checkFailed(let text):
            [text, "Nothing was changed by this look; run it as root if that is what it lacks."]
        case .daemonRuns(let role):
            [
                "acms-\(role)d runs and uses what is damaged; nothing was repaired.",
                "Stop it with 'systemctl stop \(Self.units(of: role))', and repeat the command.",
            ]
        case .moveRefused(let reason, let remedy): [reason, remedy]
        case .moveStopped(let reason):
            [
                reason,
                "What was not moved is where it was. Once the cause is gone, the same command goes on.",
            ]
        case .outputClosed: []
        }
    }

    /// What starts a daemon, and the daemon.
    private static func units(of role: String) -> String {
        role == "front"
            ? "acms-front.socket acms-front.service"
            : "acms-worker.path acms-worker.timer acms-worker.socket acms-caretaker.socket acms-worker.service"
    }

    private static func unreachable(_ path: String, _ errno: Int32, _ service: Service) -> [String] {
        let reason = String(cString: strerror(errno))
        return switch errno {
        case EACCES, EPERM:
            [
                "no permission to connect to \(path): that takes the group \(service.group).",
                "Join it with 'sudo usermod -aG \(service.group) $USER', then log in again.",
            ]
        case EAGAIN:
            [
                "\(path) has too many callers waiting; try again later.",
                "See 'systemctl status \(service.daemonUnit)'.",
            ]
        default:
            [
                "nothing can be reached at \(path): \(reason).",
                "See 'systemctl status \(service.socketUnit)', or name another socket with --socket.",
            ]
        }
    }
}

// MARK: - For programs

extension Failure {
    /// An error in the form of a Varlink reply; those that acms didn't send are named `acmsctl.…`.
    struct Reply: Encodable {
        let error: String
        let parameters: JSONValue
    }

    var reply: Reply {
        switch self {
        case .refused(let error, _, _), .importStopped(let error, _):
            Reply(error: error.name, parameters: error.parameters ?? .object([:]))
        case .unreachable(let path, let errno, _):
            local("Unreachable", ["path": .string(path), "errno": .integer(Int64(errno))])
        case .lost(.disconnected, let path, _): local("Disconnected", ["path": .string(path)])
        case .lost(.timedOut(let timeout), let path, _):
            local("TimedOut", ["path": .string(path), "seconds": .number(timeout / .seconds(1))])
        case .lost(.unreadable, let path, _): local("InvalidReply", ["path": .string(path)])
        case .invalidConfiguration: local("InvalidConfiguration", [:])
        case .inputFailed(let path, let errno):
            local("InputFailed", ["path": .string(path), "errno": .integer(Int64(errno))])
        case .inputInvalid(let path, _): local("InvalidInput", ["path": .string(path)])
        case .fileFailed(let path, let errno):
            local("FileFailed", ["path": .string(path), "errno": .integer(Int64(errno))])
        case .outputFailed(let errno): local("OutputFailed", ["errno": .integer(Int64(errno))])
        case .editorFailed: local("EditorFailed", [:])
        case .incomplete: local("Incomplete", [:])
        case .checkFailed: local("CheckFailed", [:])
        case .daemonRuns(let role): local("DaemonRuns", ["role": .string(role)])
        case .moveRefused: local("MoveRefused", [:])
        case .moveStopped: local("MoveStopped", [:])
        case .outputClosed: local("OutputClosed", [:])
        }
    }

    private func local(_ name: String, _ parameters: [String: JSONValue]) -> Reply {
        var parameters = parameters
        parameters["message"] = .string(lines.joined(separator: " "))
        return Reply(error: "acmsctl.\(name)", parameters: .object(parameters))
    }
}
