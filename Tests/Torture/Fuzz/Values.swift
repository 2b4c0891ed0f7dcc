import Glibc
import Varlink

@testable import Bookings
@testable import Spool

extension Target {
    /// Dates, times, identifiers and names: each that is accepted is what it says, to the byte.
    static let values = Target(name: "values") { input in
        guard let choice = input.first else { return }
        let bytes = UnsafeRawBufferPointer(rebasing: input.dropFirst())
        switch choice & 0x07 {
        case 0: date(bytes)
        case 1: time(bytes)
        case 2: id(bytes)
        case 3: entryName(bytes)
        case 4: derived(bytes)
        case 5: traceParent(bytes)
        default: request(bytes)
        }
    }

    private static func text(_ bytes: UnsafeRawBufferPointer) -> String? {
        String(validating: bytes, as: UTF8.self)
    }

    private static func date(_ bytes: UnsafeRawBufferPointer) {
        guard let date = CalendarDate(bytes) else { return }
        let text = require(text(bytes), "a date is no text")
        require(areSame(date.description, text), "\(text) prints as \(date)")
        require(CalendarDate(text) == date, "\(text) is read in two ways")
        let fields = text.split(separator: "-").compactMap { Int32($0) }
        require(fields.count == 3, "\(text) has other fields")
        var broken = tm()
        (broken.tm_year, broken.tm_mon, broken.tm_mday) = (fields[0] - 1900, fields[1] - 1, fields[2])
        _ = timegm(&broken)
        let real = [broken.tm_year + 1900, broken.tm_mon + 1, broken.tm_mday]
        require(real == fields && fields[0] >= 1, "\(text) is no day; \(real) may be")
    }

    private static func time(_ bytes: UnsafeRawBufferPointer) {
        guard let time = Timestamp(bytes) else { return }
        let text = require(text(bytes), "a time is no text")
        let printed = time.description
        require(Timestamp(printed) == time, "\(text) prints as \(printed), which is another time")
        require(Timestamp(text) == time, "\(text) is read in two ways")
        // The instant, by the C library.
        let fields = text.split { !("0"..."9" ~= $0) }.compactMap { Int($0) }
        require(fields.count >= 6, "\(text) has other fields")
        var broken = tm()
        (broken.tm_year, broken.tm_mon, broken.tm_mday) = (
            Int32(fields[0]) - 1900, Int32(fields[1]) - 1, Int32(fields[2])
        )
        (broken.tm_hour, broken.tm_min, broken.tm_sec) = (
            Int32(fields[3]), Int32(fields[4]), Int32(fields[5])
        )
        var seconds = timegm(&broken)
        if let last = text.last, last != "Z", last != "z" {
            let offset = fields.suffix(2)
            let minutes = offset.reduce(0) { $0 * 60 + $1 }
            seconds += text.dropLast(5).last == "-" ? minutes * 60 : -minutes * 60
        }
        let floored = Int(time.milliseconds) - (Int(time.milliseconds) % 1000 + 1000) % 1000
        require(floored == seconds * 1000, "\(text) is \(time.milliseconds) ms and \(seconds) s")
        if text.utf8.count == 24, text.last == "Z", !text.contains(":60"),
            text.utf8.dropFirst(10).first == 0x54
        {
            require(areSame(printed, text), "\(text) prints as \(printed)")
        }
    }

    private static func id(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count >= 36 else { return }
        let (first, second) = (
            BookingID(UnsafeRawBufferPointer(rebasing: bytes[..<36])),
            BookingID(UnsafeRawBufferPointer(rebasing: bytes[36...]))
        )
        for (id, bytes) in [(first, bytes[..<36]), (second, bytes[36...])] {
            guard let id else { continue }
            let text = String(decoding: bytes, as: UTF8.self)
            require(areSame(id.description, text.lowercased()), "\(text) prints as \(id)")
            require(BookingID(text) == id && BookingID(id.description) == id, "\(text) is read in two ways")
        }
        guard let first, let second else { return }
        require(
            (first < second) == (first.description < second.description)
                && (first == second) == (first.description == second.description),
            "\(first) and \(second) are in another order than their texts")
    }

