import Verbs

@main
enum Main {
    static func main() async { await Acmsctl.main() }
}
