import Bookings
import FoundationEssentials

extension SpoolCheck {
    /// A file of `incoming/`, `active/` or `deferred/`.
    func queueFile(
        _ place: SpoolPlace, _ name: String, _ census: inout MessageCensus
    ) throws(SpoolError) -> [SpoolFinding] {
        let path = directory.path(place, name)
        guard let status = try files.status(of: path) else { return [] }
        func finding(
            _ problem: String, _ remedy: SpoolFinding.Remedy, line: Int? = nil, id: BookingID? = nil
        ) -> SpoolFinding {
            SpoolFinding(place: place, name: name, line: line, id: id, problem: problem, remedy: remedy)
        }
        guard status.kind == .regular else {
            return [finding("It should be a regular file and is \(Self.word(for: status.kind)).", .setAside)]
        }
        if let refusal = try refusal(ofReading: path) { return [finding(refusal, Self.byHand)] }
        let file = try files.open(path)
        var findings: [SpoolFinding] = []
        var lines = LineReader(file)
        var (count, filled, messages) = (0, 0, [Message]())
        while let line = try lines.next() {
            count = line.number
            filled += line.isBlank ? 0 : 1
            switch QueueLine(line, of: name, at: file.status) {
            case .blank, .foreign: continue
            case .message(let message):
                messages.append(message)
                let isNamed = SpoolFileName.count(in: name) != nil && place != .deferred
                // By hand the lines may name any ids, and bear no checksums.
                if line.number == 1, isNamed, !name.hasPrefix(message.id.description),
                    line.bytes.map({ Seal.isIntact($0) { $0 } ?? false }) ?? false
                {
                    findings.append(
                        finding(
                            "The file begins with the booking \(message.id), which its name doesn't say.",
                            .judgeAnew, id: message.id))
                }
            case .damaged(let problem, let id):
                findings.append(finding(problem, .mendLines, line: line.number, id: id))
            }
        }
        if let promised = SpoolFileName.count(in: name), count < promised {
            findings.append(
                finding(
                    "The name promises \(promised) messages, and the file has \(count) lines.", .mendLines))
        } else if let promised = SpoolFileName.count(in: name), filled > promised, place != .deferred {
            findings.append(
                finding("The name promises \(promised) messages, and the file has \(filled).", .judgeAnew))
        } else if file.status.size == 0 {
            findings.append(finding("The file is empty.", .setAside))
        }
        if place == .deferred {
            let id = SpoolFileName.count(in: name) == 1 ? BookingID(String(name.prefix(36))) : nil
            if id == nil {
                findings.append(finding("The name is none of a deferred message.", .judgeAnew))
            } else if let other = messages.first, other.id != id {
                findings.append(
                    finding("The file holds the booking \(other.id) instead.", .judgeAnew, id: other.id))
            }
        }
        census.add(place, name, messages)
        return findings
    }

    static let byHand = SpoolFinding.Remedy.none("Make it readable for the worker, as with 'chmod 0640'.")
}

/// What a line of a queued file is.
enum QueueLine {
    case blank
    case message(Message)
    /// Not of this version of acms, or somebody's that can't be booked: it becomes a dead letter as a matter of course.
    case foreign
    /// It was written by acms, and isn't what was written.
    case damaged(String, BookingID?)

    init(_ line: LineReader.Line, of name: String, at status: FileStatus) {
        guard !line.isBlank else {
            self = .blank
            return
        }
        guard let bytes = line.bytes else {
            self = SpoolFileName.isOwn(name) ? .damaged("The line has \(line.count) bytes.", nil) : .foreign
            return
        }
        let arrival = Timestamp(milliseconds: status.modifiedMilliseconds)
        let decoded = MessageLine.decode(bytes, fileName: name, number: line.number, arrival: arrival)
        switch decoded {
        case .success(let message): self = .message(message)
        case .failure(let poison):
            let isIntact = Seal.isIntact(bytes) { $0 }
            let isOurs = isIntact == nil && SpoolFileName.isOwn(name) && !MessageLine.hasUnknownVersion(bytes)
            let named = poison.id == .derived(fileName: name, line: line.number) ? nil : poison.id
            self = isIntact == false || isOurs ? .damaged(poison.reason, named) : .foreign
        }
    }
}

/// Which messages are in which files, to find copies and ids that two bookings bear.
struct MessageCensus {
    private struct Sight {
        let place: SpoolPlace
        let name: String
        let request: BookingRequest
        let redriveCount: Int
    }

    private var sights: [BookingID: Sight] = [:]
    private(set) var findings: [SpoolFinding] = []

    mutating func add(_ place: SpoolPlace, _ name: String, _ messages: [Message]) {
        var copies = 0
        var original: String?
        for message in messages {
            guard let other = sights[message.id] else {
                sights[message.id] = Sight(
                    place: place, name: name, request: message.request, redriveCount: message.redriveCount)
                continue
            }
            guard other.request == message.request else {
                // Redriven with another input, and the letter could not be removed yet.
                if place == .dead, other.redriveCount > message.redriveCount { continue }
                findings.append(
                    SpoolFinding(
                        place: place, name: name, id: message.id,
                        problem:
                            "\(other.place.rawValue)/\(other.name) holds another booking with the same id.",
                        remedy: .none("The worker commits one and keeps the other as a dead letter.")))
                continue
            }
            // A crash leaves settled messages in their files as well; then places or names tell that.
            let isWaiting = [place, other.place].allSatisfy { $0 == .incoming || $0 == .active }
            if isWaiting, other.name != name {
                copies += 1
                original = "\(other.place.rawValue)/\(other.name)"
            }
        }
        guard let original, copies == messages.count else { return }
        findings.append(
            SpoolFinding(
                place: place, name: name, problem: "All its messages are in \(original) as well.",
                remedy: .setAside))
    }
}

extension SpoolFileName {
    /// Whether acms itself gives such names, so that every line is one of its own.
    static func isOwn(_ name: String) -> Bool {
        count(in: name) != nil || isRedriven(name)
            || name.hasSuffix(".misplaced\(suffix)") && BookingID(String(name.prefix(36))) != nil
    }
}

extension MessageLine {
    /// Whether the line says that it has another version, and doesn't only seem to.
    static func hasUnknownVersion(_ bytes: [UInt8]) -> Bool {
        struct Version: Decodable {
            let v: Int?
        }
        guard let version = try? JSONDecoder().decode(Version.self, from: Data(bytes)).v else { return false }
        return version != self.version
    }
}
