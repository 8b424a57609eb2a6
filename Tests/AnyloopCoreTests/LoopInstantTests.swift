import AnyloopCore
import Testing

@Suite struct LoopInstantTests {
    @Test func sumsAndDifferences() {
        let start = LoopInstant(nanoseconds: 5)
        #expect(start + .nanoseconds(7) == LoopInstant(nanoseconds: 12))
        #expect(start + .seconds(-1) == LoopInstant(nanoseconds: 5 - 1_000_000_000))
        #expect((start + .seconds(2)) - start == .seconds(2))
        #expect(start - (start + .seconds(2)) == .seconds(-2))
        #expect(start < start + .nanoseconds(1))
    }

    @Test(
        arguments: [
            (Int64.max, Duration.nanoseconds(1), Int64.max), (Int64.max - 1, .nanoseconds(1), Int64.max),
            (Int64.max, .seconds(Int64.max), Int64.max), (Int64.min, .nanoseconds(-1), Int64.min),
            (Int64.min, .seconds(Int64.min), Int64.min), (0, .seconds(Int64.max), Int64.max),
            (0, .seconds(Int64.min), Int64.min), (Int64.min, .seconds(Int64.max), -1),
        ] as [(Int64, Duration, Int64)])
    func additionSaturates(_ start: Int64, _ duration: Duration, _ sum: Int64) {
        #expect((LoopInstant(nanoseconds: start) + duration).nanoseconds == sum)
    }

    @Test func subtractionSaturates() {
        let first = LoopInstant(nanoseconds: .min)
        let last = LoopInstant(nanoseconds: .max)
        #expect(last - first == .nanoseconds(Int64.max))
        #expect(first - last == .nanoseconds(Int64.min))
    }

    @Test(
        arguments: [
            (Duration.nanoseconds(1), 1), (.zero, 0), (.milliseconds(-3), -3_000_000),
            (.nanoseconds(Int64.max), Int64.max), (.nanoseconds(Int64.max) + .nanoseconds(1), Int64.max),
            (.nanoseconds(Int64.min), Int64.min), (.nanoseconds(Int64.min) - .nanoseconds(1), Int64.min),
            (Duration(secondsComponent: 0, attosecondsComponent: 999_999_999), 0),
        ] as [(Duration, Int64)])
    func nanosecondsOfADuration(_ duration: Duration, _ nanoseconds: Int64) {
        #expect(duration.saturatingNanoseconds == nanoseconds)
    }
}

@Suite struct WriteBufferLimitsTests {
    @Test(
        arguments: [
            (nil, nil, 65536, 16384), (100, nil, 100, 25), (nil, 100, 400, 100), (0, nil, 0, 0), (nil, 0, 0, 0),
            (7, 7, 7, 7), (7, 0, 7, 0), (3, nil, 3, 0), (nil, Int.max, Int.max, Int.max),
            (Int.max, nil, Int.max, Int.max / 4),
        ] as [(Int?, Int?, Int, Int)])
    func derivedMarks(_ high: Int?, _ low: Int?, _ expectedHigh: Int, _ expectedLow: Int) throws {
        let limits = try WriteBufferLimits(high: high, low: low)
        #expect(limits.high == expectedHigh)
        #expect(limits.low == expectedLow)
    }

    @Test(arguments: [(1, 2), (0, 1), (-1, nil), (nil, -1), (5, -1), (-1, -2)] as [(Int?, Int?)])
    func marksThatContradict(_ high: Int?, _ low: Int?) {
        let error = #expect(throws: TransportError.self) { try WriteBufferLimits(high: high, low: low) }
        #expect(error?.description.contains("must be >= low") == true)
    }

    @Test func standard() throws {
        #expect(try WriteBufferLimits() == .standard)
        #expect(WriteBufferLimits.standard.high == 65536)
        #expect(WriteBufferLimits.standard.low == 16384)
    }
}

@Suite struct TransportErrorTests {
    @Test func sentences() {
        let refused = TransportError.system(
            SystemError(errno: 111, operation: "connect", text: "Connection refused"))
        #expect(refused.description == "connect: Connection refused (errno 111)")
        #expect(refused.errno == 111)
        #expect(
            TransportError.several([refused, .cancelled]).description
                == "Multiple exceptions: connect: Connection refused (errno 111), cancelled")
        #expect(TransportError.loopClosed.description == "Event loop is closed")
        #expect(
            TransportError.resolution(host: "a", code: -2, text: "unknown").description
                == "cannot resolve 'a': unknown")
        #expect(TransportError.cancelled.errno == nil)
    }
}
