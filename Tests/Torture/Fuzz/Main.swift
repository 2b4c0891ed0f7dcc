import Glibc

/// libFuzzer's own `main`, less the name.
@_silgen_name("LLVMFuzzerRunDriver")
private func runFuzzer(
    _ count: UnsafeMutablePointer<CInt>,
    _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
    _ one: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
) -> CInt

/// `acms-fuzz --target=NAME` and libFuzzer's options and directories; `acms-fuzz` alone names the targets.
///
/// It is built by Tests/Torture/build-fuzz. Given files instead of directories it runs each once, so that what was
/// found can be looked at.
@main
enum Main {
    /// libFuzzer takes a C function, which can't hold it. It is set once, before the one thread that uses it begins.
    nonisolated(unsafe) private static var target = Target.all[0]

    static func main() {
        let wanted = CommandLine.arguments.dropFirst().compactMap { argument in
            Target.all.first { argument == "--target=\($0.name)" }
        }
        guard let first = wanted.first else {
            for target in Target.all { print(target.name) }
            exit(0)
        }
        target = first
        var count = CommandLine.argc
        var arguments = CommandLine.unsafeArgv
        exit(
            runFuzzer(&count, &arguments) { bytes, count in
                Main.target.run(UnsafeRawBufferPointer(start: bytes, count: count))
                return 0
            })
    }
}

/// Something to fuzz: takes any bytes, and ends the process when what came of them is wrong.
struct Target: Sendable {
    let name: String
    let run: @Sendable (UnsafeRawBufferPointer) -> Void

    static let all: [Target] = [
        calls, json, replies, dispatch, lines, files, letters, journal, values, settings,
    ]
}
