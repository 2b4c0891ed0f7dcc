import Bookings
import Testing

@testable import Verbs

@Suite struct TopTests {
    private let start = ContinuousClock.now

    private func sample(
        _ seconds: Int, accepted: Double, buckets: [Metric.Bucket] = [], dead: Int = 0
    ) -> TopSample {
        let front = [
            Metric("acms_bookings_accepted", .counter, help: "", samples: [.init(accepted)]),
            Metric("acms_bookings_refused", .counter, help: "", samples: []),
            Metric(
                "acms_accept_duration_seconds", .histogram, help: "",
                samples: [.init(sum: 1, buckets: buckets)]),
        ]
        let attributes = QueueInterface.Attributes(
            incoming: 1_234_567, active: 10, deferred: 0, dead: dead, oldestSeconds: 3700,
            committedTotal: Int(accepted) - 5, deadLetteredTotal: 0, paused: false, pausedUntil: nil,
            tableAvailable: true, tableError: nil)
        let reason = String(repeating: "reason ", count: 30) + "\u{1b}[31m"
        return TopSample(
            instant: start + .seconds(seconds), front: .success(front), worker: .success([]),
            attributes: attributes,
            letters: dead == 0
                ? nil
                : .init(
                    bounds: [], total: .init(name: nil, total: dead, counts: []),
                    rows: [.init(name: reason, total: dead, counts: [])], others: nil))
    }

    @Test func `a rate is what a counter has risen by, also when its daemon began anew`() throws {
        var history = TopHistory()
        for (second, accepted) in [(0, 100.0), (1, 350), (3, 1350), (4, 40)] {
            history.add(sample(second, accepted: accepted))
        }
        let state = try #require(history.state)
        #expect(state.accepted.rates == [250, 500, 40])
        #expect(state.accepted.total == 40)
        #expect(state.refused.rates == [0, 0, 0])
        #expect(state.summary.acceptedPerSecond == 40)
    }

    @Test func `percentiles are those of the last looks alone`() throws {
        var window = LatencyWindow()
        window.add(.init(sum: 0, buckets: [.init(upTo: 9, count: 1000)]))
        #expect(window.percentiles == nil)
        let buckets = [
            Metric.Bucket(upTo: 0.001, count: 98), .init(upTo: 0.5, count: 2), .init(upTo: 9, count: 1000),
        ]
        window.add(.init(sum: 0, buckets: buckets))
        let percentiles = try #require(window.percentiles)
        #expect(percentiles.count == 100)
        #expect(abs(percentiles.p50 - 0.001) < 0.00002 && abs(percentiles.p99 - 0.5) < 0.01)
        for _ in 0...LatencyWindow.looks { window.add(.init(sum: 0, buckets: buckets)) }
        #expect(window.percentiles == nil)
        // The daemon was started anew.
        window.add(.init(sum: 0, buckets: [.init(upTo: 0.25, count: 1)]))
        #expect(window.percentiles?.count == 1)
    }

    @Test(arguments: [(80, 24), (40, 10), (200, 60), (1, 1), (80, 2)], [true, false])
    func `a frame fills the screen and no more`(_ size: (Int, Int), _ hasColour: Bool) throws {
        var history = TopHistory()
        history.add(sample(0, accepted: 1))
        history.add(sample(1, accepted: 10_001, dead: 3))
        let state = try #require(history.state)
        let lines = TopScreen(state: state, size: (size.0, size.1), hasColour: hasColour).lines
        #expect(lines.count == max(1, size.1))
        for line in lines {
            let shown = line.replacing(/\u{1b}\[[0-9]*m/, with: "")
            #expect(shown.displayWidth <= size.0, "\(shown)")
            #expect(!shown.unicodeScalars.contains { $0.isUnsafeOnTerminal })
            #expect(hasColour || shown == line)
        }
    }

    @Test func `a frame says what an operator looks for`() throws {
        var history = TopHistory()
        history.add(sample(0, accepted: 1))
        history.add(sample(1, accepted: 10_001, dead: 3))
        let screen = TopScreen(state: try #require(history.state), size: (80, 24), hasColour: false)
        let text = screen.lines.joined(separator: "\n")
        for expected in [
            "incoming 1,234,567", "dead 3", "oldest 1 h", "10,000/s", "reason reason", "committing",
        ] {
            #expect(text.contains(expected), "\(expected)")
        }
    }

    @Test func `keys are read as a terminal sends them`() {
        let bytes = Array("q\u{1b}[A\u{1b}OB\u{1b}[5~\u{1b}[6~\r\u{1b}".utf8)
        #expect(Key.decode(bytes).keys == [.character("q"), .up, .down, .pageUp, .pageDown, .enter, .escape])
        #expect(Key.decode(Array("\u{1b}[1;5C\u{7f}é".utf8)).keys == [])
        let (keys, rest) = Key.decode(Array("j\u{1b}[".utf8))
        #expect(keys == [.character("j")] && Key.decode(rest + Array("B".utf8)).keys == [.down])
    }

    @Test func `a letter that is chosen stays on the screen`() {
        let letters = (0..<100).map { number in
            var letter = DeadLetter.sample(reason: "reason \(number)")
            letter.id = Booking.sample(number).id
            return letter
        }
        var browser = LetterBrowser(letters, hasMore: true)
        for step in [1, 10, 200, -1, -300, 50] {
            browser.move(step)
            let lines = browser.lines((80, 24), hasColour: false, message: nil)
            #expect(lines.count == 24)
            #expect(lines.contains { $0.hasPrefix("> ") && $0.hasSuffix("reason \(browser.chosen)") })
            #expect(lines.allSatisfy { $0.displayWidth <= 80 })
        }
        let gone = browser.letter?.id
        browser.remove(gone ?? "")
        #expect(browser.letters.count == 99 && browser.letter?.id != gone)
    }

    @Test func `bars stand for figures, the largest at full height`() {
        #expect(Sparkline.text([0, 1, 2, 4], width: 6) == "  ▁▃▅█")
        #expect(Sparkline.text([0, 0], width: 2) == "▁▁")
        #expect(Sparkline.text([1, 2, 3], width: 1) == "█")
        #expect(Sparkline.text([1], width: 0) == "")
        #expect(Sparkline.text([0, 0.001, 100], width: 3, isPlain: true) == "_.#")
    }

    @Test func `figures are short`() {
        #expect(1_234_567.grouped == "1,234,567" && 999.grouped == "999" && (-1000).grouped == "-1,000")
        #expect(
            31_109_120.0.bytesText == "31 MB" && 999.0.bytesText == "999 B" && 1_250.0.bytesText == "1.3 kB")
        #expect(
            0.000085.latencyText == "85 µs" && 0.0021.latencyText == "2.1 ms" && 1.5.latencyText == "1.5 s")
        #expect(0.9999.latencyText == "1 s" && 180.0.latencyText == "3 min")
    }
}
