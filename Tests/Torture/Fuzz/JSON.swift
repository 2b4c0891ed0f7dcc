import FoundationEssentials
import NIOCore

@testable import Varlink

extension Target {
    /// Any JSON: the cursor against the general decoder, and what is written of it.
    static let json = Target(name: "json") { input in
        let value = decode(JSONValue.self, Data(input))
        var cursor = JSONCursor(input)
        if let quick = JSONValue(quickly: &cursor, depth: 0), cursor.isAtEnd {
            require(value.map(quick.isSame(as:)) ?? false, "\(quick) or \(String(describing: value))")
        }
        guard let value else { return }
        let written = encode(value)
        let again = require(decode(JSONValue.self, written), "what was written of \(value) can't be read")
        require(value.isSame(as: again), "\(value) becomes \(again)")
        checkWriting(value, isAny: true)
        if case .object = value {
            let reply = try? ReplyFormat().last(value)
            require(reply?.readableBytesView.last == 0, "\(value) is no reply")
            require(reply?.readableBytesView.dropLast().contains(0) == false, "a reply holds a NUL")
        }
    }
}

extension JSONValue {
    /// The names of members that are looked for; a cursor only compares names.
    private static let names: [StaticString] = ["a", "b", "ab", "", "userId", "é"]

    /// Reads what the cursor can read; nil for all else, and for an object with a name twice.
    fileprivate init?(quickly cursor: inout JSONCursor, depth: Int) {
        guard depth < 32 else { return nil }
        var attempt = cursor
        if let string = attempt.readString() {
            cursor = attempt
            self = .string(string)
            return
        }
        attempt = cursor
        if let bool = attempt.readBool() {
            cursor = attempt
            self = .bool(bool)
            return
        }
        attempt = cursor
        var array: [JSONValue] = []
        let isArray = attempt.readArray { cursor in
            guard let element = JSONValue(quickly: &cursor, depth: depth + 1) else { return false }
            array.append(element)
            return true
        }
        if isArray {
            cursor = attempt
            self = .array(array)
            return
        }
        attempt = cursor
        var object: [String: JSONValue] = [:]
        let isObject = attempt.readObject { key, cursor in
            guard let name = Self.names.first(where: { $0 ~= key })?.description, object[name] == nil,
                let value = JSONValue(quickly: &cursor, depth: depth + 1)
            else { return false }
            object[name] = value
            return true
        }
        guard isObject else { return nil }
        cursor = attempt
        self = .object(object)
    }

    /// Whether it is the same to the byte; a large number can lose the fraction that it was read with.
    func isSame(as other: JSONValue) -> Bool {
        switch (self, other) {
        case (.number(let left), .integer(let right)): left == Double(right)
        case (.string(let left), .string(let right)): areSame(left, right)
        case (.array(let left), .array(let right)): left.elementsEqual(right) { $0.isSame(as: $1) }
        case (.object(let left), .object(let right)):
            left.count == right.count
                && left.allSatisfy { name, value in right[name].map(value.isSame(as:)) ?? false }
        default: self == other
        }
    }
}
