import Glibc

/// The program's and its libraries' machine code in memory.
public enum ProgramText {
    /// Unmaps the pages of code that were touched so far, most of which only the start needed. What runs again is
    /// mapped again from the page cache, a few pages at a time. Only code: data may hold what the linker changed.
    public static func release() {
        for range in ranges() { madvise(range.start, range.count, MADV_DONTNEED) }
    }

    /// The executable mappings of files, as proc_pid_maps(5) lists them; none where it can't be read.
    private static func ranges() -> [(start: UnsafeMutableRawPointer, count: Int)] {
        guard let file = fopen("/proc/self/maps", "re") else { return [] }
        defer { fclose(file) }
        var ranges: [(start: UnsafeMutableRawPointer, count: Int)] = []
        var line: UnsafeMutablePointer<CChar>?
        var capacity = 0
        defer { free(line) }
        while getline(&line, &capacity, file) > 0, let line {
            let fields = String(cString: line).split(whereSeparator: { $0 == " " || $0 == "\n" })
            guard fields.count >= 6, fields[1] == "r-xp", fields[5].hasPrefix("/") else { continue }
            let bounds = fields[0].split(separator: "-").compactMap { UInt(String($0), radix: 16) }
            guard bounds.count == 2, bounds[0] < bounds[1],
                let start = UnsafeMutableRawPointer(bitPattern: bounds[0])
            else { continue }
            ranges.append((start, Int(bounds[1] - bounds[0])))
        }
        return ranges
    }
}
