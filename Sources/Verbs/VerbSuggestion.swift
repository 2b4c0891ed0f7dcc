import ArgumentParser

/// The verb that the user may have meant; ArgumentParser suggests options only.
struct VerbSuggestion: Equatable {
    /// What to tell the user.
    let text: String

    /// Nil when `arguments` name a known verb, or nothing that is near one.
    init?(for arguments: some Sequence<String>, among root: any ParsableCommand.Type) {
        var command = root
        var path: [String] = []
        for argument in arguments {
            guard !argument.hasPrefix("-"), !command.configuration.subcommands.isEmpty else { return nil }
            if let known = command.configuration.subcommands.first(where: { $0._commandName == argument }) {
                command = known
                path.append(argument)
                continue
            }
            let nearest = command.configuration.subcommands
                .map { (name: $0._commandName, distance: Self.distance($0._commandName, argument)) }
                .min { $0.distance < $1.distance }
            guard let nearest, nearest.distance <= 2, nearest.distance < nearest.name.count else {
                return nil
            }
            text = "Did you mean '\((["acmsctl"] + path + [nearest.name]).joined(separator: " "))'?"
            return
        }
        return nil
    }

    /// How many insertions, removals, replacements and swaps of neighbours lead from one to the other.
    static func distance(_ left: String, _ right: String) -> Int {
        let left = Array(left)
        let right = Array(right)
        var rows = [Array(0...right.count)]
        for (row, character) in left.enumerated() {
            var next = [row + 1]
            for (column, other) in right.enumerated() {
                var best = min(next[column] + 1, rows[row][column + 1] + 1)
                best = min(best, rows[row][column] + (character == other ? 0 : 1))
                if row > 0, column > 0, character == right[column - 1], left[row - 1] == other {
                    best = min(best, rows[row - 1][column - 1] + 1)
                }
                next.append(best)
            }
            rows.append(next)
        }
        return rows[left.count][right.count]
    }
}
