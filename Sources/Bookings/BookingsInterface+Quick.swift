public import Varlink

// The parameters of the calls that are made most, read without a general decoder where they have their common form.

extension BookingsInterface.Create {
    /// Reads the parameters; nil when they have any other form than the common one, valid or not.
    public init?(quickly cursor: inout JSONCursor) {
        var input: CreateBookingInput?
        let isRead = cursor.readObject { key, cursor in
            guard case "input" = key, input == nil else { return false }
            input = CreateBookingInput(quickly: &cursor)
            return input != nil
        }
        guard isRead, let input else { return nil }
        self.init(input: input)
    }
}

extension BookingsInterface.CreateMany {
    /// Reads the parameters; nil when they have any other form than the common one, valid or not.
    public init?(quickly cursor: inout JSONCursor) {
        var inputs: [CreateBookingInput]?
        let isRead = cursor.readObject { key, cursor in
            guard case "inputs" = key, inputs == nil else { return false }
            var read: [CreateBookingInput] = []
            let isRead = cursor.readArray { cursor in
                guard let input = CreateBookingInput(quickly: &cursor) else { return false }
                read.append(input)
                return true
            }
            inputs = read
            return isRead
        }
        guard isRead, let inputs else { return nil }
        self.init(inputs: inputs)
    }
}

extension CreateBookingInput {
    /// Reads an input; nil when it has any other form than the common one, valid or not.
    init?(quickly cursor: inout JSONCursor) {
        var userId: String?
        var apartmentId: String?
        var startDate: String?
        var endDate: String?
        var status: String?
        var key: String?
        func read(_ value: inout String?, _ cursor: inout JSONCursor) -> Bool {
            guard value == nil else { return false }
            value = cursor.readString()
            return value != nil
        }
        let isRead = cursor.readObject { name, cursor in
            switch name {
            case "userId": read(&userId, &cursor)
            case "apartmentId": read(&apartmentId, &cursor)
            case "startDate": read(&startDate, &cursor)
            case "endDate": read(&endDate, &cursor)
            case "bookingStatus": read(&status, &cursor)
            case "idempotencyKey": read(&key, &cursor)
            default: false
            }
        }
        guard isRead, let userId, let apartmentId, let startDate, let endDate else { return nil }
        var bookingStatus: BookingStatus?
        if let status {
            bookingStatus = BookingStatus(rawValue: status)
            if bookingStatus == nil { return nil }
        }
        self.init(
            userId: userId, apartmentId: apartmentId, startDate: startDate, endDate: endDate,
            bookingStatus: bookingStatus, idempotencyKey: key)
    }
}
