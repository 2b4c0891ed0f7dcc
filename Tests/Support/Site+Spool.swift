import Foundation

extension Site {
    /// A message that waits in the spool, as its line shows it.
    public struct QueuedLine: Decodable, Hashable, Sendable {
        /// The booking's id; nil in a line that was written by hand.
        public let id: String?
        /// How often it was received, if the line says so.
        public let receiveCount: Int?
    }

    /// Every message in `incoming/`, `active/` and `deferred/`, read as anybody can read them. Those that move
    /// meanwhile may be missed.
    public func queuedLines() throws -> [QueuedLine] {
        let decoder = JSONDecoder()
        return try ["incoming", "active", "deferred"].flatMap { place in
            try directory.names(in: "spool/\(place)").flatMap { name in
                let text = (try? directory.read("spool/\(place)/\(name)")) ?? ""
                return try text.split(separator: "\n").map {
                    try decoder.decode(QueuedLine.self, from: Data($0.utf8))
                }
            }
        }
    }
}
