import Glibc
import Logging
import Testing

@testable import Systemd

@Suite struct JournalLogHandlerTests {
    private func logger(_ path: String, _ pipe: TemporaryPipe) -> Logger {
        Logger(label: "test") { label in
            JournalLogHandler(
                label: label, level: .info, socketPath: path,
                fallback: LogLineWriter(fileDescriptor: pipe.writingEnd))
        }
    }

    @Test func `a statement arrives as an entry with its fields`() throws {
        let journal = try TemporaryReceiver()
        let pipe = try TemporaryPipe()
        logger(journal.path, pipe).notice("done", metadata: .event(.deferred, ["booking-id": ["a", "b"]]))
        #expect(
            journal.receiveText() == """
                MESSAGE=done
                PRIORITY=5
                SYSLOG_IDENTIFIER=test
                MESSAGE_ID=901fc559ed954ed5a6faf213988f5542
                ACMS_BOOKING_ID=a
                ACMS_BOOKING_ID=b

                """)
        #expect(pipe.text().isEmpty)
    }

    @Test func `without journald a statement becomes a line with its priority`() throws {
        let pipe = try TemporaryPipe()
        logger("/nonexistent/journal", pipe).error("lost", metadata: ["id": "a"])
        #expect(pipe.text() == "<3>lost id=a\n")
    }

    @Test func `a journald that doesn't read blocks nobody, and the rest goes to stderr`() throws {
        let journal = try TemporaryReceiver()
        let pipe = try TemporaryPipe()
        let logger = logger(journal.path, pipe)
        for number in 0..<2000 { logger.info("n\(number)") }
        #expect(journal.receiveText()?.hasPrefix("MESSAGE=n0\n") == true)
        #expect(pipe.text().hasPrefix("<6>n"))
        // Room again: the journal is used again.
        while journal.receive() != nil {}
        logger.info("again")
        #expect(journal.receiveText()?.hasPrefix("MESSAGE=again\n") == true)
    }

    @Test func `neither journald nor a reader of stderr harms nobody`() throws {
        let pipe = try TemporaryPipe()
        pipe.closeReadingEnd()
        logger("/nonexistent/journal", pipe).error("lost")
    }

    @Test func `an absent journald costs no descriptors`() async {
        // In a process of its own, which may have few descriptors and would run out.
        await #expect(processExitsWith: .success) {
            var limit = rlimit(rlim_cur: 256, rlim_max: 256)
            let result = setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
            #expect(result == 0)
            for _ in 0..<1000 { _ = DatagramSocket(path: "/nonexistent/journal") }
            let descriptor = open("/dev/null", O_RDONLY)
            #expect(descriptor >= 0)
        }
    }

    @Test func `an error that is logged becomes a field`() throws {
        struct Broken: Error, CustomStringConvertible { let description = "it broke" }
        let journal = try TemporaryReceiver()
        logger(journal.path, try TemporaryPipe()).error("failed", error: Broken())
        #expect(journal.receiveText()?.contains("\nACMS_ERROR=it broke\n") == true)
    }

    @Test func `the journal is chosen only where the descriptor is its stream`() throws {
        let pipe = try TemporaryPipe()
        var status = stat()
        try #require(fstat(pipe.writingEnd, &status) == 0)
        let stream = "\(status.st_dev):\(status.st_ino)"
        #expect(isJournalStream(stream, fileDescriptor: pipe.writingEnd))
        #expect(!isJournalStream("\(status.st_dev):\(status.st_ino + 1)", fileDescriptor: pipe.writingEnd))
        for other in [nil, "", ":", "1", "1:2:3", "x:y"] {
            #expect(!isJournalStream(other, fileDescriptor: pipe.writingEnd))
        }
    }
}
