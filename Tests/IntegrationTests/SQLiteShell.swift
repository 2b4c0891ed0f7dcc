import Foundation
import Support

/// Runs a statement on the table with SQLite's own shell.
func sqlite(_ site: Site, _ statement: String) async throws {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/sqlite3")
    process.arguments = ["-cmd", ".timeout 5000", site.tablePath, statement]
    try process.run()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else { throw CocoaError(.executableLoad) }
}
