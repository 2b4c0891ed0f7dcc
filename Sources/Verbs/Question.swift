import Glibc

/// Asks whoever is at the terminal.
enum Question {
    /// Whether standard input is a terminal, so that somebody can answer.
    static var canBeAsked: Bool { isatty(STDIN_FILENO) == 1 }

    /// Prints the question on standard error and reads a line; anything but `y` or `yes` means no.
    static func ask(_ text: String) -> Bool {
        StandardError.prompt("\(text) [y/N] ")
        guard let answer = readLine()?.lowercased() else {
            StandardError.write([""])
            return false
        }
        return answer == "y" || answer == "yes"
    }
}
