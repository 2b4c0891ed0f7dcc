import Support
import Testing

/// The script for bash, sourced by bash.
@Suite struct CompletionTests {
    /// What bash offers when the last word is to be completed.
    private func offers(_ words: String...) async throws -> [Substring] {
        let script = """
            source <('\(Program.path)' --generate-completion-script bash)
            COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMP_LINE="$*"; COMP_POINT=${#COMP_LINE}
            _acmsctl acmsctl "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
            printf '%s\\n' "${COMPREPLY[@]}"
            """
        let outcome = try await Program.run(["/bin/bash", "-c", script, "bash", "acmsctl"] + words)
        #expect(outcome.errors.isEmpty)
        return outcome.outputLines
    }

    @Test func `verbs are completed, also those below a verb`() async throws {
        #expect(try await offers("metr") == ["metrics"])
        #expect(
            Set(try await offers("dlq", "")).isSuperset(of: ["list", "show", "redrive", "edit", "delete"]))
        #expect(try await offers("dlq", "red") == ["redrive"])
    }

    @Test func `fixed values are completed`() async throws {
        #expect(try await offers("list", "--status", "") == ["pending", "approved", "cancelled"])
        #expect(try await offers("dlq", "list", "--class", "") == ["poison", "exhausted", "crash"])
        #expect(try await offers("metrics", "--worker", "a") == ["auto", "always"])
    }

    @Test func `options are completed, and files where one is wanted`() async throws {
        #expect(try await offers("metrics", "--o") == ["--openmetrics", "--output"])
        let directory = try TemporaryDirectory()
        try directory.write("", to: "bookings.jsonl")
        let file = "\(directory.path)/bookings.jsonl"
        #expect(try await offers("import", "\(directory.path)/boo").map(String.init) == [file])
        #expect(try await offers("queue", "--config", "\(directory.path)/boo").map(String.init) == [file])
    }
}
