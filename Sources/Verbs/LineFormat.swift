import ArgumentParser

/// How a file holds one thing a line.
enum LineFormat: String, ExpressibleByArgument, CaseIterable {
    /// JSON Lines: an object a line (https://jsonlines.org).
    case jsonl
    /// Comma-separated values with a header (RFC 4180).
    case csv

    /// What a file's name says; nil for standard input.
    init?(path: String) {
        guard path != "-" else { return nil }
        self = path.lowercased().hasSuffix(".csv") ? .csv : .jsonl
    }

    /// What the first bytes say: JSON begins with a bracket, and no header that is known here does.
    init(firstBytes: ArraySlice<UInt8>) {
        let first = firstBytes.first { ![0x20, 0x09, 0x0a, 0x0d].contains($0) }
        self = first == nil || first == UInt8(ascii: "{") || first == UInt8(ascii: "[") ? .jsonl : .csv
    }
}
