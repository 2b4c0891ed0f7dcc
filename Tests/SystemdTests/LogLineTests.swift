import Glibc
import Logging
import Testing

@testable import Systemd

@Suite struct LogLineTests {
    @Test func `keys follow the message in order, without the message's id`() {
        let text = LogLine.text(
            message: "booked", metadata: .event(.bookingsAccepted, ["b": "2", "a": "1"]))
        #expect(text == "booked a=1 b=2")
    }

    @Test(arguments: [
        ("plain/word:1", "plain/word:1"), ("", "\"\""), ("two words", "\"two words\""),
        ("a\nforged", "\"a\\nforged\""), ("x y=z", "\"x y=z\""), ("q\"\\", "\"q\\\"\\\\\""),
        ("\u{1b}[2J", "\"\\u{1b}[2J\""), ("\u{85}\u{2028}\u{202e}", "\"\\u{85}\\u{2028}\\u{202e}\""),
        ("Zoë", "Zoë"),
    ])
    func `a value can neither end the line nor pass for another key`(value: String, printed: String) {
        #expect(LogLine.text(message: "m", metadata: ["k": .string(value)]) == "m k=\(printed)")
    }

    @Test func `control characters of message and key are escaped`() {
        let text = LogLine.text(message: "a\r\nb", metadata: ["k\n": "v"])
        #expect(text == "a\\r\\nb \"k\\n\"=v")
    }

    @Test func `an array is cut after three elements and counted`() {
        let three = (1...3).map { Logger.MetadataValue.stringConvertible($0) }
        #expect(
            LogLine.text(message: "m", metadata: ["ids": .array(three)]) == "m ids=[1,2,3]")
        #expect(
            LogLine.text(message: "m", metadata: ["ids": .array(three + ["4"])])
                == "m ids=[1,2,3,… (4 in all)]")
    }

    @Test func `an element can't pass for two`() {
        #expect(LogLine.text(message: "m", metadata: ["ids": ["a,b", "c]"]]) == "m ids=[\"a,b\",\"c]\"]")
    }

    @Test func `a time is printed in UTC with milliseconds`() {
        #expect(
            LogLine.timestamp(timespec(tv_sec: 1_795_381_805, tv_nsec: 123_999_999))
                == "2026-11-22T21:10:05.123Z")
        #expect(LogLine.timestamp(timespec(tv_sec: 0, tv_nsec: 0)) == "1970-01-01T00:00:00.000Z")
    }

    @Test func `a statement is one whole line on stderr`() throws {
        let pipe = try TemporaryPipe()
        let logger = Logger(label: "acms-test") { label in
            StandardErrorLogHandler(
                label: label, level: .info, writer: LogLineWriter(fileDescriptor: pipe.writingEnd))
        }
        logger.debug("unseen")
        logger.warning("message", metadata: ["key": "value"])
        let line = pipe.text()
        #expect(line.hasSuffix("Z acms-test[\(getpid())] warning: message key=value\n"))
        #expect(line.utf8.count { $0 == UInt8(ascii: "\n") } == 1)
    }

    @Test func `a closed pipe doesn't end the process`() async {
        await #expect(processExitsWith: .success) {
            signal(SIGPIPE, SIG_DFL)
            let pipe = try TemporaryPipe()
            pipe.closeReadingEnd()
            LogLineWriter(fileDescriptor: pipe.writingEnd).write("nobody reads this")
        }
    }
}
