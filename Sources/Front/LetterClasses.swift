import Bookings
import Spool

/// How many dead letters of each class there are: each letter is read once, on a thread of its own.
actor LetterClasses {
    private let executor = BlockingExecutor(label: "io.acms.letter-classes")
    /// Jobs run on a thread of their own, which may block.
    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    /// So many letters are read at a look; the rest at the next ones.
    private static let portion = 1000

    private let store: DeadLetterStore
    private let shared: (any SharedBookingQueue)?
    private var known: [BookingID: (file: LetterFile, class: FailureClass)] = [:]

    /// - Parameters:
    ///   - directory: the spool.
    ///   - shared: the queue that hosts share, which has the letters then.
    init(_ directory: SpoolDirectory, shared: (any SharedBookingQueue)? = nil) {
        self.shared = shared
        store = DeadLetterStore(directory)
    }

    /// Looks for letters that have come and gone. One that can't be read is not counted.
    ///
    /// - Returns: nil when `dead/` can't be read.
    func metric() -> Metric {
        let counts = try? counts()
        return Metric(
            "acms_dead_letters", .gauge, help: "Dead letters that wait for an operator, by class.",
            samples: FailureClass.allCases.compactMap { failure in
                counts.map { Metric.Sample(Double($0[failure] ?? 0), labels: ["class": failure.rawValue]) }
            })
    }

    private func counts() throws -> [FailureClass: Int] {
        if let shared { return try shared.letterClasses() }
        let files = try store.letterFiles()
        for (id, letter) in known where files[id] != letter.file { known[id] = nil }
        for (id, file) in files.filter({ known[$0.key] == nil }).prefix(Self.portion) {
            guard let letter = try? store.letter(id, bodyBytes: 0) else { continue }
            known[id] = (file, letter.class)
        }
        return known.values.reduce(into: [:]) { $0[$1.class, default: 0] += 1 }
    }
}
