import ArgumentParser
import Bookings
import FoundationEssentials
import Glibc
import Varlink

/// `acmsctl import`
struct ImportCommand: Verb {
    static let service = Service.bookings
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Book every line of a file of JSON Lines.",
        discussion: """
            Each line is one booking, {"userId":…,"apartmentId":…,"startDate":…,"endDate":…} and perhaps \
            "idempotencyKey". A line that is refused holds up no other; each is told with its number and the \
            reason, and the exit status is 1 then.

            EXAMPLES
              acmsctl import bookings.jsonl
              jq -c '.[]' bookings.json | acmsctl import - --json
            """)

    @Argument(help: .init("The file; - for standard input.", valueName: "file"), completion: .file())
    var file: String
    @OptionGroup var options: CommonOptions

    /// Bookings in one call, and their bytes: acms takes calls of up to a mebibyte.
    private static let callSize = 100
    private static let callBytes = 256 << 10
    private static let lineBytes = 512 << 10

    /// What became of a line.
    private struct Outcome: Encodable {
        let line: Int
        var id: String?
        var error: String?
        var parameters: JSONValue?
    }

    func run(_ session: Session) async throws {
        var source = try InputLines(file)
        var accepted = 0
        var refused = 0
        while true {
            let chunk = try next(Self.callSize, of: &source)
            if chunk.isEmpty { break }
            let outcomes = try await book(chunk, session)
            accepted += outcomes.count { $0.id != nil }
            refused += outcomes.count { $0.id == nil }
            try session.output.write(lines(for: outcomes, session.output))
        }
        session.output.note("\(accepted) bookings accepted, \(refused) refused.")
        if refused > 0 { throw ExitCode(1) }
    }

    private func next(
        _ count: Int, of source: inout InputLines
    ) throws(Failure) -> [(number: Int, input: Result<CreateBookingInput, InvalidInputText>)] {
        var chunk: [(number: Int, input: Result<CreateBookingInput, InvalidInputText>)] = []
        var bytes = 0
        while chunk.count < count, bytes < Self.callBytes, let line = try source.next() {
            bytes += line.bytes.count
            if line.bytes.allSatisfy({ $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\r") }) { continue }
            chunk.append((line.number, Self.decode(line.bytes)))
        }
        return chunk
    }

    private func book(
        _ chunk: [(number: Int, input: Result<CreateBookingInput, InvalidInputText>)], _ session: Session
    ) async throws -> [Outcome] {
        let inputs = chunk.compactMap { try? $0.input.get() }
        var results: [BookingsInterface.CreateResult] = []
        if !inputs.isEmpty {
            let created: BookingsInterface.CreatedMany = try await session.call(
                BookingsInterface.method("CreateApartmentBookings"),
                BookingsInterface.CreateMany(inputs: inputs),
                ifLost: """
                    Lines up to \(chunk.last?.number ?? 0) may have been accepted. Import the file again: what was \
                    accepted is refused with its id.
                    """)
            results = created.results
        }
        var answers = results.makeIterator()
        return chunk.map { number, input in
            switch input {
            case .failure(let invalid):
                Outcome(
                    line: number, error: "acmsctl.InvalidLine",
                    parameters: .object(["reason": .string(invalid.reason)]))
            case .success:
                answers.next().map {
                    Outcome(line: number, id: $0.id, error: $0.error, parameters: $0.parameters)
                } ?? Outcome(line: number, error: "acmsctl.NoResult")
            }
        }
    }

    private func lines(for outcomes: [Outcome], _ output: Output) -> [String] {
        if output.isJSON { return outcomes.map { JSONLine.text(of: $0) } }
        return outcomes.compactMap { outcome in
            guard let error = outcome.error else { return nil }
            let remote = RemoteError(name: error, parameters: outcome.parameters)
            let reason =
                error == "acmsctl.InvalidLine"
                ? Self.reason(in: outcome.parameters)
                : remote.lines(from: Self.service, about: nil).first ?? error
            return "line \(outcome.line): \(reason)".escapedForTerminal
        }
    }

    private static func reason(in parameters: JSONValue?) -> String {
        guard case .object(let fields) = parameters, case .string(let reason) = fields["reason"] else {
            return ""
        }
        return reason
    }
}

extension ImportCommand {
    private static func decode(_ bytes: [UInt8]) -> Result<CreateBookingInput, InvalidInputText> {
        guard bytes.count <= lineBytes else {
            return .failure(.init(reason: "it has \(bytes.count) bytes; at most \(lineBytes) are allowed."))
        }
        return CreateBookingInput.decoded(from: bytes)
    }
}

/// The lines of a file or of standard input.
private struct InputLines {
    private let descriptor: Int32
    private let path: String
    private var buffer: [UInt8] = []
    private var position = 0
    private var number = 0
    private var isAtEnd = false

    init(_ path: String) throws(Failure) {
        self.path = path
        descriptor = path == "-" ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .inputFailed(path: path, errno: errno) }
    }

    /// The next line without its newline; nil after the last.
    mutating func next() throws(Failure) -> (number: Int, bytes: [UInt8])? {
        while true {
            if let end = buffer[position...].firstIndex(of: UInt8(ascii: "\n")) {
                defer { position = end + 1 }
                number += 1
                return (number, Array(buffer[position..<end]))
            }
            if isAtEnd {
                guard position < buffer.count else { return nil }
                defer { position = buffer.count }
                number += 1
                return (number, Array(buffer[position...]))
            }
            buffer.removeFirst(position)
            position = 0
            try fill()
        }
    }

    private mutating func fill() throws(Failure) {
        var chunk = [UInt8](repeating: 0, count: 64 << 10)
        let count = read(descriptor, &chunk, chunk.count)
        if count < 0 && errno != EINTR { throw .inputFailed(path: path, errno: errno) }
        if count == 0 { isAtEnd = true }
        if count > 0 { buffer.append(contentsOf: chunk[..<count]) }
    }
}
