extension Unicode.Scalar {
    /// Columns on a terminal, as wcwidth(3) counts them (which depends on the locale that a process sets).
    var displayWidth: Int {
        switch properties.generalCategory {
        case .nonspacingMark, .enclosingMark, .format: return 0
        default: break
        }
        if properties.isEmojiPresentation { return 2 }
        // East Asian Wide and Fullwidth, by blocks (Unicode Standard Annex 11).
        return switch value {
        case 0x1100...0x115f, 0x2e80...0x303e, 0x3041...0x33ff, 0x3400...0x4dbf, 0x4e00...0x9fff,
            0xa000...0xa4cf, 0xa960...0xa97c, 0xac00...0xd7a3, 0xf900...0xfaff, 0xfe30...0xfe6f,
            0xff00...0xff60, 0xffe0...0xffe6, 0x20000...0x3fffd:
            2
        default: 1
        }
    }
}

extension Character {
    /// Columns on a terminal: those of the widest scalar, since the others are drawn over it.
    var displayWidth: Int { unicodeScalars.lazy.map(\.displayWidth).max() ?? 0 }
}

extension String {
    /// Columns on a terminal.
    var displayWidth: Int { reduce(0) { $0 + $1.displayWidth } }

    /// The beginning of the text and `…`, in at most `width` columns; the text itself when it fits.
    func cut(toWidth width: Int) -> String {
        guard displayWidth > width else { return self }
        var cut = ""
        var room = width - 1
        for character in self {
            room -= character.displayWidth
            guard room >= 0 else { break }
            cut.append(character)
        }
        return cut + "…"
    }

    /// The text in lines of at most `width` columns, broken between words; a longer word has a line of its own.
    ///
    /// - Parameter width: nil for a single line.
    func wrapped(to width: Int?) -> [String] {
        guard let width else { return [self] }
        var lines: [String] = []
        var line = ""
        for word in split(separator: " ", omittingEmptySubsequences: false) {
            let longer = line.isEmpty ? String(word) : "\(line) \(word)"
            if line.isEmpty || longer.displayWidth <= width {
                line = longer
            } else {
                lines.append(line)
                line = String(word)
            }
        }
        return lines + [line]
    }
}
