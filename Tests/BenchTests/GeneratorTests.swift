import Foundation
import Testing

@testable import acms_bench

/// What the benchmark says must be so; that it says nothing when calls are refused is the worst it could do.
struct GeneratorTests {
    private func run(
        _ replies: [String], connections: Int = 1, depth: Int = 1, pieces: Int = .max, pace: Double? = nil
    ) throws -> LoadResult {
        let server = try ScriptedServer(replies: replies, bytesAtOnce: pieces)
        let load = Load(socket: server.path, connections: connections, depth: depth, seconds: 60, pace: pace)
        return try LoadGenerator(load, EncodedCalls(AcmsCalls.single(), count: 20, first: 0), .varlink).run()
    }

    @Test(arguments: [(1, 1), (1, 8), (3, 1), (3, 4)])
    func `Every call is made and every reply is counted`(_ connections: Int, _ depth: Int) throws {
        let result = try run([#"{"parameters":{"id":"1"}}"#], connections: connections, depth: depth)
        #expect(result.bookings == 20)
        #expect(result.latency.count == 20)
    }

    @Test func `Replies that come byte by byte are counted once`() throws {
        #expect(try run([#"{"parameters":{"id":"1"}}"#], depth: 4, pieces: 1).bookings == 20)
    }

    @Test(arguments: [1, 7, 100])
    func `An error is seen however its reply is cut up`(_ pieces: Int) throws {
        #expect(throws: Failure.self) {
            try run(
                [#"{"parameters":{"id":"1"}}"#, #"{"error":"io.acms.Bookings.QueueFull"}"#], pieces: pieces)
        }
    }

    @Test func `A batch with one refused booking fails`() throws {
        #expect(throws: Failure.self) {
            try run([#"{"parameters":{"results":[{"id":"1"},{"error":"io.acms.Bookings.InvalidInput"}]}}"#])
        }
    }

    @Test func `A server that hangs up is a failure`() throws {
        #expect(throws: Failure.self) { try run([]) }
    }

    @Test func `Calls are made at the pace that was asked for`() throws {
        let result = try run([#"{"parameters":{"id":"1"}}"#], connections: 4, pace: 100)
        #expect(result.bookings == 20)
        #expect(result.seconds >= 0.19)
    }
}

struct BookingTemplateTests {
    @Test func `No two bookings have the same user`() throws {
        let template = try BookingTemplate("<user><apartment><start><end>")
        var users: Set<[UInt8]> = []
        var bytes = [UInt8](repeating: 0, count: template.bytes.count)
        for number in (0..<20_000).map({ $0 * 4999 }) {
            bytes.withUnsafeMutableBufferPointer { buffer in
                if let base = buffer.baseAddress { template.write(number, to: base) }
            }
            users.insert(Array(bytes[template.user..<template.apartment]))
        }
        #expect(users.count == 20_000)
    }

    @Test func `Stays are real dates in the right order`() throws {
        let template = try BookingTemplate("<user><apartment><start><end>")
        var bytes = [UInt8](repeating: 0, count: template.bytes.count)
        let format = ISO8601DateFormatter()
        format.formatOptions = .withFullDate
        for number in 0..<1000 {
            bytes.withUnsafeMutableBufferPointer { buffer in
                if let base = buffer.baseAddress { template.write(number, to: base) }
            }
            let start = String(decoding: bytes[template.start..<template.end], as: UTF8.self)
            let end = String(decoding: bytes[template.end...], as: UTF8.self)
            #expect(format.date(from: start) != nil && format.date(from: end) != nil && start < end)
        }
    }
}

struct HistogramTests {
    @Test func `Quantiles are exact to four in a hundred`() {
        var histogram = Histogram()
        for value in 1...100_000 { histogram.add(Int64(value) * 1000) }
        for share in [0.5, 0.9, 0.99, 0.999] {
            let error = Double(histogram.quantile(share)) / (share * 100_000_000) - 1
            #expect(abs(error) < 0.04)
        }
        #expect(histogram.quantile(1) == 100_000_000)
        #expect(histogram.maximum == 100_000_000)
    }
}
