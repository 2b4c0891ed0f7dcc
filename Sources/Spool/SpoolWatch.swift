@preconcurrency import Dispatch
import Glibc
import Synchronization
import SystemPackage

/// Something that happened to an entry of the spool. A hint: a scan finds what it missed.
public enum SpoolEvent: Hashable, Sendable {
    /// An entry came into a place.
    case appeared(SpoolPlace, name: EntryName)
    /// An entry left a place.
    case vanished(SpoolPlace, name: EntryName)
    /// Messages of an entry were settled, and others of it not yet.
    case touched(SpoolPlace)
    /// Events were lost, or a directory is new: look at everything again.
    case overflow
}

/// The rest of a source between two wake-ups. Used on the source's queue only.
private final class Pause: Sendable {
    private let source: any DispatchSourceRead
    private let isResting = Atomic(false)
    private let last = Mutex(ContinuousClock.now)

    /// Whether the last wake-up was less than a few milliseconds ago; this one is the last from now on.
    var isSoonAfterTheLast: Bool {
        let now = ContinuousClock.now
        return last.withLock { last in
            defer { last = now }
            return now - last < .milliseconds(2)
        }
    }

    init(_ source: any DispatchSourceRead) {
        self.source = source
    }

    func begin() {
        source.suspend()
        isResting.store(true, ordering: .relaxed)
    }

    func end() {
        if isResting.exchange(false, ordering: .relaxed) { source.resume() }
    }
}

/// Watches places of a spool with inotify.
public final class SpoolWatch: Sendable {
    private struct State {
        var places: [Int32: SpoolPlace] = [:]
        /// The spool's own directory and the one around it, where a replacement shows.
        var surroundings: Set<Int32> = []
        var identities: [SpoolPlace: FileIdentity] = [:]
        var events: [SpoolEvent] = []
    }

    /// So many events wait at most; more are an overflow.
    private static let maximumWaiting = 65_536

    private let directory: SpoolDirectory
    private let watched: [SpoolPlace]
    private let files: any FileSystem
    private let descriptor: Int32
    private let state = Mutex(State())
    private let prompt = Atomic(true)
    /// Ends a rest, if there is one; nil while nobody asks for wake-ups.
    private let endRest = Mutex<(@Sendable () -> Void)?>(nil)

    /// Watches `places` of `directory`, as far as they exist.
    ///
    /// - Throws: when inotify can't be had.
    public init(
        _ directory: SpoolDirectory, places: [SpoolPlace], files: any FileSystem = LocalFileSystem()
    ) throws(SpoolError) {
        self.directory = directory
        self.watched = places
        self.files = files
        descriptor = inotify_init1(Int32(IN_NONBLOCK) | Int32(IN_CLOEXEC))
        guard descriptor >= 0 else { throw SpoolError("watch", directory.root, .last) }
        renew()
    }

    deinit {
        close(descriptor)
    }

    /// Watches the directories that are new at their paths since the last time: made, mounted or replaced. Each
    /// gives an overflow event.
    public func renew() {
        state.withLock { renew(&$0) }
    }

    private func renew(_ state: inout State) {
        let around = directory.root.lastIndex(of: "/").map { String(directory.root[..<$0]) } ?? "."
        for path in [around.isEmpty ? "/" : around, directory.root] {
            let mask = UInt32(IN_MOVED_TO | IN_CREATE | IN_ONLYDIR)
            let number = inotify_add_watch(descriptor, path, mask)
            if number >= 0 { state.surroundings.insert(number) }
        }
        for place in watched {
            let path = directory.path(of: place)
            let identity = (try? files.status(of: path))?.identity
            guard identity != state.identities[place] else { continue }
            for (number, old) in state.places where old == place {
                inotify_rm_watch(descriptor, number)
                state.places[number] = nil
            }
            state.identities[place] = nil
            state.events.append(.overflow)
            let mask = UInt32(
                IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE | IN_CLOSE_WRITE | IN_DELETE | IN_ATTRIB
                    | IN_ONLYDIR)
            let number = inotify_add_watch(descriptor, path, mask)
            guard number >= 0 else { continue }
            state.places[number] = place
            state.identities[place] = identity
        }
    }

    /// Whether every place is watched.
    public var isWhole: Bool { state.withLock { Set($0.places.values).count == Set(watched).count } }

    /// The events since the last call, in the order they happened. Never blocks.
    public func drain() -> [SpoolEvent] {
        state.withLock { state in
            collect(into: &state)
            defer { state.events = [] }
            return state.events
        }
    }

