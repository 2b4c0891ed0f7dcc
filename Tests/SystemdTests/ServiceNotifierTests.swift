import Glibc
import Testing

@testable import Systemd

@Suite struct ServiceNotifierTests {
    @Test func `each notification is what sd_notify(3) says`() throws {
        let manager = try TemporaryReceiver()
        let notifier = ServiceNotifier(socketPath: manager.path)
        notifier.ready(status: "12 queued")
        #expect(manager.receiveText() == "READY=1\nSTATUS=12 queued")
        notifier.status("13 queued")
        #expect(manager.receiveText() == "STATUS=13 queued")
        notifier.watchdog()
        #expect(manager.receiveText() == "WATCHDOG=1")
        notifier.stopping(status: "draining")
        #expect(manager.receiveText() == "STOPPING=1\nSTATUS=draining")
        #expect(manager.receive() == nil)
    }

    @Test func `a reload carries the monotonic time in microseconds`() throws {
        let manager = try TemporaryReceiver()
        let before = Self.monotonicMicroseconds()
        ServiceNotifier(socketPath: manager.path).reloading()
        let text = try #require(manager.receiveText())
        let prefix = "RELOADING=1\nMONOTONIC_USEC="
        #expect(text.hasPrefix(prefix))
        let microseconds = try #require(Int(text.dropFirst(prefix.count)))
        #expect((before...Self.monotonicMicroseconds()).contains(microseconds))
    }

    @Test func `a newline in a status can't assign another variable`() throws {
        let manager = try TemporaryReceiver()
        ServiceNotifier(socketPath: manager.path).status("a\nMAINPID=1\r\nb")
        #expect(manager.receiveText() == "STATUS=a MAINPID=1 b")
    }

    @Test func `a manager in the abstract namespace is reached`() throws {
        let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        defer { close(descriptor) }
        let name = "@acms-systemd-tests-\(getpid())"
        try #require(SocketAddress.with(path: name) { bind(descriptor, $0, $1) } == 0)
        ServiceNotifier(socketPath: name).watchdog()
        var buffer = [UInt8](repeating: 0, count: 64)
        let count = recv(descriptor, &buffer, buffer.count, Int32(MSG_DONTWAIT))
        #expect(String(decoding: buffer.prefix(max(0, count)), as: UTF8.self) == "WATCHDOG=1")
    }

    @Test(arguments: [nil, "", "relative", "/nonexistent/notify", String(repeating: "/long", count: 40)])
    func `without a manager nothing happens`(path: String?) {
        let notifier = ServiceNotifier(socketPath: path)
        notifier.ready(status: "x")
        notifier.watchdog()
    }

    @Test func `a manager that doesn't read never blocks the watchdog`() throws {
        let manager = try TemporaryReceiver()
        let notifier = ServiceNotifier(socketPath: manager.path)
        // More than the receiver's queue holds (net.unix.max_dgram_qlen); a blocking send would hang here.
        for _ in 0..<2000 { notifier.watchdog() }
        #expect(manager.receiveText() == "WATCHDOG=1")
    }

    @Test func `the watchdog's interval is the manager's, for this process alone`() async {
        await #expect(processExitsWith: .success) {
            unsetenv("WATCHDOG_USEC")
            #expect(ServiceNotifier.watchdogInterval == nil)
            setenv("WATCHDOG_USEC", "30000000", 1)
            setenv("WATCHDOG_PID", String(getpid()), 1)
            #expect(ServiceNotifier.watchdogInterval == .seconds(30))
            setenv("WATCHDOG_PID", "1", 1)
            #expect(ServiceNotifier.watchdogInterval == nil)
        }
    }

    private static func monotonicMicroseconds() -> Int {
        var now = timespec()
        clock_gettime(CLOCK_MONOTONIC, &now)
        return Int(now.tv_sec) * 1_000_000 + Int(now.tv_nsec) / 1000
    }
}
