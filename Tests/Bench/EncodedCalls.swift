import Foundation

/// Calls as they go over a socket, all of one length, encoded before anything is measured.
final class EncodedCalls {
    /// The bytes of all calls, one call after the other.
    let bytes: UnsafeMutablePointer<UInt8>
    /// The length of a call.
    let length: Int
    /// How many there are.
    let count: Int
    /// How many bookings are in each.
    let bookingsPerCall: Int

    /// - Parameters:
    ///   - format: how a call is made.
    ///   - first: the number of the first booking.
    init(_ format: CallFormat, count: Int, first: Int, bookingsPerCall: Int = 1) throws {
        let item = format.item.bytes.count
        let separators = format.separator.count * (bookingsPerCall - 1)
        length = format.head.count + item * bookingsPerCall + separators + format.tail.count
        self.count = count
        self.bookingsPerCall = bookingsPerCall
        guard first + count * bookingsPerCall <= BookingTemplate.limit else {
            throw Failure("there are only \(BookingTemplate.limit) different bookings")
        }
        bytes = .allocate(capacity: max(1, length * count))
        for call in 0..<count {
            var end = bytes + call * length
            func append(_ piece: [UInt8]) {
                for byte in piece {
                    end.pointee = byte
                    end += 1
                }
            }
            append(format.head)
            for number in 0..<bookingsPerCall {
                if number > 0 { append(format.separator) }
                format.item.write(first + call * bookingsPerCall + number, to: end)
                end += item
            }
            append(format.tail)
        }
    }

    /// Writes the bytes of all calls to a file.
    func write(to path: String) throws {
        try Data(bytesNoCopy: bytes, count: length * count, deallocator: .none).write(
            to: URL(fileURLWithPath: path))
    }

    deinit {
        bytes.deallocate()
    }
}

/// How calls are made of bookings: a head, a booking or more with separators between them, and a tail.
struct CallFormat {
    let head: [UInt8]
    let item: BookingTemplate
    let separator: [UInt8]
    let tail: [UInt8]

    init(head: [UInt8], item: BookingTemplate, separator: [UInt8] = [], tail: [UInt8]) {
        self.head = head
        self.item = item
        self.separator = separator
        self.tail = tail
    }

    init(head: String, item: BookingTemplate, separator: String = "", tail: String) {
        self.init(
            head: Array(head.utf8), item: item, separator: Array(separator.utf8), tail: Array(tail.utf8))
    }
}
