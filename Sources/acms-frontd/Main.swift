import ArgumentParser
import Front

@main
enum Main {
    static func main() async { await FrontCommand.main() }
}
