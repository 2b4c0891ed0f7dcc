import Bookings
import FoundationEssentials
import Glibc

@testable import Spool

/// Ends the process, which libFuzzer takes for a crash, unless `condition` holds.
func require(_ condition: Bool, _ text: @autoclosure () -> String) {
    if !condition { fail(text()) }
}

/// The value; ends the process when there is none.
func require<Value>(_ value: Value?, _ text: @autoclosure () -> String) -> Value {
    guard let value else { fail(text()) }
    return value
}

func fail(_ text: String) -> Never {
    let line = Array("WRONG: \(text)\n".utf8)
    _ = write(STDERR_FILENO, line, line.count)
    abort()
}

/// The object with the right checksum for it and what follows it, if it has one at its end.
func mended(_ object: [UInt8], before follow: some Sequence<UInt8> = []) -> [UInt8] {
    let tail = #","crc32c":""#.utf8
    let length = tail.count + CRC32C.digits + 2
    guard object.count >= length, object.suffix(length).starts(with: tail) else { return object }
    let covered = Array(object.dropLast(length))
    return covered + tail + CRC32C.text(covered + follow).utf8 + #""}"#.utf8
}

/// Whether strings are the same to the byte; `==` takes canonically equivalent spellings for one.
func areSame(_ left: String, _ right: String) -> Bool { left.utf8.elementsEqual(right.utf8) }

/// Whether strings are the same to the byte, or both absent.
func areSame(_ left: String?, _ right: String?) -> Bool {
    guard let left, let right else { return left == nil && right == nil }
    return areSame(left, right)
}

func areSame(_ left: CreateBookingInput, _ right: CreateBookingInput) -> Bool {
    areSame(left.userId, right.userId) && areSame(left.apartmentId, right.apartmentId)
        && areSame(left.startDate, right.startDate) && areSame(left.endDate, right.endDate)
        && areSame(left.idempotencyKey, right.idempotencyKey)
        && areSame(left.traceparent, right.traceparent) && left.bookingStatus == right.bookingStatus
}

func encode(_ value: some Encodable) -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    do {
        return try encoder.encode(value)
    } catch {
        fail("\(value) can't be encoded: \(error)")
    }
}

func decode<Value: Decodable>(_ type: Value.Type, _ bytes: Data) -> Value? {
    try? JSONDecoder().decode(type, from: bytes)
}

/// What is written is read again and written the same.
///
/// - Parameter isAny: whether it holds any JSON. A number of that may be an integer only once it was written.
func checkWriting<Value: Codable>(_ value: Value, isAny: Bool) {
    let written = encode(value)
    let again = require(decode(Value.self, written), "what was written of \(value) can't be read")
    let second = encode(again)
    require(isAny || second == written, "\(value) becomes \(again)")
    require(decode(Value.self, second).map(encode) == second, "\(again) is written in two ways")
}

/// Whether somebody asked for a fault that this program itself can have, to see that it would be found.
func isPlanted(_ name: String) -> Bool { planted == name }

private let planted = getenv("ACMS_PLANTED_FAULT").map { String(cString: $0) }
