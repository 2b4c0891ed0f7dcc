import ArgumentParser
import Bookings

/// Which dead letters a verb changes: those named, or all that match. Nothing is done to all by leaving something
/// out.
struct DeadLetterChoice: ParsableArguments {
    @Argument(help: .init("The letters' ids.", valueName: "id")) var ids: [String] = []
    @OptionGroup var selection: DeadLetterSelection
    @Flag(help: "All dead letters.") var all = false

    func validate() throws {
        let isNarrowed = !ids.isEmpty || selection.filter != nil
        guard isNarrowed || all else {
            throw ValidationError(
                "Name letters by their ids, describe them (--class, --reason, --user, --apartment, --before), "
                    + "or give --all.")
        }
        guard !(isNarrowed && all) else {
            throw ValidationError("--all goes with neither ids nor a description.")
        }
    }

    /// Nil unless ids are given.
    var namedIDs: [String]? { ids.isEmpty ? nil : ids }
    /// Nil when only ids are given.
    var filter: DeadLetterFilter? { all ? DeadLetterFilter() : selection.filter }
}
