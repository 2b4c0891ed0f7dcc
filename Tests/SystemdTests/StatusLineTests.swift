import Testing

@testable import Systemd

@Suite struct StatusLineTests {
    @Test func `of many texts within a second the first and the last are made up and sent`() async throws {
        let manager = try TemporaryReceiver()
        let status = StatusLine(ServiceNotifier(socketPath: manager.path))
        let (made, continuation) = AsyncStream.makeStream(of: Int.self)
        @Sendable func text(_ number: Int) -> String {
            continuation.yield(number)
            return "\(number)"
        }
        for number in 1...100 { status.update(text(number)) }
        #expect(manager.receiveText() == "STATUS=1")
        #expect(manager.receive() == nil)
        var numbers = made.makeAsyncIterator()
        #expect(await numbers.next() == 1)
        #expect(await numbers.next() == 100)
    }
}
