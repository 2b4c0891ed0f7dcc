/// A statement and its parameters, all of which go as text.
struct Statement {
    /// Changes nothing, and is written: the commit of its transaction waits until all that was written before it is as
    /// durable as a commit is to be. What a crash of the server has left is seen before its standby has it, and no answer
    /// may rest on what a failover would take away.
    static let barrier = Statement(
        "UPDATE totals SET committed = committed WHERE slot = pg_backend_pid() % 16")

    enum Parameter {
        case null
        case text(String)
        /// An array of texts.
        case array([String?])

        static func number(_ value: Int) -> Parameter { .text(String(value)) }
        static func optional(_ value: String?) -> Parameter { value.map { .text($0) } ?? .null }
        static func flag(_ value: Bool) -> Parameter { .text(value ? "t" : "f") }
    }

    let sql: String
    let parameters: [Parameter]

    init(_ sql: String, _ parameters: [Parameter] = []) {
        self.sql = sql
        self.parameters = parameters
    }

    /// Calls `body` with the parameters as libpq takes them.
    func withParameters<R>(_ body: (UnsafePointer<UnsafePointer<CChar>?>) -> R) -> R {
        var bytes: [UInt8] = []
        var offsets: [Int?] = []
        for parameter in parameters {
            guard case .null = parameter else {
                offsets.append(bytes.count)
                parameter.append(to: &bytes)
                bytes.append(0)
                continue
            }
            offsets.append(nil)
        }
        if bytes.isEmpty { bytes.append(0) }
        return bytes.withUnsafeBytes { buffer in
            let start = buffer.assumingMemoryBound(to: CChar.self).baseAddress
            let pointers = offsets.map { offset in offset.flatMap { start?.advanced(by: $0) } } + [nil]
            return pointers.withUnsafeBufferPointer { pointers in
                // Never empty, so there is one.
                withUnsafePointer(to: pointers[0]) { body(pointers.baseAddress ?? $0) }
            }
        }
    }
}

extension Statement.Parameter {
    fileprivate func append(to bytes: inout [UInt8]) {
        switch self {
        case .null: break
        case .text(let text): for byte in text.utf8 { Self.append(byte, to: &bytes) }
        case .array(let elements): Self.append(elements, to: &bytes)
        }
    }

    /// No text of PostgreSQL has a NUL in it: it is written as U+FFFD.
    private static func append(_ byte: UInt8, to bytes: inout [UInt8]) {
        if byte != 0 {
            bytes.append(byte)
        } else {
            bytes.append(contentsOf: "\u{FFFD}".utf8)
        }
    }

    /// An array as PostgreSQL writes it (https://www.postgresql.org/docs/current/arrays.html#ARRAYS-IO).
    private static func append(_ elements: [String?], to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "{"))
        for (number, element) in elements.enumerated() {
            if number > 0 { bytes.append(UInt8(ascii: ",")) }
            guard let element else {
                bytes.append(contentsOf: "NULL".utf8)
                continue
            }
            bytes.append(UInt8(ascii: "\""))
            for byte in element.utf8 {
                if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") {
                    bytes.append(UInt8(ascii: "\\"))
                }
                append(byte, to: &bytes)
            }
            bytes.append(UInt8(ascii: "\""))
        }
        bytes.append(UInt8(ascii: "}"))
    }
}