    /// Takes over what the kernel holds, for `drain`: it doesn't hold much.
    public func collect() {
        state.withLock { collect(into: &$0) }
    }

    /// Whether each event wakes at once, as from the start. Otherwise there is a rest between wake-ups: one of them
    /// costs as much as learning of a hundred entries.
    public var isPrompt: Bool {
        get { prompt.load(ordering: .relaxed) }
        set {
            prompt.store(newValue, ordering: .relaxed)
            if newValue { endRest.withLock { $0 }?() }
        }
    }

    private static let rest = DispatchTimeInterval.milliseconds(5)
    private static let shortRest = DispatchTimeInterval.milliseconds(1)

    /// An element arrives when there are new events; never more than one waits. Nothing runs while there are none.
    public func wakeUps() -> AsyncStream<Void> {
        AsyncStream(bufferingPolicy: .bufferingNewest(1)) { continuation in
            let queue = DispatchQueue(label: "io.acms.spool-watch")
            let source = DispatchSource.makeReadSource(fileDescriptor: descriptor, queue: queue)
            let pause = Pause(source)
            source.setEventHandler { [self] in
                collect()
                continuation.yield()
                // Even who wants to know at once is served as well by one wake-up a millisecond.
                guard !isPrompt || pause.isSoonAfterTheLast else { return }
                pause.begin()
                queue.asyncAfter(deadline: .now() + (isPrompt ? Self.shortRest : Self.rest)) { pause.end() }
            }
            endRest.withLock { $0 = { queue.async { pause.end() } } }
            continuation.onTermination = { [self] _ in
                endRest.withLock { $0 = nil }
                queue.async {
                    // A source that is suspended can't be let go.
                    pause.end()
                    source.cancel()
                }
            }
            source.activate()
        }
    }

    private func collect(into state: inout State) {
        withUnsafeTemporaryAllocation(byteCount: 64 << 10, alignment: 8) { buffer in
            while true {
                let length = read(descriptor, buffer.baseAddress, buffer.count)
                guard length > 0 else { return }
                decode(UnsafeRawBufferPointer(rebasing: buffer[..<length]), into: &state)
                // The kernel leaves out only what has no room, so these were all.
                if length + Self.maximumEventBytes <= buffer.count { return }
            }
        }
    }

    private static let maximumEventBytes = MemoryLayout<inotify_event>.size + Int(NAME_MAX) + 1

    private func decode(_ bytes: UnsafeRawBufferPointer, into state: inout State) {
        let headerSize = MemoryLayout<inotify_event>.size
        var offset = 0
        while offset + headerSize <= bytes.count {
            let header = bytes.loadUnaligned(fromByteOffset: offset, as: inotify_event.self)
            let nameBytes = bytes[(offset + headerSize)..<(offset + headerSize + Int(header.len))]
            offset += headerSize + Int(header.len)
            func has(_ flag: some BinaryInteger) -> Bool {
                header.mask & UInt32(truncatingIfNeeded: flag) != 0
            }
            if has(IN_Q_OVERFLOW) || state.events.count >= Self.maximumWaiting {
                state.events = [.overflow]
                continue
            }
            if state.surroundings.contains(header.wd) {
                if has(IN_IGNORED) { state.surroundings.remove(header.wd) }
                renew(&state)
                continue
            }
            guard let place = state.places[header.wd] else { continue }
            if has(IN_IGNORED) {
                // The directory is gone; `renew` watches its successor.
                state.places[header.wd] = nil
                state.identities[place] = nil
                state.events.append(.overflow)
                continue
            }
            if header.len == 0 {
                // The directory itself, which the worker touches after a batch.
                if has(IN_ATTRIB) { state.events.append(.touched(place)) }
                continue
            }
            guard let name = Self.name(nameBytes), !name.isHidden else { continue }
            if has(IN_MOVED_TO) || has(IN_CREATE) || has(IN_CLOSE_WRITE) {
                state.events.append(.appeared(place, name: name))
            } else if has(IN_MOVED_FROM) || has(IN_DELETE) {
                state.events.append(.vanished(place, name: name))
            }
        }
    }

    /// - Parameter bytes: with NUL bytes behind the name.
    private static func name(_ bytes: Slice<UnsafeRawBufferPointer>) -> EntryName? {
        let bytes = UnsafeRawBufferPointer(rebasing: bytes).bindMemory(to: UInt8.self)
        return EntryName(validating: UnsafeBufferPointer(rebasing: bytes.prefix { $0 != 0 }))
    }
}
