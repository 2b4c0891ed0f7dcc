import Bookings
import Glibc
import Varlink

/// A column of an export: its name, and what stands in it.
struct ExportColumn<Item>: Sendable {
    let name: String
    /// Nil for nothing.
    let value: @Sendable (Item) -> String?

    init(_ name: String, value: @escaping @Sendable (Item) -> String?) {
        self.name = name
        self.value = value
    }
}

/// Writes items as JSON Lines or CSV, page by page.
struct Exporter<Item: Encodable & Sendable>: Sendable {
    private let columns: [ExportColumn<Item>]
    private let format: LineFormat
    private let sink: FileSink
    /// How many were written.
    private(set) var count = 0

    static var ifLost: String { "What was written is incomplete; repeat the command." }

    /// Begins the export; CSV has its header even when no item follows.
    init(_ columns: [ExportColumn<Item>], _ format: LineFormat, to sink: FileSink) throws(Failure) {
        self.columns = columns
        self.format = format
        self.sink = sink
        if format == .csv { try sink.write(Self.record(columns.map(\.name))) }
    }

    mutating func write(_ items: [Item]) throws(Failure) {
        var bytes: [UInt8] = []
        for item in items {
            switch format {
            case .jsonl:
                bytes += JSONLine.text(of: item).utf8
                bytes.append("\n")
            case .csv: bytes += Self.record(columns.map { $0.value(item) ?? "" })
            }
        }
        try sink.write(bytes)
        count += items.count
        if sink.isFile { StandardError.showProgress("\(count) written") }
    }

    /// A record of RFC 4180.
    private static func record(_ fields: [String]) -> [UInt8] {
        var record: [UInt8] = []
        for (number, field) in fields.enumerated() {
            if number > 0 { record.append(",") }
            let mustBeQuoted = field.utf8.contains { [0x22, 0x2c, 0x0a, 0x0d].contains($0) }
            guard mustBeQuoted else {
                record += field.utf8
                continue
            }
            record.append("\"")
            for byte in field.utf8 {
                if byte == UInt8(ascii: "\"") { record.append(byte) }
                record.append(byte)
            }
            record.append("\"")
        }
        record.append("\r\n")
        return record
    }
}

extension Session {
    /// Exports items: opens where they go, lets `body` write them, and ends it in good order.
    func export<Item: Encodable & Sendable, R>(
        _ options: ExportOptions, _ columns: [ExportColumn<Item>], _ what: String,
        _ body: (Session, inout Exporter<Item>) async throws -> R
    ) async throws -> R {
        let sink = try FileSink(options.output, output)
        do {
            var exporter = try Exporter(columns, options.lineFormat, to: sink)
            let result = try await body(self, &exporter)
            try sink.finish()
            if sink.isFile { StandardError.showProgress("") }
            output.note("\(exporter.count) \(what) exported.")
            return result
        } catch {
            if sink.isFile { StandardError.showProgress("") }
            sink.abandon()
            throw error
        }
    }

    /// Writes all items of a list.
    /// - Parameter parameters: Makes the parameters from where to go on.
    func export<P: Encodable & Sendable, R: Page>(
        _ method: String, pages: R.Type, to exporter: inout Exporter<R.Item>,
        parameters: (_ nextToken: String?) -> P
    ) async throws(Failure) {
        var token: String?
        repeat {
            (exporter, token) = try await stream(
                method, parameters(token), into: (exporter, token), ifLost: Exporter<R.Item>.ifLost
            ) { (page: R, state) in
                try state.0.write(page.items)
                state.1 = page.nextToken
                return true
            }
            // A service that knows no `more` here returns one page.
        } while token != nil
    }
}
