import Foundation

/// The cases in one room, and their figures.
final class Benchmark {
    let room: Room
    let plan: Plan
    let peers: [any Peer.Type]
    private(set) var figures: [Figure] = []
    /// Cases that could not be measured, with the reasons.
    private(set) var failures: [String] = []

    init(_ room: Room, _ plan: Plan, peers: [any Peer.Type]) {
        self.room = room
        self.plan = plan
        self.peers = peers
    }

    /// Measures cases, each in an empty room. One that fails doesn't keep the others from being measured.
    func run(_ cases: [Case]) {
        for item in cases {
            measure(item.rawValue) { try item.run(self) }
        }
    }

    /// Measures something in an empty room.
    func measure(_ name: String, _ body: () throws -> Void) {
        do {
            try room.clear()
            try body()
            try room.clear()
        } catch {
            failures.append("\(room.label): \(name): \(error)")
            say("FAILED \(name): \(error)")
        }
    }

    /// Measures systems in turns, and keeps the median of each.
    func noteMedians(_ rounds: Int, _ systems: [() throws -> Figure]) throws {
        var measured = systems.map { _ in [Figure]() }
        for _ in 0..<rounds {
            for (number, system) in systems.enumerated() { measured[number].append(try system()) }
        }
        for figures in measured {
            let sorted = figures.sorted { $0.value < $1.value }
            guard var median = sorted.dropFirst(sorted.count / 2).first else { continue }
            if rounds > 1 {
                median.remark = "of \(sorted.map { Figure.short($0.value) }.joined(separator: ", "))"
            }
            note(median)
        }
    }

    /// Keeps a figure and prints its line.
    func note(_ figure: Figure) {
        var figure = figure
        figure.place = room.label
        figures.append(figure)
        say(figure.line)
    }
}
