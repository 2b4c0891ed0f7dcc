import Bookings

/// A calendar for a page: a self-contained SVG document, readable in the light and in the dark.
struct CalendarSVG {
    private static let margin = 20
    private static let dayWidth = 28
    private static let laneHeight = 26
    private static let barHeight = 20
    private static let titleHeight = 54
    /// The month's name, and the days with their weekdays.
    private static let rulerHeight = 58
    private static let monthGap = 22
    private static let legendHeight = 40
    /// What a letter takes at most in a usual typeface of the labels' size; names that turn out wider reach out of
    /// their bars.
    private static let letterWidth = 7
    /// Letters of a label beside its bar.
    private static let labelLetters = 16

    private static var width: Int { 2 * margin + 31 * dayWidth + labelLetters * letterWidth }

    /// The bookings as the lines of a document.
    func lines(_ bookings: [Booking], in range: CalendarRange, of apartment: String) -> [String] {
        let layout = CalendarLayout(bookings, in: range) { Self.label($0).daysBehind }
        var body: [String] = []
        var y = Self.titleHeight
        for month in layout.months {
            body += Self.lines(month, at: y)
            y += Self.height(of: month) + Self.monthGap
        }
        let title = "\(apartment), \(range.first) to \(range.last)".xmlEscaped
        let (width, height) = (Self.width, y + Self.legendHeight)
        return [
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"\(width)\" height=\"\(height)\" "
                + "viewBox=\"0 0 \(width) \(height)\" role=\"img\">",
            "<title>\(title)</title>",
        ] + Self.head + [
            "<rect class=\"page\" width=\"\(width)\" height=\"\(height)\"/>",
            "<text class=\"title\" x=\"\(Self.margin)\" y=\"34\">\(title)</text>",
        ] + body + Self.legend(bookings, at: y) + ["</svg>"]
    }

    // MARK: - A month

    private static func height(of month: CalendarLayout.Month) -> Int {
        rulerHeight + max(month.lanes.count, 1) * laneHeight
    }

    private static func x(_ day: Int) -> Int { margin + (day - 1) * dayWidth }

    private static func lines(_ month: CalendarLayout.Month, at y: Int) -> [String] {
        let top = y + 18
        let height = Self.height(of: month) - 18
        var lines = ["<text class=\"month\" x=\"\(margin)\" y=\"\(y + 10)\">\(month.month.title)</text>"]
        for day in month.days {
            let kind = month.month.isWeekend(day) ? "day weekend" : "day"
            let middle = x(day) + dayWidth / 2
            let letter = weekdays[month.month.weekday(day)]
            lines += [
                "<rect class=\"\(kind)\" x=\"\(x(day))\" y=\"\(top)\" width=\"\(dayWidth)\" height=\"\(height)\"/>",
                "<text class=\"number\" x=\"\(middle)\" y=\"\(top + 16)\">\(day)</text>",
                "<text class=\"weekday\" x=\"\(middle)\" y=\"\(top + 31)\">\(letter)</text>",
            ]
        }
        for (index, lane) in month.lanes.enumerated() {
            let laneTop = y + rulerHeight + index * laneHeight
            lines += lane.flatMap { Self.lines($0, at: laneTop) }
        }
        return lines
    }

    private static let weekdays = ["M", "T", "W", "T", "F", "S", "S"]

    // MARK: - A bar

    private static func lines(_ bar: CalendarLayout.Bar, at y: Int) -> [String] {
        let booking = bar.booking
        let label = label(bar)
        let (left, right) = (x(bar.days.lowerBound) + 2, x(bar.days.upperBound + 1) - 2)
        let isInside = label.daysBehind == 0
        let (textX, textY) = (isInside ? left + 9 : right + 5, y + barHeight / 2 + 4)
        return [
            "<g class=\"\(booking.bookingStatus.rawValue.lowercased())\">",
            "<title>\(tooltip(booking).xmlEscaped)</title>",
            "<path class=\"bar\" d=\"\(outline(left, right, y, bar))\"/>",
            "<text class=\"\(isInside ? "inside" : "beside")\" x=\"\(textX)\" y=\"\(textY)\">"
                + "\(label.text.xmlEscaped)</text>",
            "</g>",
        ]
    }

