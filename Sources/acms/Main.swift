import ArgumentParser
import Front
import Glibc
import Verbs
import Worker

/// The three programs in one file, for packages: the runtime libraries are the bulk of each, so one copy serves
/// all. Which one it is tells the name by which it was called, as with BusyBox.
@main
enum Main {
    static func main() async {
        switch CommandLine.arguments.first?.split(separator: "/").last {
        case "acms-frontd": await FrontCommand.main()
        case "acms-workerd": await WorkerCommand.main()
        case "acmsctl": await Acmsctl.main()
        case let name:
            let line =
                "Call this program as acms-frontd, acms-workerd or acmsctl, not as \(name ?? "nothing").\n"
            _ = write(STDERR_FILENO, line, line.utf8.count)
            exit(EX_USAGE)
        }
    }
}
