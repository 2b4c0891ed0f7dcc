import ArgumentParser

/// The options that every verb has.
struct CommonOptions: ParsableArguments {
    @Option(
        help: .init(
            "The configuration to read. (default: /etc/acms/acms.yaml if it exists)", valueName: "file"),
        completion: .file())
    var config: String?

    @Option(
        help: .init("The socket to connect to, instead of the configured one.", valueName: "path"),
        completion: .file())
    var socket: String?

    @Flag(help: "Print JSON Lines: one object a line, errors too.")
    var json = false

    @Option(
        help: .init(
            "How long to wait for a reply. (default: 30; none where a booking is awaited)",
            valueName: "seconds"))
    var timeout: Double?

    func validate() throws {
        // The bound keeps the clock's arithmetic from overflowing; it is more than thirty years.
        guard let timeout, !(timeout > 0 && timeout <= 1e9) else { return }
        throw ValidationError("--timeout must be more than 0 and at most 1000000000 seconds.")
    }
}
