import Bookings
import FoundationEssentials
import Varlink

/// Reads JSON Lines: objects that are bookings, or the lines of a file of refused lines, whose `input` is one.
struct JSONLineDecoder: LineDecoder {
    /// The member that holds a line's key.
    let keyColumn: String?

    func isOpen(_ text: UnsafeRawBufferPointer) -> Bool { false }

    func input(_ text: UnsafeRawBufferPointer) -> Result<CreateBookingInput, InvalidInputText> {
        if let input = common(text) { return .success(input) }
        if let inner = refusedInput(text) {
            return common(inner).map { .success($0) } ?? other(inner)
        }
        return other(text)
    }

    func original(_ text: UnsafeRawBufferPointer) -> [UInt8] {
        let object = refusedInput(text) ?? text
        guard isObject(object) else { return unreadable(text) }
        return Array(object)
    }

    /// Reads an object that has all of its members once, with values of the right types.
    private func common(_ text: UnsafeRawBufferPointer) -> CreateBookingInput? {
        var cursor = JSONCursor(text)
        var userId: String?
        var apartmentId: String?
        var startDate: String?
        var endDate: String?
        var status: String?
        var ownKey: String?
        var columnKey: String?
        var trace: String?
        let isRead = cursor.readObject { name, cursor in
            if let keyColumn, name.isEqual(to: keyColumn) { return cursor.readKey(into: &columnKey) }
            return switch name {
            case "userId": cursor.readText(into: &userId)
            case "apartmentId": cursor.readText(into: &apartmentId)
            case "startDate": cursor.readText(into: &startDate)
            case "endDate": cursor.readText(into: &endDate)
            case "bookingStatus": cursor.readText(into: &status)
            case "idempotencyKey": cursor.readText(into: &ownKey)
            case "traceparent": cursor.readText(into: &trace)
            case "id", "createdOn", "updatedOn": cursor.readString() != nil
            default: false
            }
        }
        guard isRead, cursor.isAtEnd, let userId, let apartmentId, let startDate, let endDate else {
            return nil
        }
        var bookingStatus: BookingStatus?
        if let status {
            bookingStatus = BookingStatus(rawValue: status)
            if bookingStatus == nil { return nil }
        }
        return CreateBookingInput(
            userId: userId, apartmentId: apartmentId, startDate: startDate, endDate: endDate,
            bookingStatus: bookingStatus, idempotencyKey: ownKey ?? columnKey, traceparent: trace)
    }

    /// Reads an object of any form, or says what is wrong with it.
    private func other(_ text: UnsafeRawBufferPointer) -> Result<CreateBookingInput, InvalidInputText> {
        guard case .object(var members)? = value(text) else {
            return .failure(.init(reason: "it is not a JSON object."))
        }
        if members["line"] != nil, case .string(let reason)? = members["reason"],
            case .string? = members["input"]
        {
            return .failure(
                .init(reason: "it was refused before and isn't mended: \(reason) Make its input an object."))
        }
        for column in BookingColumn.allCases where column.isPassedOver && column.rawValue != keyColumn {
            members[column.rawValue] = nil
        }
        var key: String?
        if let keyColumn, let value = members.removeValue(forKey: keyColumn) {
            switch value {
            case .string(let text): key = text
            case .integer(let number): key = String(number)
            case .null: key = nil
            default:
                return .failure(
                    .init(field: keyColumn, reason: "the member \(keyColumn) is neither text nor an integer.")
                )
            }
        }
        guard let rest = try? JSONEncoder().encode(JSONValue.object(members)) else {
            return .failure(.init(reason: "it is not a JSON object."))
        }
        return CreateBookingInput.decoded(from: Array(rest)).map { input in
            var input = input
            input.idempotencyKey = input.idempotencyKey ?? key
            return input
        }
    }

    /// The booking of a line of refused lines; nil when the line is none.
    private func refusedInput(_ text: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
        var cursor = JSONCursor(text)
        var input: UnsafeRawBufferPointer?
        let isRead = cursor.readObject { name, cursor in
            if case "userId" = name { return false }
            guard let value = cursor.skipValue() else { return false }
            if case "input" = name { input = value }
            return true
        }
        guard isRead, cursor.isAtEnd, let input, input.first == UInt8(ascii: "{") else { return nil }
        return input
    }

    private func isObject(_ text: UnsafeRawBufferPointer) -> Bool {
        if common(text) != nil { return true }
        guard case .object? = value(text) else { return false }
        return true
    }

    private func value(_ text: UnsafeRawBufferPointer) -> JSONValue? {
        try? JSONDecoder().decode(JSONValue.self, from: Data(text))
    }
}

extension JSONCursor {
    /// Reads a string for a member that has not come yet.
    fileprivate mutating func readText(into value: inout String?) -> Bool {
        guard value == nil else { return false }
        var ahead = self
        if let text = ahead.readString() {
            self = ahead
            value = text
        } else if let text = skipValue() {
            // One with escapes; other programs write all that isn't ASCII so.
            value = try? JSONDecoder().decode(String.self, from: Data(text))
        }
        return value != nil
    }

    /// Reads a key, which may be a number.
    fileprivate mutating func readKey(into value: inout String?) -> Bool {
        guard value == nil else { return false }
        var ahead = self
        if ahead.readText(into: &value) {
            self = ahead
        } else if let number = skipValue().flatMap({ Int64(String(decoding: $0, as: UTF8.self)) }) {
            value = String(number)
        }
        return value != nil
    }
}
