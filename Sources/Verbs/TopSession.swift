import Bookings
import Varlink

/// `acmsctl top` on a terminal: looks, draws, and does what keys say.
struct TopSession {
    private enum Event: Sendable {
        case looked(TopSample)
        case pressed([Key])
        case changed
    }

    /// Most letters that are listed.
    private static let listedLetters = 500

    private let look: TopLook
    private let interval: Duration
    private let hasColour: Bool
    private let isPlain: Bool
    private var history = TopHistory()
    private var browser: LetterBrowser?
    private var message: (text: StyledText, until: ContinuousClock.Instant)?

    init(look: TopLook, interval: Duration, terminal: Terminal, locale: Locale) {
        self.look = look
        self.interval = interval
        hasColour = terminal.hasColour
        isPlain = !locale.isUTF8
    }

    consuming func run() async throws {
        // Before the terminal is taken over, so that an error is read as any other.
        history.add(try await look.first())
        guard let terminal = LiveTerminal() else { return }
        defer { terminal.end() }
        let (events, send) = AsyncStream.makeStream(of: Event.self)
        KeyReader.start(
            terminal,
            keys: { keys in
                if case .terminated = send.yield(.pressed(keys)) { return false }
                return true
            }, changed: { send.yield(.changed) })
        let looking = Task { [look, interval] in
            while !Task.isCancelled {
                try await Task.sleep(for: interval)
                send.yield(.looked(await look.sample()))
            }
        }
        defer { looking.cancel() }
        draw(on: terminal)
        for await event in events {
            switch event {
            case .looked(var sample):
                if history.wantsLetters(sample) { sample.letters = await look.letters() }
                history.add(sample)
            case .pressed(let keys):
                for key in keys where await !handle(key) { return }
            case .changed: break
            }
            draw(on: terminal)
        }
    }

    private func draw(on terminal: LiveTerminal) {
        let size = terminal.size
        let footer = message.flatMap { $0.until > .now ? $0.text : nil }
        if let browser {
            terminal.show(browser.lines(size, hasColour: hasColour, message: footer))
        } else if let state = history.state {
            let screen = TopScreen(
                state: state, size: size, hasColour: hasColour, isPlain: isPlain, message: footer)
            terminal.show(screen.lines)
        }
    }

    /// - Returns: false to end.
    private mutating func handle(_ key: Key) async -> Bool {
        if browser != nil { return await browse(key) }
        switch key {
        case .character("q"): return false
        case .character("p"):
            say(await tell("Pause", QueueInterface.Pause()), done: "Paused; r resumes.")
        case .character("r"): say(await tell("Resume", NoParameters()), done: "Resumed.")
        case .character("d"): await list()
        default: break
        }
        return true
    }

    private mutating func browse(_ key: Key) async -> Bool {
        switch key {
        case .character("q"): return false
        case .up, .character("k"): browser?.move(-1)
        case .down, .character("j"): browser?.move(1)
        case .pageUp: browser?.move(-10)
        case .pageDown, .character(" "): browser?.move(10)
        case .escape where browser?.isOpened ?? false: browser?.closeLetter()
        case .escape: browser = nil
        case .enter: await open()
        case .character("R"): await redrive()
        default: break
        }
        return true
    }

    private mutating func say(_ failure: Failure?, done: String) {
        let text =
            failure.map { StyledText($0.lines.joined(separator: " "), .red) } ?? StyledText(done, .green)
        message = (text, .now + .seconds(5))
    }

    /// Calls a method that has nothing to tell.
    private func tell(_ method: String, _ parameters: some Encodable & Sendable) async -> Failure? {
        let answer = await look.ask(.queue) { session in
            try await session.call(QueueInterface.method(method), parameters, returning: JSONValue.self)
        }
        if case .failure(let failure) = answer { return failure }
        return nil
    }

    private mutating func list() async {
        let answer = await look.ask(.queue) { session in
            try await session.call(
                QueueInterface.method("ListDeadLetters"),
                QueueInterface.ListDeadLetters(limit: Self.listedLetters),
                returning: QueueInterface.DeadLetterList.self)
        }
        switch answer {
        case .success(let list): browser = LetterBrowser(list.items, hasMore: list.nextToken != nil)
        case .failure(let failure): say(failure, done: "")
        }
    }

    private mutating func open() async {
        guard let letter = browser?.letter, !(browser?.isOpened ?? true) else { return }
        let answer = await look.ask(.queue) { session in
            try await session.call(
                QueueInterface.method("GetDeadLetter"), QueueInterface.ByID(id: letter.id),
                returning: QueueInterface.OneDeadLetter.self)
        }
        do throws(Failure) {
            let letter = try answer.get().letter
            browser?.open(letter.lines(try letter.bodyBytes(), on: .none))
        } catch {
            say(error, done: "")
        }
    }

    private mutating func redrive() async {
        guard let letter = browser?.letter else { return }
        let answer = await look.ask(.queue) { session in
            try await session.call(
                QueueInterface.method("RedriveDeadLetters"),
                QueueInterface.RedriveDeadLetters(ids: [letter.id]), returning: QueueInterface.Redriven.self)
        }
        switch answer {
        case .success(let reply):
            if let failed = reply.failed.first {
                message = (StyledText("Not redriven: \(failed.reason)", .red), .now + .seconds(5))
            } else {
                browser?.remove(letter.id)
                say(nil, done: "Redrove \(letter.id).")
            }
        case .failure(let failure): say(failure, done: "")
        }
    }
}
