import Bookings

/// A calendar for a terminal: two columns a day, months below one another.
///
/// A bar fills its days but for the last column, so that a guest who comes on the day when another one leaves has a
/// bar of his own.
struct CalendarText {
    /// Columns to fill where there is no terminal.
    static let usualWidth = 80
    private static let dayWidth = 2
    /// Where the first day begins; the column before it is for the mark of a stay that began earlier.
    private static let margin = 1
    /// Columns of a label beside its bar, which would otherwise keep its lane from others for long.
    private static let labelWidth = 16

    let glyphs: CalendarGlyphs
    let hasColour: Bool
    let width: Int

    init(glyphs: CalendarGlyphs, terminal: Terminal) {
        self.glyphs = glyphs
        hasColour = terminal.hasColour
        width = terminal.width ?? Self.usualWidth
    }

    /// The bookings as a calendar, under a title and above a legend.
    func lines(_ bookings: [Booking], in range: CalendarRange, of apartment: String) -> [String] {
        let layout = CalendarLayout(bookings, in: range, labelDays: labelDays)
        let title = StyledText("\(apartment), \(range.first) to \(range.last)").text
        return [title, ""] + layout.months.flatMap { lines($0) + [""] }
            + [legend(Set(bookings.map(\.bookingStatus)))]
    }

    private func lines(_ month: CalendarLayout.Month) -> [String] {
        let lanes = month.lanes.map { line(of: $0, in: month.days) }
        return ruler(month) + (lanes.isEmpty ? [line(of: [], in: month.days)] : lanes)
    }

    // MARK: - The ruler

    /// The month's name with the tens of its days, the ones, and the weekdays.
    private func ruler(_ month: CalendarLayout.Month) -> [String] {
        var title = month.month.title
        for day in month.days where day % 10 == 0 {
            title += spaces(column(day) - title.count) + "\(day / 10)"
        }
        func row(_ cell: (Int) -> String) -> String {
            var row = spaces(column(month.days.lowerBound))
            for day in month.days {
                let style: StyledText.Style? = month.month.isWeekend(day) ? .dim : nil
                row += StyledText(cell(day), style).rendered(hasColour: hasColour)
                if day < month.days.upperBound { row += " " }
            }
            return row
        }
        let weekdays = Array("MTWTFSS").map(String.init)
        return [title, row { "\($0 % 10)" }, row { weekdays[month.month.weekday($0)] }]
    }

    private func column(_ day: Int) -> Int { Self.margin + Self.dayWidth * (day - 1) }

    private func spaces(_ count: Int) -> String { String(repeating: " ", count: max(count, 0)) }

    // MARK: - Bars

    private func line(of lane: [CalendarLayout.Bar], in days: ClosedRange<Int>) -> String {
        let end = column(days.upperBound) + 1
        var line = ""
        var position = 0
        for bar in lane {
            let start = column(bar.days.lowerBound) - (bar.beginsBefore ? 1 : 0)
            line += free(from: position, to: start, in: days)
            let (text, columns) = drawn(bar, atMost: width - start)
            line += text
            position = start + columns
            // Behind a label a free day's mark would look like a part of it.
            if position < end, !label(bar).isInside {
                line += " "
                position += 1
            }
        }
        return line + free(from: position, to: end, in: days)
    }

    /// Free days as far as they begin in these columns.
    private func free(from start: Int, to end: Int, in days: ClosedRange<Int>) -> String {
        guard start < end else { return "" }
        let cells = (start..<end).map { position -> Character in
            let isDay = position >= column(days.lowerBound) && (position - Self.margin) % Self.dayWidth == 0
            return isDay ? glyphs.free : " "
        }
        return StyledText(String(cells), .dim).rendered(hasColour: hasColour)
    }

    /// A bar with its marks and its label, and how many columns they take.
    private func drawn(_ bar: CalendarLayout.Bar, atMost limit: Int) -> (text: String, columns: Int) {
        let status = bar.booking.bookingStatus
        let fill = String(glyphs.fill(status))
        let label = label(bar)
        let room = barWidth(bar)
        var text = ""
        if label.isInside {
            text = fill + label.text + String(repeating: fill, count: room - 1 - label.text.displayWidth)
        } else {
            text = String(repeating: fill, count: room)
        }
        if bar.beginsBefore { text = String(glyphs.beginsBefore) + text }
        if bar.goesOn { text += String(glyphs.goesOn) }
        var columns = text.displayWidth
        text = StyledText(text, StyledText(status).style).rendered(hasColour: hasColour)
        if !label.isInside {
            let gap = bar.goesOn ? "" : " "
            let name = cut(label.text, to: limit - columns - gap.count)
            text += gap + name
            columns += gap.count + name.displayWidth
        }
        return (text, columns)
    }

    private func barWidth(_ bar: CalendarLayout.Bar) -> Int { Self.dayWidth * bar.days.count - 1 }

    /// The user's name, in the bar where it fits there or where there is as much room as anywhere.
    private func label(_ bar: CalendarLayout.Bar) -> (text: String, isInside: Bool) {
        let name = StyledText(bar.booking.userId).text
        let room = barWidth(bar) - 2
        let isInside = name.displayWidth <= room || room >= Self.labelWidth
        return (cut(name, to: isInside ? room : Self.labelWidth), isInside)
    }

    private func labelDays(_ bar: CalendarLayout.Bar) -> Int {
        let label = label(bar)
        return label.isInside ? 0 : label.text.displayWidth / Self.dayWidth + 1
    }

    private func cut(_ text: String, to width: Int) -> String {
        guard text.displayWidth > width else { return text }
        return width < 1 ? "" : text.cut(toWidth: width).dropLast() + String(glyphs.ellipsis)
    }

    // MARK: - The legend

    private func legend(_ statuses: Set<BookingStatus>) -> String {
        let shown = BookingStatus.allCases.filter { $0 != .cancelled || statuses.contains(.cancelled) }
        let parts = shown.map { status in
            let sample = String(repeating: glyphs.fill(status), count: 3)
            return StyledText(sample, StyledText(status).style).rendered(hasColour: hasColour)
                + " \(status.rawValue)"
        }
        return (parts + ["\(glyphs.beginsBefore) \(glyphs.goesOn) begins earlier, goes on"])
            .joined(separator: "   ")
    }
}
