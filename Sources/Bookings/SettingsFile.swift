import SystemPackage
import Yams

/// The YAML file: sections at the top, keys and single values in each.
enum SettingsFile {
    /// The largest file, in bytes.
    static let maximumBytes = 1 << 20
    /// Most YAML aliases. Nobody needs one here, and Yams hashes what they multiply: a few lines of aliases to
    /// aliases would keep a daemon from starting for hours.
    static let maximumAliases = 8

    /// Reads the file.
    ///
    /// - Returns: the values' texts by key; types and ranges are not looked at.
    static func read(_ path: String, mayBeMissing: Bool) throws(SettingsError) -> [String: String] {
        do throws(Mistake) {
            guard let bytes = try contents(of: path) else {
                if mayBeMissing { return [:] }
                throw Mistake(reason: "can't be read: \(Errno.noSuchFileOrDirectory)")
            }
            return try values(of: bytes)
        } catch {
            throw SettingsError(source: path, key: error.key, reason: error.reason)
        }
    }

    /// What is wrong in the file.
    private struct Mistake: Error {
        var key: String?
        let reason: String
    }

    private static func values(of bytes: [UInt8]) throws(Mistake) -> [String: String] {
        guard bytes.count <= maximumBytes else {
            throw Mistake(reason: "has more than \(maximumBytes) bytes")
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw Mistake(reason: "is not UTF-8")
        }
        guard aliases(in: bytes) <= maximumAliases else {
            throw Mistake(reason: "has more than \(maximumAliases) YAML aliases")
        }
        let root: Node?
        do {
            // Without the encoding, Yams asks the environment for one.
            root = try Yams.compose(yaml: text, .default, .default, .utf8)
        } catch YamlError.duplicatedKeysInMapping(let keys, let context) {
            throw Mistake(key: keys.first, reason: "is there twice, first in line \(context.mark.line)")
        } catch {
            throw Mistake(reason: "is not YAML: \((error as? YamlError)?.line ?? "\(error)")")
        }
        guard let root, root.null == nil else { return [:] }
        guard let sections = root.mapping else { throw Mistake(reason: "must hold keys and values") }
        var values: [String: String] = [:]
        for (key, entries) in sections { try add(entries, of: name(key), to: &values) }
        return values
    }

    private static func add(
        _ node: Node, of section: String, to values: inout [String: String]
    ) throws(Mistake) {
        if let key = SettingsKey.all.first(where: { $0.name == section && $0.isAlone }) {
            guard node.null == nil else { throw Mistake(key: section, reason: "has no value") }
            values[section] = try text(of: node, for: key)
            return
        }
        guard SettingsKey.all.contains(where: { $0.section == section }) else {
            // One spelling only: with two, a key could be set twice in one file.
            if let key = SettingsKey.all.first(where: { $0.name == section }) {
                throw Mistake(
                    key: section, reason: "must be written as \(key.nameInSection): under \(key.section):")
            }
            let meant =
                node.mapping != nil || node.null != nil
                ? SettingsKey.nearestSection(to: section) : SettingsKey.nearest(to: section)?.name
            throw unknown(section, meant)
        }
        // A section whose keys are all commented out.
        if node.null != nil { return }
        guard let entries = node.mapping else {
            throw Mistake(key: section, reason: "must hold keys and values")
        }
        for (key, value) in entries {
            let key = "\(section).\(try name(key))"
            guard let known = SettingsKey.all.first(where: { $0.name == key }) else {
                throw unknown(key, SettingsKey.nearest(to: key)?.name)
            }
            guard values[key] == nil else { throw Mistake(key: key, reason: "is there twice") }
            guard value.null == nil else { throw Mistake(key: key, reason: "has no value") }
            values[key] = try text(of: value, for: known)
        }
    }

    private static func text(of value: Node, for key: SettingsKey) throws(Mistake) -> String {
        if let scalar = value.scalar { return scalar.string }
        guard key.isList else { throw Mistake(key: key.name, reason: "must be a single value") }
        guard let sequence = value.sequence else {
            throw Mistake(key: key.name, reason: "must be a list of names")
        }
        var names: [String] = []
        for element in sequence {
            guard let name = element.scalar?.string, element.null == nil, !name.isEmpty,
                !name.contains(where: { $0 == "," || $0 == " " })
            else { throw Mistake(key: key.name, reason: "must be a list of names") }
            names.append(name)
        }
        return names.joined(separator: ", ")
    }

    private static func name(_ key: Node) throws(Mistake) -> String {
        if let scalar = key.scalar { return SettingsKey.shown(scalar.string) }
        throw Mistake(reason: "has a key that is no plain word in line \(key.mark?.line ?? 1)")
    }

    private static func unknown(_ key: String, _ meant: String?) -> Mistake {
        Mistake(key: key, reason: "is no setting" + (meant.map { "; did you mean \($0)?" } ?? ""))
    }

    /// An asterisk right before a character of a name, wherever it stands: to know which of them are in comments
    /// or quotes one would have to be a YAML parser.
    private static func aliases(in bytes: [UInt8]) -> Int {
        zip(bytes, bytes.dropFirst()).count { byte, next in
            guard byte == UInt8(ascii: "*") else { return false }
            switch next {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
                return true
            default: return false
            }
        }
    }

    /// Nil when there is no file. What is longer than acceptable is cut.
    private static func contents(of path: String) throws(Mistake) -> [UInt8]? {
        do {
            // Not blocking, so that a named pipe is refused rather than waited for.
            let file = try FileDescriptor.open(path, .readOnly, options: [.closeOnExec, .nonBlocking])
            return try file.closeAfter {
                guard try file.stat().type != .fifo else {
                    throw Mistake(reason: "can't be read: it is a pipe, not a file")
                }
                var bytes: [UInt8] = []
                let chunk = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 << 10, alignment: 1)
                defer { chunk.deallocate() }
                while bytes.count <= maximumBytes {
                    let count = try file.read(into: chunk)
                    if count == 0 { break }
                    bytes.append(contentsOf: chunk[..<count])
                }
                return bytes
            }
        } catch Errno.noSuchFileOrDirectory {
            return nil
        } catch {
            throw error as? Mistake ?? Mistake(reason: "can't be read: \(error)")
        }
    }
}
