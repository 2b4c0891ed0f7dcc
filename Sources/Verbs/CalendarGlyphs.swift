import Bookings

/// What a calendar is drawn with on a terminal.
struct CalendarGlyphs: Equatable, Sendable {
    let approved: Character
    let pending: Character
    let cancelled: Character
    let beginsBefore: Character
    let goesOn: Character
    let free: Character
    let ellipsis: Character

    static let unicode = CalendarGlyphs(
        approved: "█", pending: "▒", cancelled: "░", beginsBefore: "◂", goesOn: "▸", free: "·", ellipsis: "…")
    static let ascii = CalendarGlyphs(
        approved: "#", pending: "=", cancelled: "-", beginsBefore: "<", goesOn: ">", free: ".", ellipsis: "~")

    func fill(_ status: BookingStatus) -> Character {
        switch status {
        case .approved: approved
        case .pending: pending
        case .cancelled: cancelled
        }
    }
}

/// What the environment says of the characters that a terminal shows: locale(7).
struct Locale: Equatable, Sendable {
    let isUTF8: Bool

    init(environment: [String: String]) {
        let named = ["LC_ALL", "LC_CTYPE", "LANG"].lazy.compactMap { environment[$0] }.first { !$0.isEmpty }
        let codeset = named?.uppercased().split(separator: "@").first?.split(separator: ".").last
        isUTF8 = codeset == "UTF-8" || codeset == "UTF8"
    }
}
