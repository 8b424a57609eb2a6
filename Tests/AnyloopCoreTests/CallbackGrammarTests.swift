import AnyloopTesting
import Testing

@Suite struct CallbackGrammarTests {
    private static func check(_ callbacks: [Callback], _ kind: CallbackGrammar.Kind) -> GrammarViolation? {
        var grammar = CallbackGrammar(kind)
        for callback in callbacks { grammar.note(callback) }
        return grammar.violation
    }

    @Test(
        arguments: [
            [.made, .lost], [.made, .data, .data, .eof, .lost], [.made, .pause, .data, .resume, .lost],
            [.made, .pause, .lost], [.made, .eof, .pause, .resume, .lost], [.made, .data, .lost], [.made],
        ] as [[Callback]])
    func legalStreams(_ callbacks: [Callback]) {
        #expect(Self.check(callbacks, .stream) == nil)
    }

    @Test(
        arguments: [
            ([.data], 0), ([.lost], 0), ([.made, .made], 1), ([.made, .lost, .lost], 2), ([.made, .lost, .data], 2),
            ([.made, .eof, .data], 2), ([.made, .eof, .eof], 2), ([.made, .resume], 1), ([.made, .pause, .pause], 2),
            ([.made, .pause, .resume, .resume], 3), ([.made, .lost, .resume], 2), ([.made, .datagram], 1),
            ([.made, .eof, .made], 2), ([.made, .lost, .eof], 2), ([.made, .lost, .made], 2), ([.pause], 0),
            ([.made, .error], 1),
        ] as [([Callback], Int)])
    func illegalStreams(_ callbacks: [Callback], _ index: Int) {
        #expect(Self.check(callbacks, .stream)?.index == index)
        #expect(Self.check(callbacks, .stream)?.callback == callbacks[index])
    }

    @Test func datagrams() {
        #expect(Self.check([.made, .datagram, .error, .pause, .resume, .datagram, .lost], .datagram) == nil)
        #expect(Self.check([.made, .data], .datagram)?.index == 1)
        #expect(Self.check([.made, .eof], .datagram)?.index == 1)
        #expect(Self.check([.made, .lost, .datagram], .datagram)?.index == 2)
    }

    @Test(arguments: Callback.allCases) func onlyPauseAndErrorMayNest(_ inner: Callback) {
        var grammar = CallbackGrammar(inner == .error ? .datagram : .stream)
        grammar.enter(.made)
        grammar.enter(inner)
        grammar.leave()
        grammar.leave()
        #expect((grammar.violation == nil) == (inner == .pause || inner == .error))
    }

    @Test func theFirstViolationIsKept() {
        var grammar = CallbackGrammar()
        grammar.note(.data)
        grammar.note(.lost)
        #expect(grammar.violation?.callback == .data)
        #expect(grammar.violation?.description == "data as callback 0: it came before made")
    }

    @Test func tracesMergeAdjacentData() {
        var trace = Trace()
        trace.append(.made)
        trace.append(data: [1, 2].span)
        trace.append(data: [3].span)
        trace.append(.pause)
        trace.append(data: [4].span)
        #expect(trace.all == [.made, .data([1, 2, 3]), .pause, .data([4])])
        #expect(trace.bytes == [1, 2, 3, 4])
        #expect(TraceEvent.data(Array("a\"\r\n\u{1}".utf8)).description == #"data "a\"\r\n\x01""#)
    }
}
