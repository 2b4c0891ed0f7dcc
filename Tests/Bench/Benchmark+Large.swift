import CBench
import Foundation

extension Benchmark {
    /// A backlog of a million, a restart on it, and its drain.
    func backlog() throws {
        let count = plan.largeBacklog
        let small = Self.drainName(plan.backlogs[0])
        if !figures.contains(where: { $0.name == small && $0.system == "acms" }) {
            note(try drainWithAcms(small, plan.backlogs[0]))
        }
        try room.clear()
        let site = try AcmsSite(room)
        try site.makeTable()
        try site.startFront()
        try fill(site, count)
        try site.stopFront()
        let text = Self.largeBacklogName(plan)
        let seconds = try site.startFront { try Self.book(count, $0) }
        note(Figure("\(text), front started, until it has answered", "acms", seconds, "s"))
        guard let front = site.front else { return }
        note(Figure("\(text), front's memory", "acms", Double(try front.memory().now) / 1e6, "MB"))
        let figure = try drain(site, Self.drainName(count), count + 1)
        note(figure)
        note(Figure("\(text), worker's memory", "acms", figure.peakMegabytes ?? 0, "MB"))
    }

    /// A table that has millions of rows before anything is measured.
    func rows() throws {
        let text = Self.largeTableName(plan)
        let prepared = "\(room.shared)/rows.sqlite"
        if !FileManager.default.fileExists(atPath: prepared) { try makeLargeTable(prepared) }
        for isLarge in [false, true] {
            try room.clear()
            let site = try AcmsSite(room)
            if isLarge {
                try FileManager.default.copyItem(atPath: prepared, toPath: site.tablePath)
                // Gigabytes on their way to the disk would be measured with it.
                try room.settle()
            }
            try site.makeTable()
            try site.startFront()
            let name = isLarge ? text : "empty table"
            let load = Load(socket: site.socket, connections: 64, seconds: plan.seconds)
            let (figure, accepted) = try accept(
                "accept, 64 clients, \(name)", load, AcmsCalls.single(), at: site)
            note(figure)
            try fill(site, plan.backlogs.last ?? 0, first: 10_000_000)
            note(try drain(site, "drain, \(name)", accepted + (plan.backlogs.last ?? 0)))
            try site.stopFront()
        }
    }

    static func largeBacklogName(_ plan: Plan) -> String {
        "backlog of \(Figure.short(Double(plan.largeBacklog)))"
    }

    static func largeTableName(_ plan: Plan) -> String {
        "\(Figure.short(Double(plan.largeTable))) rows in the table"
    }

    /// Fills a table straight through SQLite. Indexes are made at the end, which takes minutes less.
    private func makeLargeTable(_ path: String) throws {
        try room.clear()
        let site = try AcmsSite(room)
        try site.makeTable()
        let message = try BookingTemplate(AcmsCalls.message)
        var text = [CChar](repeating: 0, count: 200)
        guard bench_table_begin_bulk(site.tablePath, &text, text.count) == 0 else {
            throw Failure(Self.text(text))
        }
        do {
            let step = 10_000
            let table = try TableRows(
                site.tablePath, message: message, capacity: step, isBulk: true)
            for first in stride(from: 0, to: plan.largeTable, by: step) {
                let calls = try EncodedCalls(AcmsCalls.single(), count: step, first: 50_000_000 + first)
                try table.commit((0..<step).map { UnsafePointer(calls.bytes + $0 * calls.length) })
            }
        }
        guard bench_table_end_bulk(site.tablePath, &text, text.count) == 0 else {
            throw Failure(Self.text(text))
        }
        try FileManager.default.copyItem(atPath: site.tablePath, toPath: path)
    }

    private static func text(_ characters: [CChar]) -> String {
        String(decoding: characters.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}
