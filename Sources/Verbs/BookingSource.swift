import Bookings
import Varlink

/// The bookings of a file, in calls' worth.
struct BookingSource {
    /// Most bookings of a call. Measured: the front needs almost a third more of its processor for each in calls of a
    /// hundred, and nothing less in calls of a thousand or two.
    static let callSize = 500
    /// Most bytes of lines of a call, and one more line. Even with every byte written as six it stays below the
    /// mebibyte that acms takes.
    static let callBytes = 80 << 10

    /// Most lines that a record goes on for: each stray quotation mark costs a look at as many.
    private static let continuations = 100

    let decoder: any LineDecoder
    private var lines: InputLines
    private let derivesKeys: Bool
    /// The lines that were read for a record that came to no end, and are lines of their own now; the last comes first.
    private var putBack: [(line: InputLines.Line, text: [UInt8])] = []

    /// - Throws: ``Failure/inputInvalid(path:reason:)`` when the file's columns can't be understood.
    init(
        _ input: InputFile, format: LineFormat?, keyColumn: String?, derivesKeys: Bool
    ) throws(Failure) {
        lines = try InputLines(input)
        self.derivesKeys = derivesKeys
        let named = input.isNameless ? nil : LineFormat(path: input.path)
        switch format ?? named ?? LineFormat(firstBytes: lines.beginning) {
        case .jsonl: decoder = JSONLineDecoder(keyColumn: keyColumn)
        case .csv:
            var text: [UInt8] = []
            guard try lines.next(into: &text) != nil else {
                throw .inputInvalid(path: input.path, reason: "it is empty, and has not even a header.")
            }
            if text.last == UInt8(ascii: "\r") { text.removeLast() }
            let header = text.withUnsafeBytes { text in
                Result { () throws(InvalidHeader) in try CSVHeader(text, keyColumn: keyColumn) }
            }
            switch header {
            case .success(let header): decoder = CSVLineDecoder(header: header)
            case .failure(let invalid): throw .inputInvalid(path: input.path, reason: invalid.reason)
            }
        }
    }

    /// How many bytes lie before the next line.
    var offset: Int { lines.offset }

    /// The next bookings in the order of their lines; nil after the last.
    mutating func next() throws(Failure) -> ImportBatch? {
        var batch = ImportBatch()
        while batch.lines.count < Self.callSize, batch.text.count < Self.callBytes {
            let start = batch.text.count
            guard let line = try nextRecord(into: &batch.text) else { break }
            // It belongs to the newline, unless that stands in a quoted field.
            if batch.text.count > start, batch.text.last == UInt8(ascii: "\r") { batch.text.removeLast() }
            let range = start..<batch.text.count
            guard let input = read(line, batch.text, range) else {
                batch.text.removeLast(range.count)
                continue
            }
            batch.add(line.number, text: range, input)
        }
        batch.offset = offset
        return batch.lines.isEmpty ? nil : batch
    }

    /// What a line asks for; nil when nothing stands in it.
    private func read(
        _ line: InputLines.Line, _ text: [UInt8], _ range: Range<Int>
    ) -> Result<CreateBookingInput, InvalidInputText>? {
        text.withUnsafeBytes { bytes in
            let bytes = UnsafeRawBufferPointer(rebasing: bytes[range])
            guard bytes.contains(where: { $0 != 0x20 && $0 != 0x09 }) else { return nil }
            guard !line.isCut else {
                return .failure(
                    .init(
                        reason: """
                            it has \(line.count) bytes; at most \(InputLines.maximumBytes) are allowed, which are shown.
                            """))
            }
            return decoder.input(bytes).map { input in
                guard derivesKeys, input.idempotencyKey == nil else { return input }
                var input = input
                input.idempotencyKey = DerivedKey.of(input)
                return input
            }
        }
    }

    /// Appends the next record, which may go over several lines.
    private mutating func nextRecord(into text: inout [UInt8]) throws(Failure) -> InputLines.Line? {
        let start = text.count
        guard let first = try nextLine(into: &text) else { return nil }
        let firstEnd = text.count
        guard !first.isCut, isOpen(text[start...]) else { return first }
        var others: [(line: InputLines.Line, text: [UInt8])] = []
        var isOpen = true
        while others.count < Self.continuations, text.count - start < InputLines.maximumBytes {
            text.append(UInt8(ascii: "\n"))
            let lineStart = text.count
            guard let line = try nextLine(into: &text) else { break }
            others.append((line, Array(text[lineStart...])))
            guard !line.isCut, text.count - start <= InputLines.maximumBytes else { break }
            if self.isOpen(text[lineStart...]) { isOpen.toggle() }
            // Only whole records are worth a try; a stray quotation mark would else swallow the good lines after it.
            if !isOpen, isReadable(text[start...]) { return first }
        }
        text.removeLast(text.count - firstEnd)
        putBack += others.reversed()
        return first
    }

    private mutating func nextLine(into text: inout [UInt8]) throws(Failure) -> InputLines.Line? {
        guard let line = putBack.popLast() else { return try lines.next(into: &text) }
        text.append(contentsOf: line.text)
        return line.line
    }

    private func isOpen(_ text: ArraySlice<UInt8>) -> Bool { text.withUnsafeBytes(decoder.isOpen) }

    private func isReadable(_ text: ArraySlice<UInt8>) -> Bool {
        let text = text.last == UInt8(ascii: "\r") ? text.dropLast() : text
        guard case .success = text.withUnsafeBytes(decoder.input) else { return false }
        return true
    }
}

/// The idempotency key of a line that has none.
enum DerivedKey {
    /// The same for the same user, apartment and dates.
    static func of(_ input: CreateBookingInput) -> String {
        var hash = ContentHash()
        for field in [input.userId, input.apartmentId, input.startDate, input.endDate] {
            hash.mix(field)
            // No field that is accepted holds it.
            hash.mix(0)
        }
        return "import-" + hash.description
    }
}