    private static func derived(_ bytes: UnsafeRawBufferPointer) {
        guard let name = text(bytes) else { return }
        let id = BookingID.derived(fileName: name, line: bytes.count)
        require(BookingID(id.description) == id && id.time == nil, "\(name) gives \(id)")
        require(id.description.dropFirst(14).first == "8", "\(id) is no version 8 UUID")
    }

    /// What is passed on has the form of version 00 of the recommendation.
    private static func traceParent(_ bytes: UnsafeRawBufferPointer) {
        guard let given = text(bytes), let parent = TraceParent(given) else { return }
        let parts = parent.description.split(separator: "-", omittingEmptySubsequences: false)
        require(parts.map(\.utf8.count) == [2, 32, 16, 2] && parts[0] == "00", "\(given) becomes \(parent)")
        require(
            parent.description.utf8.allSatisfy { "0123456789abcdef-".utf8.contains($0) },
            "\(given) becomes \(parent)")
        require(
            areSame(String(given.dropFirst(2).prefix(53)), String(parent.description.dropFirst(2))), "another"
        )
        require(parts[1].contains { $0 != "0" } && parts[2].contains { $0 != "0" }, "\(parent) is of none")
        require(areSame(parent.traceID, String(parts[1])), "\(parent) has the trace \(parent.traceID)")
        require(TraceParent(parent.description) == parent, "\(parent) is read in two ways")
    }

    private static func entryName(_ bytes: UnsafeRawBufferPointer) {
        bytes.withMemoryRebound(to: UInt8.self) { bytes in
            guard let name = EntryName(validating: bytes) else {
                return require(String(validating: bytes, as: UTF8.self) == nil, "a name was not taken")
            }
            require(name.description.utf8.elementsEqual(bytes), "a name became \(name)")
            require(EntryName(name.description) == name, "\(name) is read in two ways")
            let text = name.description
            require(name.isHidden == SpoolFileName.isHidden(text), "\(text) is hidden or not")
            if let count = name.count {
                require(SpoolFileName.count(in: text) == count, "\(text) promises \(count) or not")
            }
            if let id = DeadLetterFile.id(in: text) {
                require(text.hasSuffix(".letter"), "\(text) is letter \(id)")
            }
            _ = DeadLetterFile.deletedID(in: text)
            _ = SpoolFileName.isUnfinished(text)
            require(!(name < name), "\(name) comes before itself")
        }
    }

    /// Five fields, each in a line.
    private static func request(_ bytes: UnsafeRawBufferPointer) {
        let fields = bytes.split(
            separator: UInt8(ascii: "\n"), maxSplits: 4, omittingEmptySubsequences: false
        )
        .map { String(decoding: $0, as: UTF8.self) }
        guard fields.count >= 4 else { return }
        let input = CreateBookingInput(
            userId: fields[0], apartmentId: fields[1], startDate: fields[2], endDate: fields[3],
            idempotencyKey: fields.count > 4 ? fields[4] : nil)
        let identifiers = [input.userId, input.apartmentId] + (input.idempotencyKey.map { [$0] } ?? [])
        let areGood = identifiers.allSatisfy { text in
            (1...256).contains(text.utf8.count)
                && text.unicodeScalars.allSatisfy {
                    $0.properties.generalCategory != .control && $0.value & 0xfffe != 0xfffe
                        && !(0xfdd0...0xfdef).contains($0.value)
                }
        }
        do throws(BookingsInterface.InvalidInput) {
            let request = try BookingRequest(input)
            require(areGood, "\(input) was accepted")
            require(input.startDate < input.endDate, "a stay of no night was accepted: \(input)")
            require(areSame(request.input, input), "\(input) became \(request.input)")
            require(
                request.claim == ClaimKey(userID: input.userId, apartmentID: input.apartmentId), "a claim")
            require((request.keyClaim == nil) == (input.idempotencyKey == nil), "a key's claim")
        } catch {
            let dates = [input.startDate, input.endDate].compactMap { CalendarDate($0) }
            let isStay = dates.count == 2 && dates[0] < dates[1]
            require(!areGood || !isStay, "\(input) was refused: \(error)")
            let names = CreateBookingInput.CodingKeys.allCases.map(\.stringValue)
            require(names.contains(error.field) && !error.reason.isEmpty, "the refusal says \(error)")
        }
    }
}
