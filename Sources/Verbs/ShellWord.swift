extension String {
    /// The text as one word of a shell's command: as it is where that is safe, and quoted elsewhere.
    var shellWord: String {
        let isPlain = unicodeScalars.allSatisfy { scalar in
            switch scalar {
            case "a"..."z", "A"..."Z", "0"..."9", "/", ".", "-", "_", ":", "=", "+", ",", "@", "%": true
            default: false
            }
        }
        return isPlain && !isEmpty ? self : "'\(replacing("'", with: "'\\''"))'"
    }
}
