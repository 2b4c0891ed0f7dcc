import Bookings
import Varlink

/// Lines that go to acms in one call, and what must be kept of them until they are answered.
struct ImportBatch {
    /// A line and what became of it so far.
    struct Line {
        let number: Int
        /// Where it stands in ``ImportBatch/text``.
        let text: Range<Int>
        let content: Content
    }

    enum Content {
        /// Where what is sent stands in ``ImportBatch/call``.
        case input(Range<Int>)
        /// Nothing is sent.
        case invalid(InvalidInputText)
    }

    private(set) var lines: [Line] = []
    /// The lines as they were found, one after the other.
    var text: [UInt8] = []
    /// How many bytes of the file lie before the end of the last line.
    var offset = 0
    /// How many of the lines are sent.
    private(set) var sentCount = 0

    /// The parameters of the call, but for their end.
    private var call: [UInt8]

    init() {
        call = []
        call.append(#"{"inputs":["#)
    }

    /// The parameters of CreateApartmentBookings.
    var parameters: [UInt8] {
        var parameters = call
        parameters.append("]}")
        return parameters
    }

    /// Adds a line.
    mutating func add(_ number: Int, text: Range<Int>, _ input: Result<CreateBookingInput, InvalidInputText>)
    {
        switch input {
        case .success(let input): addInput(number, text) { input.encode(into: &$0) }
        case .failure(let invalid):
            lines.append(Line(number: number, text: text, content: .invalid(invalid)))
        }
    }

    /// Adds a line of another batch, to be sent again.
    mutating func add(_ line: Line, of other: ImportBatch) {
        guard case .input(let range) = line.content else { return }
        let start = text.count
        text += other.text[line.text]
        addInput(line.number, start..<text.count) { $0 += other.call[range] }
    }

    private mutating func addInput(_ number: Int, _ text: Range<Int>, _ append: (inout [UInt8]) -> Void) {
        if sentCount > 0 { call.append(",") }
        let start = call.count
        append(&call)
        lines.append(Line(number: number, text: text, content: .input(start..<call.count)))
        sentCount += 1
    }
}
