import Bookings
import Varlink

/// Reads comma-separated values whose header is known.
struct CSVLineDecoder: LineDecoder {
    let header: CSVHeader

    func isOpen(_ text: UnsafeRawBufferPointer) -> Bool { CSVRecord.isOpen(text) }

    func input(_ text: UnsafeRawBufferPointer) -> Result<CreateBookingInput, InvalidInputText> {
        var fields: [String] = []
        fields.reserveCapacity(header.columns.count)
        if let invalid = CSVRecord.read(text, into: &fields) { return .failure(invalid) }
        guard fields.count == header.columns.count else {
            return .failure(
                .init(reason: "it has \(fields.count) fields, and the header \(header.columns.count)."))
        }
        var input = CreateBookingInput(userId: "", apartmentId: "", startDate: "", endDate: "")
        var key: String?
        for (meaning, field) in zip(header.columns, fields) {
            switch meaning {
            case .field(.userId): input.userId = field
            case .field(.apartmentId): input.apartmentId = field
            case .field(.startDate): input.startDate = field
            case .field(.endDate): input.endDate = field
            // What may be left out is left out where nothing stands.
            case _ where field.isEmpty: continue
            case .field(.idempotencyKey): input.idempotencyKey = field
            case .field(.traceparent): input.traceparent = field
            case .field(.bookingStatus):
                guard let status = BookingStatus(argument: field) else {
                    return .failure(
                        .init(field: "bookingStatus", reason: "the field bookingStatus has no allowed value.")
                    )
                }
                input.bookingStatus = status
            case .field(.id), .field(.createdOn), .field(.updatedOn): continue
            case .key: key = field
            }
        }
        input.idempotencyKey = input.idempotencyKey ?? key
        return .success(input)
    }

    func original(_ text: UnsafeRawBufferPointer) -> [UInt8] {
        var fields: [String] = []
        guard CSVRecord.read(text, into: &fields) == nil, fields.count == header.columns.count else {
            return unreadable(text)
        }
        var json = [UInt8(ascii: "{")]
        for (meaning, field) in zip(header.columns, fields) {
            let name: String
            switch meaning {
            case .key(let column): name = column
            case .field(let column): name = column.rawValue
            }
            // An optional member can't be empty in JSON.
            if field.isEmpty, case .field(let column) = meaning, !column.isRequired { continue }
            if json.count > 1 { json.append(",") }
            json.append(quoting: name)
            json.append(":")
            json.append(quoting: field)
        }
        json.append("}")
        return json
    }
}
