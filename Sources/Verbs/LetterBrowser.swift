import Bookings

/// The dead letters on a live screen: a list, and one of them in full. Pure.
struct LetterBrowser {
    private(set) var letters: [DeadLetter]
    /// Whether there are more than these.
    let hasMore: Bool
    private(set) var chosen = 0
    /// The letter that is shown in full, as lines, and the first of them on the screen.
    private var opened: (lines: [String], top: Int)?

    init(_ letters: [DeadLetter], hasMore: Bool) {
        self.letters = letters
        self.hasMore = hasMore
    }

    /// The letter that a key is about; nil when there are none.
    var letter: DeadLetter? { letters.indices.contains(chosen) ? letters[chosen] : nil }

    var isOpened: Bool { opened != nil }

    mutating func open(_ lines: [String]) { opened = (lines, 0) }

    mutating func closeLetter() { opened = nil }

    /// Forgets a letter that is gone.
    mutating func remove(_ id: String) {
        letters.removeAll { $0.id == id }
        chosen = min(chosen, max(0, letters.count - 1))
        opened = nil
    }

    /// Chooses another letter, or scrolls the one that is shown.
    mutating func move(_ step: Int) {
        if let (lines, top) = opened {
            opened = (lines, min(max(0, top + step), max(0, lines.count - 1)))
        } else {
            chosen = min(max(0, chosen + step), max(0, letters.count - 1))
        }
    }

    /// The frame.
    func lines(_ size: (columns: Int, rows: Int), hasColour: Bool, message: StyledText?) -> [String] {
        let room = max(0, size.rows - 2)
        var lines: [String]
        if let (all, top) = opened {
            lines = ["DEAD LETTER"] + all.dropFirst(top).prefix(room)
        } else {
            lines = ["DEAD LETTERS  \(letters.count)\(hasMore ? " of more" : "")"]
            // The chosen one is always on the screen.
            let first = max(0, min(chosen - room / 2, letters.count - room))
            for (index, letter) in letters.enumerated().dropFirst(first).prefix(room) {
                lines.append(row(letter, isChosen: index == chosen, size.columns, hasColour))
            }
            if letters.isEmpty { lines.append("There are none.") }
        }
        lines += Array(repeating: "", count: max(0, size.rows - 1 - lines.count))
        let keys =
            isOpened
            ? "esc back   up, down scroll   R redrive" : "esc back   up, down choose   enter show   R redrive"
        let footer = (message ?? StyledText(keys)).rendered(hasColour: hasColour, width: size.columns)
        return lines.map { $0.hasPrefix("\u{1b}") ? $0 : $0.cut(toWidth: size.columns) } + [footer]
    }

    private func row(_ letter: DeadLetter, isChosen: Bool, _ width: Int, _ hasColour: Bool) -> String {
        let age = Timestamp.now().since(letter.deadOn).roundText
        let text = StyledText(
            "\(isChosen ? "> " : "  ")\(age.padded(to: 8))\(letter.class.rawValue.padded(to: 11))\(letter.userId ?? "-")"
                + "  \(letter.apartmentId ?? "-")  \(letter.reason)", isChosen ? .green : nil)
        return text.rendered(hasColour: hasColour, width: width)
    }
}
