import NIOCore
import Testing

@testable import Varlink

@Suite("Cutting bytes into frames") struct FrameSplitterTests {
    private func frames(of splitter: inout FrameSplitter) -> [String] {
        var frames: [String] = []
        while let frame = splitter.next() {
            switch frame {
            case .message(let bytes): frames.append(String(buffer: bytes))
            case .tooLong: frames.append("<too long>")
            }
        }
        return frames
    }

    @Test("Input that comes one byte at a time is cut at each NUL")
    func oneByteAtATime() {
        var splitter = FrameSplitter(limit: 100)
        var found: [String] = []
        for byte in Array("one\0two\0\0three".utf8) {
            splitter.append(ByteBuffer(bytes: [byte]))
            found += frames(of: &splitter)
        }
        #expect(found == ["one", "two", ""])
        splitter.append(ByteBuffer(bytes: [0]))
        #expect(frames(of: &splitter) == ["three"])
    }

    @Test("Several frames in one read come out in their order, at every way to cut the input in two")
    func everySplit() {
        let input = Array("first\0second\0third\0".utf8)
        for cut in 0...input.count {
            var splitter = FrameSplitter(limit: 6)
            splitter.append(ByteBuffer(bytes: input[..<cut]))
            var found = frames(of: &splitter)
            splitter.append(ByteBuffer(bytes: input[cut...]))
            found += frames(of: &splitter)
            #expect(found == ["first", "second", "third"], "cut at \(cut)")
        }
    }

    @Test("A frame of exactly the limit is accepted, with the NUL in the same read or a later one")
    func exactlyTheLimit() {
        var splitter = FrameSplitter(limit: 4)
        splitter.append(ByteBuffer(string: "abcd\0"))
        #expect(frames(of: &splitter) == ["abcd"])
        splitter.append(ByteBuffer(string: "efgh"))
        #expect(frames(of: &splitter).isEmpty)
        splitter.append(ByteBuffer(bytes: [0]))
        #expect(frames(of: &splitter) == ["efgh"])
    }

    @Test(
        "A frame over the limit is refused once, complete or not, and nothing comes after it",
        arguments: ["abcde", "abcde\0", "ok\0abcde", "ok\0abcdefghijk\0ok\0"])
    func overTheLimit(input: String) {
        var splitter = FrameSplitter(limit: 4)
        splitter.append(ByteBuffer(string: input))
        #expect(frames(of: &splitter).filter { $0 != "ok" } == ["<too long>"])
        splitter.append(ByteBuffer(string: "\0next\0"))
        #expect(frames(of: &splitter).isEmpty)
    }

    @Test("A long frame that trickles in isn't scanned again from its beginning")
    func linear() {
        // Scanned anew for each byte, these would be 5 * 10^11 bytes: minutes. The suite's limit would tell.
        var splitter = FrameSplitter(limit: 1_048_576)
        let byte = ByteBuffer(bytes: [120])
        var frames = 0
        for _ in 0..<1_048_576 {
            splitter.append(byte)
            if splitter.next() != nil { frames += 1 }
        }
        #expect(frames == 0)
        splitter.append(ByteBuffer(bytes: [0]))
        guard case .message(let bytes) = splitter.next() else {
            return #expect(Bool(false), "no frame")
        }
        #expect(bytes.readableBytes == 1_048_576)
    }
}
