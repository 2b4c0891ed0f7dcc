extension String {
    /// The text, or its beginning and `…` where it has more bytes.
    package func cut(toBytes limit: Int) -> String {
        guard utf8.count > limit else { return self }
        // A piece of a character at the end becomes a replacement character.
        return String(decoding: utf8.prefix(limit), as: UTF8.self) + "…"
    }
}
