@testable import Bookings

extension Target {
    private static let file = MemoryFile()
    private static let path = "/proc/self/fd/\(file.descriptor)"

    /// The configuration: a file, then variables of the environment, separated by NULs.
    static let settings = Target(name: "settings") { input in
        let parts = input.split(separator: 0, maxSplits: 8, omittingEmptySubsequences: false)
        guard let yaml = parts.first else { return }
        file.replace(with: UnsafeRawBufferPointer(rebasing: yaml))
        var environment: [String: String] = [:]
        for part in parts.dropFirst() {
            let text = String(decoding: part, as: UTF8.self)
            guard let equals = text.firstIndex(of: "=") else { continue }
            environment[String(text[..<equals])] = String(text[text.index(after: equals)...])
        }
        do throws(SettingsError) {
            let settings = try Settings.load(file: path, environment: environment)
            check(settings)
        } catch {
            check(error, environment)
        }
    }

    private static func check(_ settings: Settings) {
        let worker = settings.worker
        require((1...10).contains(worker.batchSize), "\(settings)")
        require(
            worker.retryInitial >= .milliseconds(1) && worker.retryInitial <= worker.retryMaximum,
            "\(settings)")
        require(worker.retryMaximum <= .seconds(86_400) && worker.idleExit >= .zero, "\(settings)")
        require(settings.spool.maxMessages >= 1 && settings.spool.minFreeBytes >= 0, "\(settings)")
        for path in [settings.spool.directory, settings.table.path, settings.socket.bookings] {
            require(path.utf8.first == UInt8(ascii: "/") && !path.utf8.contains(0), "\(settings)")
        }
        // As variables, the same settings say the same.
        let variables = Dictionary(
            uniqueKeysWithValues: SettingsKey.all.map { ($0.variable, $0.text(settings)) })
        do throws(SettingsError) {
            let again = try Settings.load(file: "/dev/null", environment: variables)
            require(again == settings, "\(settings) is read again as \(again)")
        } catch {
            fail("\(settings) can't be read again: \(error)")
        }
    }

    private static func check(_ error: SettingsError, _ environment: [String: String]) {
        let line = error.description
        require(
            !line.unicodeScalars.contains { $0.properties.generalCategory == .control }, "two lines: \(line)")
        require(
            areSame(error.source, path) || environment[error.source] != nil,
            "\(line) is about something else")
        require(!error.reason.isEmpty && line.utf8.count < 10_000, "\(line)")
    }
}