    /// A box with round corners, and with a point where the stay goes on.
    private static func outline(_ left: Int, _ right: Int, _ y: Int, _ bar: CalendarLayout.Bar) -> String {
        let (height, half) = (barHeight, barHeight / 2)
        let rightEdge =
            bar.goesOn
            ? "H\(right - 6) l6 \(half) l-6 \(half)"
            : "H\(right - 4) q4 0 4 4 v\(height - 8) q0 4 -4 4"
        let leftEdge =
            bar.beginsBefore
            ? "H\(left + 6) l-6 -\(half) l6 -\(half)" : "H\(left + 4) q-4 0 -4 -4 v-\(height - 8) q0 -4 4 -4"
        return "M\(left + (bar.beginsBefore ? 6 : 4)) \(y) \(rightEdge) \(leftEdge) Z"
    }

    private static func tooltip(_ booking: Booking) -> String {
        "\(booking.userId): \(booking.startDate) to \(booking.endDate), \(booking.bookingStatus.rawValue), "
            + booking.id
    }

    /// The user's name, and how many days behind the bar it takes; none when it is in the bar.
    private static func label(_ bar: CalendarLayout.Bar) -> (text: String, daysBehind: Int) {
        let name = StyledText(bar.booking.userId).text
        let room = (bar.days.count * dayWidth - 24) / letterWidth
        let isInside = name.displayWidth <= room || room >= labelLetters
        let text = name.cut(toWidth: isInside ? room : labelLetters)
        return (text, isInside ? 0 : (text.displayWidth * letterWidth + 12 + dayWidth - 1) / dayWidth)
    }

    // MARK: - The legend

    private static func legend(_ bookings: [Booking], at y: Int) -> [String] {
        let shown = BookingStatus.allCases.filter { status in
            status != .cancelled || bookings.contains { $0.bookingStatus == .cancelled }
        }
        return shown.enumerated().flatMap { index, status -> [String] in
            let left = margin + index * 140
            return [
                "<g class=\"\(status.rawValue.lowercased())\">",
                "<rect class=\"bar\" x=\"\(left)\" y=\"\(y)\" width=\"30\" height=\"\(barHeight)\" rx=\"4\"/>",
                "<text class=\"beside\" x=\"\(left + 38)\" y=\"\(y + 14)\">\(status.rawValue)</text>",
                "</g>",
            ]
        }
    }
}

extension CalendarSVG {
    /// The colours, and the hatching by which a PENDING booking is known without them.
    private static let head = """
        <style>
        text { font: 12px system-ui, "DejaVu Sans", sans-serif; fill: #24292f; }
        .title { font-size: 18px; font-weight: 600; }
        .month { font-size: 14px; font-weight: 600; }
        .number, .weekday { text-anchor: middle; }
        .weekday { font-size: 10px; fill: #6e7781; }
        .page { fill: #ffffff; }
        .day { fill: none; stroke: #d8dee4; }
        .weekend { fill: #f0f3f6; }
        .bar { stroke-width: 1.5; }
        .approved .bar { fill: #1a7f37; stroke: #1a7f37; }
        .approved .inside { fill: #ffffff; }
        .pending .bar { fill: url(#hatched); stroke: #9a6700; }
        .pending .inside { font-weight: 600; }
        .cancelled .bar { fill: #ffffff; stroke: #8c959f; stroke-dasharray: 3 3; }
        .cancelled .inside, .cancelled .beside { fill: #6e7781; text-decoration: line-through; }
        .ground { fill: #fff8c5; }
        .stripe { stroke: #eac54f; stroke-width: 2; }
        @media (prefers-color-scheme: dark) {
        text { fill: #e6edf3; }
        .weekday { fill: #8b949e; }
        .page { fill: #0d1117; }
        .day { stroke: #30363d; }
        .weekend { fill: #161b22; }
        .approved .bar { fill: #2ea043; stroke: #2ea043; }
        .pending .bar { stroke: #d29922; }
        .cancelled .bar { fill: #0d1117; stroke: #6e7681; }
        .cancelled .inside, .cancelled .beside { fill: #8b949e; }
        .ground { fill: #3b2e0a; }
        .stripe { stroke: #5c4813; }
        }
        </style>
        <defs><pattern id="hatched" width="8" height="8" patternUnits="userSpaceOnUse">
        <rect class="ground" width="8" height="8"/><path class="stripe" d="M-2 10 L10 -2 M-2 2 L2 -2 M6 10 L10 6"/>
        </pattern></defs>
        """.split(separator: "\n").map(String.init)
}

extension String {
    /// The text for an XML document. Characters that a document may not hold are made visible, or replaced.
    var xmlEscaped: String {
        var escaped = ""
        for scalar in escapedForTerminal.unicodeScalars {
            switch scalar {
            case "&": escaped += "&amp;"
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            case "\"": escaped += "&quot;"
            case "\u{fffe}", "\u{ffff}": escaped += "\u{fffd}"
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }
}
