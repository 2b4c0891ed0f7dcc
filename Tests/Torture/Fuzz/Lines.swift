import Bookings
import FoundationEssentials
import Varlink

@testable import Spool

extension Target {
    /// A line of a spool file: the quick reader against the general one, and what is written of the message.
    ///
    /// The first byte says whether the line gets the checksum that it should have.
    static let lines = Target(name: "lines") { input in
        guard let choice = input.first else { return }
        var line = Array(input.dropFirst())
        if choice & 1 == 1 { line = mended(line) }
        let general = MessageLine.decodeAnyForm(line, fileName: "f", number: 7, arrival: arrival)
        if let quick = line.withUnsafeBytes({ CanonicalLine.message($0) }) {
            require(
                isSame((try? general.get()), quick),
                "the quick reader reads \(quick), and the general one \(general)")
        }
        switch general {
        case .success(let message): write(message)
        case .failure(let poison): bury(poison)
        }
    }

    private static let arrival = Timestamp(milliseconds: 1_700_000_000_000)

    private static func isSame(_ left: Message?, _ right: Message) -> Bool {
        guard let left, left == right else { return false }
        return areSame(left.request.input, right.request.input)
            && left.attempts.elementsEqual(right.attempts) {
                areSame($0.class + $0.reason, $1.class + $1.reason)
            }
    }

    private static func write(_ message: Message) {
        guard let written = try? MessageLine.encode(message) else { fail("\(message) can't be written") }
        require(
            written.last == UInt8(ascii: "\n") && !written.dropLast().contains(UInt8(ascii: "\n")), "lines")
        let line = Array(written.dropLast())
        let read = MessageLine.decodeAnyForm(
            line, fileName: "g", number: 8, arrival: Timestamp(milliseconds: 0))
        require(isSame(try? read.get(), message), "\(message) is read as \(read)")
        guard message.attempts.isEmpty, message.notBefore == nil, message.redriveCount == 0 else { return }
        require(
            written.count <= MessageLine.maximumBytes(of: message.request),
            "\(message) has \(written.count) bytes")
        let identifiers = [
            message.request.userID, message.request.apartmentID, message.request.idempotencyKey ?? "",
        ]
        guard !identifiers.contains(where: { $0.utf8.contains { [0x22, 0x5c].contains($0) } }) else { return }
        let quick = line.withUnsafeBytes { CanonicalLine.message($0) }
        // A process number below zero is none, and is left to the general reader.
        require(quick == message || (message.peer?.pid ?? 0) < 0, "\(message) is not read quickly")
    }

    private static func bury(_ poison: Poison) {
        require(!poison.reason.isEmpty && poison.reason.unicodeScalars.allSatisfy(\.isSafeInText), "a reason")
        require(poison.userID.map(BookingRequest.isIdentifier) ?? true, "\(poison) has a user")
        require(poison.apartmentID.map(BookingRequest.isIdentifier) ?? true, "\(poison) has an apartment")
        let letter = DeadLetterFile(
            id: poison.id, class: .poison, reason: poison.reason, deadOn: arrival,
            receiveCount: poison.receiveCount, userId: poison.userID, apartmentId: poison.apartmentID,
            attempts: poison.attempts, fromFile: "f", fromLine: 7, bodySize: 0)
        guard let header = try? letter.header() else { fail("\(poison) can't be set aside") }
        let read = decode(DeadLetterFile.self, Data(header))
        require(
            read.map { encode($0) == encode(letter) } ?? false,
            "\(letter) is read as \(String(describing: read))")
    }
}
