import Bookings
import FoundationEssentials
import Varlink

/// What a dead letter asks for, as a text to be mended.
struct LetterDraft {
    private let letter: DeadLetter
    /// What could be read of the booking, by the names of its fields.
    private let fields: [String: String]

    private typealias Field = CreateBookingInput.CodingKeys
    private static let required: [Field] = [.userId, .apartmentId, .startDate, .endDate]

    init(_ letter: DeadLetter) {
        self.letter = letter
        var fields: [String: String] = [:]
        fields[Field.userId.rawValue] = letter.userId
        fields[Field.apartmentId.rawValue] = letter.apartmentId
        let body =
            letter.bodyIsBase64
            ? nil : try? JSONDecoder().decode(JSONValue.self, from: Data(letter.body.utf8))
        if case .object(let line) = body, case .object(let input) = line["input"] {
            for field in Field.allCases {
                if case .string(let text) = input[field.rawValue] { fields[field.rawValue] = text }
            }
        }
        self.fields = fields
    }

    /// The fields in their order, as JSON, under an explanation.
    var text: String {
        let shown = Field.allCases.filter { Self.required.contains($0) || fields[$0.rawValue] != nil }
        let members = shown.map { field in
            "  \(JSONLine.text(of: field.rawValue)): \(JSONLine.text(of: fields[field.rawValue] ?? ""))"
        }
        return """
            # The dead letter \(letter.id): \(letter.reason.escapedForTerminal)
            # Mend the booking below, then save and leave the editor. Lines that begin with # are ignored.
            {
            \(members.joined(separator: ",\n"))
            }

            """
    }

    /// Whether the letter could never be committed as it is.
    var isPoison: Bool { letter.class == .poison }

    /// What the letter asks for as it is; nil when that is no valid booking.
    var validInput: CreateBookingInput? { try? Self.validated(text).get() }

    /// The place in a distributed trace that the message names.
    var traceParent: TraceParent? { fields[Field.traceparent.rawValue].flatMap(TraceParent.init(_:)) }

    /// Reads a text, and validates the booking as acms will.
    static func validated(_ text: String) -> Result<CreateBookingInput, InvalidInputText> {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).filter {
            !$0.hasPrefix("#")
        }
        return CreateBookingInput.decoded(from: Array(lines.joined(separator: "\n").utf8)).flatMap { input in
            do throws(BookingsInterface.InvalidInput) {
                _ = try BookingRequest(input)
                return .success(input)
            } catch {
                return .failure(.init(reason: "\(error.field) \(error.reason)."))
            }
        }
    }

    /// Each field, what it was and what it is to be.
    func difference(to input: CreateBookingInput, on terminal: Terminal) -> [String] {
        let new: [Field: String?] = [
            .userId: input.userId, .apartmentId: input.apartmentId, .startDate: input.startDate,
            .endDate: input.endDate, .bookingStatus: input.bookingStatus?.rawValue,
            // A key that is left out stays as long as the user does.
            .idempotencyKey: input.idempotencyKey
                ?? (input.userId == fields[Field.userId.rawValue]
                    ? fields[Field.idempotencyKey.rawValue] : nil)
                ,
        ]
        let width = (Field.allCases.map(\.rawValue.count).max() ?? 0) + 1
        return Field.allCases.flatMap { field -> [String] in
            let (before, after) = (fields[field.rawValue], new[field] ?? nil)
            func line(_ mark: String, _ value: String?, _ style: StyledText.Style?) -> [String] {
                guard let value else { return [] }
                let name = "\(field.rawValue):".padding(to: width)
                return [StyledText("\(mark) \(name) \(value)", style).rendered(hasColour: terminal.hasColour)]
            }
            if before == after { return line(" ", after, nil) }
            return line("-", before, .red) + line("+", after, .green)
        }
    }
}

extension String {
    fileprivate func padding(to width: Int) -> String {
        self + String(repeating: " ", count: max(0, width - count))
    }
}
