import Glibc
import Testing

@testable import Systemd

@Suite struct CatalogTests {
    /// The entries of `systemd/acms.catalog`: id and body.
    private func entries() throws -> [(id: String, body: String)] {
        let package = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        let file = try #require(fopen("/\(package)/systemd/acms.catalog", "r"))
        defer { fclose(file) }
        var buffer = [UInt8](repeating: 0, count: 1 << 20)
        let count = fread(&buffer, 1, buffer.count, file)
        let text = String(decoding: buffer.prefix(count), as: UTF8.self)
        var entries: [(id: String, body: String)] = []
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            if line.hasPrefix("-- ") {
                entries.append((String(line.dropFirst(3)), ""))
            } else if let last = entries.indices.last {
                entries[last].body += line + "\n"
            }
        }
        try #require(!entries.isEmpty)
        return entries
    }

    @Test func `every kind of event is explained once and nothing else is`() throws {
        let ids = try entries().map(\.id)
        #expect(ids.sorted() == EventID.allCases.map(\.rawValue).sorted())
    }

    @Test func `every explanation has a subject and says what to do`() throws {
        for (id, body) in try entries() {
            #expect(body.hasPrefix("Subject: "), "\(id)")
            #expect(body.contains("\nDefined-By: acms\n\n"), "\(id)")
            #expect(body.contains("    ") || body.contains("Nothing needs to be done."), "\(id)")
        }
    }

    @Test func `an id is 128 bits in lower-case hexadecimal`() {
        for event in EventID.allCases {
            #expect(event.rawValue.utf8.count == 32)
            #expect(event.rawValue.allSatisfy { $0.isHexDigit && !$0.isUppercase })
        }
    }
}
