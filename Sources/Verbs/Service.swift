import Bookings

/// One of the three services of acms: one interface, one socket, one group of users.
enum Service: Hashable, Sendable {
    case bookings, queue, caretaker

    var interface: String {
        switch self {
        case .bookings: BookingsInterface.name
        case .queue: QueueInterface.name
        case .caretaker: CaretakerInterface.name
        }
    }

    /// Who may connect.
    var group: String {
        switch self {
        case .bookings: "acms-clients"
        case .queue: "acms-admins"
        case .caretaker: "acms-caretakers"
        }
    }

    /// The unit that listens.
    var socketUnit: String {
        switch self {
        case .bookings: "acms-front.socket"
        case .queue: "acms-worker.socket"
        case .caretaker: "acms-caretaker.socket"
        }
    }

    /// The unit that answers.
    var daemonUnit: String {
        switch self {
        case .bookings: "acms-front.service"
        case .queue, .caretaker: "acms-worker.service"
        }
    }

    func socketPath(in settings: Settings) -> String {
        switch self {
        case .bookings: settings.socket.bookings
        case .queue: settings.socket.queue
        case .caretaker: settings.socket.caretaker
        }
    }
}
