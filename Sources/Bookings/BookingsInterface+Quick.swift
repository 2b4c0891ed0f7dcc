import FoundationEssentials
public import Varlink

// The parameters and replies of the calls that are made most, read without a general decoder where they have their common form.

extension BookingsInterface.Create {
    /// Reads the parameters; nil when they have any other form than the common one, valid or not.
    public init?(quickly cursor: inout JSONCursor) {
        var input: CreateBookingInput?
        var trace: String?
        let isRead = cursor.readObject { key, cursor in
            switch key {
            case "input" where input == nil:
                input = CreateBookingInput(quickly: &cursor)
                return input != nil
            case "traceparent": return cursor.read(into: &trace)
            default: return false
            }
        }
        guard isRead, let input else { return nil }
        self.init(input: input, traceparent: trace)
    }
}

extension BookingsInterface.CreateMany {
    /// Reads the parameters; nil when they have any other form than the common one, valid or not.
    public init?(quickly cursor: inout JSONCursor) {
        var inputs: [CreateBookingInput]?
        var trace: String?
        let isRead = cursor.readObject { key, cursor in
            switch key {
            case "inputs" where inputs == nil:
                var read: [CreateBookingInput] = []
                let isRead = cursor.readArray { cursor in
                    guard let input = CreateBookingInput(quickly: &cursor) else { return false }
                    read.append(input)
                    return true
                }
                inputs = read
                return isRead
            case "traceparent": return cursor.read(into: &trace)
            default: return false
            }
        }
        guard isRead, let inputs else { return nil }
        self.init(inputs: inputs, traceparent: trace)
    }
}

extension BookingsInterface.CreatedMany {
    /// Reads the reply; nil when it has any other form than the common one, valid or not.
    public init?(quickly cursor: inout JSONCursor) {
        var results: [BookingsInterface.CreateResult]?
        let isRead = cursor.readObject { key, cursor in
            guard case "results" = key, results == nil else { return false }
            var read: [BookingsInterface.CreateResult] = []
            let isRead = cursor.readArray { cursor in
                guard let result = BookingsInterface.CreateResult(quickly: &cursor) else { return false }
                read.append(result)
                return true
            }
            results = read
            return isRead
        }
        guard isRead, let results else { return nil }
        self.init(results: results)
    }
}

extension BookingsInterface.CreateResult {
    /// Reads a result. Only the parameters of an error are left to a general decoder.
    init?(quickly cursor: inout JSONCursor) {
        var id: String?
        var error: String?
        var parameters: JSONValue?
        let isRead = cursor.readObject { key, cursor in
            switch key {
            case "id": return cursor.read(into: &id)
            case "error": return cursor.read(into: &error)
            case "parameters" where parameters == nil:
                parameters = cursor.skipValue().flatMap {
                    try? JSONDecoder().decode(JSONValue.self, from: Data($0))
                }
                return parameters != nil
            default: return false
            }
        }
        guard isRead else { return nil }
        self.init(id: id, error: error, parameters: parameters)
    }
}

extension CreateBookingInput {
    /// Appends the input as JSON.
    package func encode(into json: inout [UInt8]) {
        json.append(#"{"userId":"#)
        json.append(quoting: userId)
        json.append(#","apartmentId":"#)
        json.append(quoting: apartmentId)
        json.append(#","startDate":"#)
        json.append(quoting: startDate)
        json.append(#","endDate":"#)
        json.append(quoting: endDate)
        if let bookingStatus {
            json.append(#","bookingStatus":"#)
            json.append(quoting: bookingStatus.rawValue)
        }
        if let idempotencyKey {
            json.append(#","idempotencyKey":"#)
            json.append(quoting: idempotencyKey)
        }
        if let traceparent {
            json.append(#","traceparent":"#)
            json.append(quoting: traceparent)
        }
        json.append("}")
    }

    /// Reads an input; nil when it has any other form than the common one, valid or not.
    init?(quickly cursor: inout JSONCursor) {
        var userId: String?
        var apartmentId: String?
        var startDate: String?
        var endDate: String?
        var status: String?
        var key: String?
        var trace: String?
        let isRead = cursor.readObject { name, cursor in
            switch name {
            case "userId": cursor.read(into: &userId)
            case "apartmentId": cursor.read(into: &apartmentId)
            case "startDate": cursor.read(into: &startDate)
            case "endDate": cursor.read(into: &endDate)
            case "bookingStatus": cursor.read(into: &status)
            case "idempotencyKey": cursor.read(into: &key)
            case "traceparent": cursor.read(into: &trace)
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
            bookingStatus: bookingStatus, idempotencyKey: key, traceparent: trace)
    }
}

extension JSONCursor {
    /// Reads a string for a member that has not come yet; false when it has, or when none can be read.
    fileprivate mutating func read(into value: inout String?) -> Bool {
        guard value == nil else { return false }
        value = readString()
        return value != nil
    }
}
