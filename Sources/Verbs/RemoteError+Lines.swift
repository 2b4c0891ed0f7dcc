import Bookings
import Varlink

extension RemoteError {
    /// What acms refused, then what to do next, in one or two lines.
    func lines(from service: Service, about id: String?) -> [String] {
        bookingLines ?? caretakerLines(about: id) ?? queueLines ?? storageLines(service)
            ?? serviceLines(service) ?? ["acms refused the call: \(self)"]
    }

    private var bookingLines: [String]? {
        if let error = decode(BookingsInterface.InvalidInput.self) {
            return [
                "\(error.field): \(error.reason.asSentence)",
                "Correct \(Self.option(of: error.field)) and repeat.",
            ]
        }
        if let error = decode(BookingsInterface.PendingBookingExists.self) {
            let place = error.progress.rawValue
            return [
                "this user already has the booking \(error.bookingId) (\(place)) of this apartment;"
                    + " see 'acmsctl show \(error.bookingId)'."
            ]
        }
        if let error = decode(BookingsInterface.ApartmentNotAvailable.self) {
            return Self.notAvailable(error.bookingId, error.startDate, error.endDate)
        }
        if let error = decode(BookingsInterface.IdempotencyKeyReused.self) {
            return [
                "this user has used the key for a different booking, \(error.bookingId).",
                "See 'acmsctl show \(error.bookingId)', or take another --key.",
            ]
        }
        if let error = decode(BookingsInterface.BookingNotFound.self) { return Self.notFound(error.id) }
        if let error = decode(BookingsInterface.QueueFull.self) {
            return [
                "the queue is full: \(error.reason.asSentence)",
                "Try again in \(error.retryAfterSeconds) s.",
            ]
        }
        return nil
    }

    private func caretakerLines(about id: String?) -> [String]? {
        if let error = decode(CaretakerInterface.BookingNotFound.self) { return Self.notFound(error.id) }
        if let error = decode(CaretakerInterface.NotYetCommitted.self) {
            let next = error.progress == .deadLettered ? "dlq show" : "await"
            return [
                "the booking \(error.id) is not in the table yet (\(error.progress.rawValue));"
                    + " see 'acmsctl \(next) \(error.id)'."
            ]
        }
        if let error = decode(CaretakerInterface.WrongStatus.self) {
            return [
                "the booking is \(error.bookingStatus.rawValue), which does not allow this;"
                    + " see 'acmsctl show \(id ?? "ID")'."
            ]
        }
        if let error = decode(CaretakerInterface.ApartmentNotAvailable.self) {
            return Self.notAvailable(error.bookingId, error.startDate, error.endDate)
        }
        return nil
    }

    private var queueLines: [String]? {
        decode(QueueInterface.DeadLetterNotFound.self).map {
            ["no dead letter has the id \($0.id); see 'acmsctl dlq list'."]
        }
    }

    private func storageLines(_ service: Service) -> [String]? {
        let reason =
            decode(BookingsInterface.StorageUnavailable.self)?.reason
            ?? decode(CaretakerInterface.StorageUnavailable.self)?.reason
            ?? decode(QueueInterface.StorageUnavailable.self)?.reason
        guard let reason else { return nil }
        let unit = service.daemonUnit
        return [
            "the storage is unavailable: \(reason.asSentence)",
            "See 'systemctl status \(unit)' and 'journalctl -u \(unit)'.",
        ]
    }

    private static func option(of field: String) -> String {
        switch field {
        case "userId": "--user"
        case "apartmentId": "--apartment"
        case "startDate": "--from"
        case "endDate": "--to"
        case "idempotencyKey": "--key"
        case "traceparent": "--traceparent"
        default: "it"
        }
    }

    private static func notFound(_ id: String) -> [String] {
        ["no booking has the id \(id); see 'acmsctl list --help' for how to find it."]
    }

    private static func notAvailable(_ id: String, _ start: String, _ end: String) -> [String] {
        [
            "the apartment is taken from \(start) to \(end) by the booking \(id).",
            "Choose other dates, or see 'acmsctl show \(id)'.",
        ]
    }
}

// MARK: - org.varlink.service

extension RemoteError {
    private func serviceLines(_ service: Service) -> [String]? {
        if let error = decode(ServiceError.MethodNotImplemented.self) {
            return Self.tooOld(error.method, service)
        }
        if let error = decode(ServiceError.MethodNotFound.self) { return Self.tooOld(error.method, service) }
        if let error = decode(ServiceError.InterfaceNotFound.self) {
            return ["the socket does not serve \(error.interface).", "Check --socket and the configuration."]
        }
        if let error = decode(ServiceError.InvalidParameter.self) {
            return [
                "acms does not accept \(error.parameter).",
                "If it is a value of yours, correct it; else update \(service.daemonUnit) or acmsctl.",
            ]
        }
        if let error = decode(ServiceError.PermissionDenied.self) {
            return [
                "acms denies this to you\(error.reason.map { ": \($0.asSentence)" } ?? ".")",
                "Ask the administrator of acms.",
            ]
        }
        return nil
    }

    private static func tooOld(_ method: String, _ service: Service) -> [String] {
        [
            "the daemon does not know \(method).",
            "If it is older than acmsctl \(acmsVersion), update it and 'systemctl restart \(service.daemonUnit)'.",
        ]
    }
}

extension String {
    /// The text with a full stop; some reasons are sentences already.
    fileprivate var asSentence: String { hasSuffix(".") ? self : self + "." }
}
