import Bookings
import Varlink

/// Reads the lines of one format.
protocol LineDecoder {
    /// Whether what is open at the beginning of `text` and at its end differ: a line that is open at its end goes on
    /// after the newline.
    func isOpen(_ text: UnsafeRawBufferPointer) -> Bool

    /// Reads a line.
    func input(_ text: UnsafeRawBufferPointer) -> Result<CreateBookingInput, InvalidInputText>

    /// The line as JSON that can be mended and imported, or as a string where it can't be read.
    func original(_ text: UnsafeRawBufferPointer) -> [UInt8]
}

extension LineDecoder {
    /// A line that can't be read, as a JSON string.
    func unreadable(_ text: UnsafeRawBufferPointer) -> [UInt8] {
        var json: [UInt8] = []
        json.append(quoting: String(decoding: text, as: UTF8.self))
        return json
    }
}
