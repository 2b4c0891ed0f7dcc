import Support
import Testing

@testable import Spool

@Suite struct SpoolWatchTests {
    private let root: TemporaryDirectory
    private let watch: SpoolWatch

    init() throws {
        root = try TemporaryDirectory()
        let directory = SpoolDirectory(root: root.path)
        try directory.makeMissing(using: LocalFileSystem())
        watch = try SpoolWatch(directory, places: [.incoming, .active])
        #expect(watch.drain() == [.overflow, .overflow])
    }

    private func rename(_ source: String, _ target: String) throws {
        try LocalFileSystem().rename("\(root.path)/\(source)", to: "\(root.path)/\(target)", replacing: true)
    }

    @Test func whatMovesIsToldInTheOrderItHappened() throws {
        try root.write("", to: "tmp/f")
        try rename("tmp/f", "incoming/f")
        try rename("incoming/f", "active/f")
        try LocalFileSystem().remove("\(root.path)/active/f")
        let name = EntryName("f")
        #expect(
            watch.drain() == [
                .appeared(.incoming, name: name), .vanished(.incoming, name: name),
                .appeared(.active, name: name), .vanished(.active, name: name),
            ])
        #expect(watch.drain().isEmpty)
    }

    @Test func aBurstOfManyReadsIsToldWhole() throws {
        let name = String(repeating: "n", count: 200)
        for number in 0..<2000 {
            try root.write("", to: "tmp/f")
            try rename("tmp/f", "incoming/\(name)\(number)")
            if number == 1000 { watch.collect() }
        }
        #expect(
            watch.drain()
                == (0..<2000).map { .appeared(.incoming, name: EntryName("\(name)\($0)")) })
    }

    @Test(arguments: [true, false]) func eventsWakeAgainAndAgain(isPrompt: Bool) async throws {
        watch.isPrompt = isPrompt
        var wakeUps = watch.wakeUps().makeAsyncIterator()
        for number in 0..<20 {
            try root.write("", to: "tmp/f")
            try rename("tmp/f", "incoming/\(number)")
            let expected = SpoolEvent.appeared(.incoming, name: EntryName("\(number)"))
            // An earlier event may have left a wake-up behind.
            var events = watch.drain()
            while !events.contains(expected) {
                try #require(await wakeUps.next() != nil)
                events = watch.drain()
            }
        }
    }
}
