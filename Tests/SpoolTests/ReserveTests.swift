import Bookings
import Support
import SystemPackage
import Testing

@testable import Spool

@Suite struct ReserveTests {
    private let root: TemporaryDirectory
    private let directory: SpoolDirectory
    private let files: RecordingFileSystem
    private let now = Timestamp(milliseconds: 1_700_000_100_000)

    init() throws {
        root = try TemporaryDirectory()
        directory = SpoolDirectory(root: root.path)
        files = RecordingFileSystem(root: root.path)
        try directory.makeMissing(using: files)
    }

    private func received() throws -> (SpoolConsumer, [Received]) {
        try SpoolProducer(directory).enqueue([try message("u")])
        var consumer = SpoolConsumer(directory, files: files)
        try consumer.start(at: now)
        try consumer.scan()
        let batch = try consumer.receive(upTo: 1, at: now)
        return (consumer, batch)
    }

    @Test(arguments: [Errno.noSpace, .diskQuotaExceeded])
    func onAFullDiskTheReserveMakesRoomForALetter(errno: Errno) throws {
        var (consumer, batch) = try received()
        #expect(try files.status(of: "\(root.path)/reserve")?.size == SpoolReserve.bytes)
        let id = try batch[0].content.get().id
        files.fail("write dead/.\(id).letter", with: errno)
        try consumer.settle(
            [(batch[0].receipt, .dead(.poison, reason: "why", attempts: [], receiveCount: 1))], at: now)
        #expect(try root.names(in: "dead") == ["\(id).letter"])
        #expect(try files.status(of: "\(root.path)/reserve") == nil)
        consumer.keepReserve()
        #expect(try files.status(of: "\(root.path)/reserve") != nil, "it is made again when there is room")
    }

    @Test func withoutAReserveAFullDiskIsTrouble() throws {
        var (consumer, batch) = try received()
        try files.remove("\(root.path)/reserve")
        let id = try batch[0].content.get().id
        files.fail("write dead/.\(id).letter", with: .noSpace)
        let settlement = Settlement.dead(.poison, reason: "why", attempts: [], receiveCount: 1)
        #expect(throws: QueueUnavailable.self) {
            try consumer.settle([(batch[0].receipt, settlement)], at: now)
        }
        try consumer.settle([(batch[0].receipt, settlement)], at: now)
        #expect(try root.names(in: "dead") == ["\(id).letter"])
    }

    @Test func otherTroubleLeavesTheReserveAlone() throws {
        var (consumer, batch) = try received()
        let id = try batch[0].content.get().id
        files.fail("write dead/.\(id).letter", with: .ioError)
        #expect(throws: QueueUnavailable.self) {
            try consumer.settle(
                [(batch[0].receipt, .dead(.poison, reason: "why", attempts: [], receiveCount: 1))], at: now)
        }
        #expect(try files.status(of: "\(root.path)/reserve") != nil)
    }

    @Test func aPauseIsReadBackAndOneThatIsUnclearHasNoEnd() throws {
        let consumer = SpoolConsumer(directory, files: files)
        #expect(try consumer.pause() == nil)
        let pause = QueuePause(until: now, since: Timestamp(milliseconds: 7), uid: 5)
        try consumer.setPause(pause)
        #expect(try consumer.pause() == pause)
        #expect(files.calls.suffix(3) == ["write .paused", "rename .paused paused", "sync \(root.path)"])
        try root.write("what", to: "paused")
        #expect(try consumer.pause()?.until == nil)
        #expect(try consumer.pause() != nil)
        try consumer.setPause(nil)
        #expect(try consumer.pause() == nil)
    }
}
