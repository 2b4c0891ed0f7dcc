import ArgumentParser
import Worker

@main
enum Main {
    static func main() async { await WorkerCommand.main() }
}
