public import Bookings
import FoundationEssentials

/// Reads the dead letters of a spool.
public struct DeadLetterStore: Sendable {
    private let directory: SpoolDirectory
    private let files: any FileSystem

    /// Bytes of a body that a list shows.
    public static let listedBodyBytes = 4 << 10
    /// Bytes of a body that a single letter shows.
    public static let shownBodyBytes = 8 << 20

    /// Reads from `directory`.
    public init(_ directory: SpoolDirectory, files: any FileSystem = LocalFileSystem()) {
        self.directory = directory
        self.files = files
    }

    /// The ids of all letters, in order.
    public func ids() throws(SpoolError) -> [BookingID] {
        try files.names(in: directory.path(of: .dead)).compactMap(DeadLetterFile.id(in:)).sorted()
    }

    /// The files of all letters: a letter that was redriven and died again has another.
    public func letterFiles() throws(SpoolError) -> [BookingID: LetterFile] {
        var found: [BookingID: LetterFile] = [:]
        for id in try ids() {
            guard let status = try files.status(of: directory.path(.dead, DeadLetterFile.name(id))) else {
                continue
            }
            found[id] = LetterFile(
                identity: status.identity, modifiedMilliseconds: status.modifiedMilliseconds)
        }
        return found
    }

    /// One letter with up to `bodyBytes` of its body; nil when there is none with this id.
    public func letter(_ id: BookingID, bodyBytes: Int) throws(SpoolError) -> DeadLetter? {
        let path = directory.path(.dead, DeadLetterFile.name(id))
        guard let status = try files.status(of: path) else { return nil }
        let stored: StoredDeadLetter
        do {
            stored = try StoredDeadLetter(path, files: files)
        } catch let error as SpoolError {
            throw error
        } catch {
            return damaged(id, path: path, status: status)
        }
        let bytes = try stored.body(limit: bodyBytes, in: directory, files: files)
        let fields = stored.fields
        // A cut can fall inside a character; then the piece before it is still text.
        let isTruncated = bytes.count < fields.bodySize
        let text = Self.text(bytes, mayEndInside: isTruncated)
        return DeadLetter(
            id: fields.id.description, class: fields.class, reason: fields.reason, deadOn: fields.deadOn,
            receiveCount: fields.receiveCount, userId: fields.userId, apartmentId: fields.apartmentId,
            attempts: fields.attempts, body: text ?? Data(bytes).base64EncodedString(),
            bodyIsBase64: text == nil,
            bodySize: fields.bodySize, bodyIsTruncated: isTruncated ? true : nil, bodyFile: fields.bodyFile,
            redriveCount: fields.redriveCount)
    }

    /// Whether a letter is there and matches `filter`.
    func matches(_ id: BookingID, _ filter: DeadLetterFilter?) throws(SpoolError) -> Bool {
        guard let letter = try letter(id, bodyBytes: 0) else { return false }
        return filter?.matches(letter) ?? true
    }

    /// A page of letters in order of id, after `token`.
    ///
    /// - Throws: `SpoolError`, or `InvalidPageToken`.
    public func list(matching filter: DeadLetterFilter?, limit: Int, after token: String?) throws -> (
        items: [DeadLetter], nextToken: String?
    ) {
        var ids = try ids()[...]
        if let token {
            guard let last = BookingID(token) else { throw InvalidPageToken() }
            ids = ids.drop { $0 <= last }
        }
        var items: [DeadLetter] = []
        for id in ids {
            guard let letter = try letter(id, bodyBytes: Self.listedBodyBytes),
                filter?.matches(letter) ?? true
            else { continue }
            if items.count == limit { return (items, items.last?.id) }
            items.append(letter)
        }
        return (items, nil)
    }

    /// The ids of up to `limit` letters that match `filter`, in order, after the letter `last`.
    public func ids(
        matching filter: DeadLetterFilter, limit: Int, after last: BookingID?
    ) throws(SpoolError) -> [BookingID] {
        var found: [BookingID] = []
        for id in try ids() where found.count < limit && last.map({ id > $0 }) ?? true {
            if try matches(id, filter) { found.append(id) }
        }
        return found
    }

    private func damaged(_ id: BookingID, path: String, status: FileStatus) -> DeadLetter {
        DeadLetter(
            id: id.description, class: .poison, reason: "The letter's own file \(path) is damaged.",
            deadOn: Timestamp(milliseconds: status.modifiedMilliseconds), receiveCount: 0, userId: nil,
            apartmentId: nil, attempts: [], body: "", bodyIsBase64: false, bodySize: status.size,
            bodyIsTruncated: true, bodyFile: DeadLetterFile.name(id))
    }

    package static func text(_ bytes: [UInt8], mayEndInside: Bool) -> String? {
        for cut in 0...(mayEndInside ? min(3, bytes.count) : 0) {
            if let text = String(validating: bytes.dropLast(cut), as: UTF8.self) {
                // Some JSON parsers refuse these even escaped, and then the whole list with them.
                let isSafe = text.unicodeScalars.allSatisfy {
                    $0.isSafeInText || "\t\n\r".unicodeScalars.contains($0)
                }
                return isSafe ? text : nil
            }
        }
        return nil
    }
}

extension DeadLetterFilter {
    /// Whether all that is given holds for `letter`.
    func matches(_ letter: DeadLetter) -> Bool {
        func agrees(_ wanted: String?, _ actual: String?) -> Bool {
            guard let wanted else { return true }
            return actual.map { $0.utf8.elementsEqual(wanted.utf8) } ?? false
        }
        if let wanted = self.class, wanted != letter.class { return false }
        if let deadBefore, letter.deadOn >= deadBefore { return false }
        if let reasonContains, !letter.reason.contains(reasonContains) { return false }
        return agrees(userId, letter.userId) && agrees(apartmentId, letter.apartmentId)
    }
}

/// What tells the file of a dead letter from another of its name.
public struct LetterFile: Hashable, Sendable {
    let identity: FileIdentity
    let modifiedMilliseconds: Int64
}
