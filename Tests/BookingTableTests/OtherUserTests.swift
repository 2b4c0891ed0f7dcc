import Bookings
import Foundation
import Support
import Synchronization
import Testing

@testable import BookingTable

/// The front's side: another uid, which may read the directory and nothing else.
@Suite struct OtherUserTests {
    private let fixture: Fixture

    init() throws { fixture = try Fixture() }

    /// Lets another user read the table, as the directory's group may where it is installed.
    private func share(_ directory: String) throws {
        chmod(directory, 0o755)
        for name in try FileManager.default.contentsOfDirectory(atPath: directory) {
            chmod("\(directory)/\(name)", 0o644)
        }
    }

    @Test func theTableAndItsFilesAreReadableForTheGroupAndForNobodyElse() throws {
        try fixture.commit(try fixture.message("u"))
        #expect(try fixture.directory.names().count == 3)
        for name in try fixture.directory.names() {
            let attributes = try FileManager.default.attributesOfItem(
                atPath: "\(fixture.directory.path)/\(name)")
            #expect(attributes[.posixPermissions] as? Int == 0o640, "\(name)")
        }
    }

    @Test func anotherUserReadsWithoutAWriterAndCanChangeNothing() throws {
        let id = try fixture.commit(try fixture.message("u"))
        close(fixture.table)
        try share(fixture.directory.path)
        let reader = SQLiteTableReader(path: fixture.path)
        let found = try asAnotherUser {
            (
                trouble { try reader.booking(id) }?.reason, (try? reader.booking(id))?.userId,
                kind { try reader.write("DELETE FROM bookings") },
                kind { try SQLiteTable(path: reader.connections.path).apply([], deadLettered: 1) }
            )
        }
        guard let (reason, user, deletion, writing) = found else { return }
        #expect(reason == nil)
        #expect(user == "u")
        #expect(deletion == .readOnly)
        #expect(writing == .readOnly || writing == .cannotOpen)
        #expect(try fixture.table.totals() == (1, 0))
    }

    @Test func anotherUserReadsWhatAKilledWriterLeft() throws {
        let id = try fixture.commit(try fixture.message("u"))
        // What a kill leaves: the files as they are while the connection is open, the booking only in the -wal.
        let killed = "\(fixture.directory.path)/killed"
        try FileManager.default.createDirectory(atPath: killed, withIntermediateDirectories: false)
        for name in try fixture.directory.names() where name != "killed" {
            try FileManager.default.copyItem(
                atPath: "\(fixture.directory.path)/\(name)", toPath: "\(killed)/\(name)")
        }
        chmod(fixture.directory.path, 0o755)
        try share(killed)
        let reader = SQLiteTableReader(path: "\(killed)/acms.sqlite")
        let found = try asAnotherUser {
            (trouble { try reader.booking(id) }?.reason, (try? reader.booking(id))?.userId)
        }
        guard let (reason, user) = found else { return }
        #expect(reason == nil)
        #expect(user == "u")
        // The next writer goes on where the killed one stopped.
        #expect(try SQLiteTable(path: "\(killed)/acms.sqlite").totals() == (1, 0))
    }

    @Test func whatAnotherUserMayNotReachIsNamed() throws {
        let id = try fixture.commit(try fixture.message("u"))
        close(fixture.table)
        let reader = SQLiteTableReader(path: fixture.path)
        chmod(fixture.directory.path, 0o700)
        let hidden = try asAnotherUser { trouble { try reader.booking(id) } }
        chmod(fixture.directory.path, 0o755)
        let unreadable = try asAnotherUser { trouble { try reader.booking(id) } }
        for found in [hidden, unreadable] {
            guard let found else { continue }
            #expect(found?.kind == .cannotOpen)
            #expect(found?.reason.contains(fixture.path) == true)
            #expect(found?.reason.contains("Permission denied") == true)
        }
        try share(fixture.directory.path)
        let mended = try asAnotherUser { trouble { try reader.booking(id) }?.reason }
        if let mended { #expect(mended == nil) }
    }

    @Test func aTableWithoutItsTwoOtherFilesSendsTheReaderToTheWorker() throws {
        let id = try fixture.commit(try fixture.message("u"))
        close(fixture.table)
        for suffix in ["-wal", "-shm"] { unlink(fixture.path + suffix) }
        try share(fixture.directory.path)
        let reader = SQLiteTableReader(path: fixture.path)
        guard let found = try asAnotherUser({ trouble { try reader.booking(id) } }) else { return }
        #expect(found?.kind == .readOnly || found?.kind == .cannotOpen)
        _ = try fixture.table.totals()
        try share(fixture.directory.path)
        #expect(try asAnotherUser { try? reader.booking(id)?.userId } == .some("u"))
    }

    /// Writes over the first copy of the -shm file's header, as a writer does that is killed between the two.
    private func spoilIndex() throws {
        let file = try FileHandle(forUpdating: URL(fileURLWithPath: fixture.path + "-shm"))
        try file.write(contentsOf: Data(repeating: 0xff, count: 48))
        try file.close()
    }

    /// A table that another process has open, as the worker has it while the front reads.
    private func openElsewhere() async throws -> (id: BookingID, worker: SQLiteProcess) {
        let id = try fixture.commit(try fixture.message("u"))
        close(fixture.table)
        let worker = try SQLiteProcess(fixture.path)
        try await worker.run("SELECT count(*) FROM bookings;")
        try share(fixture.directory.path)
        return (id, worker)
    }

    @Test func aReaderWaitsForTheWriterToMendWhatAKilledOneHasLeft() async throws {
        let (id, worker) = try await openElsewhere()
        let pauses = Count()
        let reader = SQLiteTableReader(path: fixture.path) {
            if pauses.next() == 1 { try? worker.start("SELECT count(*) FROM bookings;") }
            usleep(1000)
        }
        guard let before = try asAnotherUser({ try? reader.booking(id)?.userId }) else { return }
        #expect(before == "u")
        try spoilIndex()
        #expect(try asAnotherUser { try? reader.booking(id)?.userId } == .some("u"))
        #expect(pauses.next() > 1)
        await worker.end()
    }

    @Test func aReaderGivesUpWhenNobodyMendsTheTable() async throws {
        let (id, worker) = try await openElsewhere()
        let reader = SQLiteTableReader(path: fixture.path)
        guard let before = try asAnotherUser({ try? reader.booking(id)?.userId }) else { return }
        #expect(before == "u")
        try spoilIndex()
        let found = try asAnotherUser { trouble { try reader.booking(id) } }
        #expect(found??.kind == .readOnly)
        #expect(found??.reason.contains("Start acms-workerd") == true)
        await worker.end()
    }
}

private final class Count: Sendable {
    private let value = Mutex(0)

    func next() -> Int {
        value.withLock { value in
            value += 1
            return value
        }
    }
}
