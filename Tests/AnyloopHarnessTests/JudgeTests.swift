import AnyloopHarness
import Testing

/// The judge passes what is right and catches what was broken on purpose: the matrix can fail.
@Suite struct JudgeTests {
    @Test(arguments: CutPlan.allCases.filter { !$0.needsTLS }, [ExecutorKind.parser, .memory])
    func aRightSubjectPasses(_ plan: CutPlan, _ executor: ExecutorKind) throws {
        let result = CellRunner().run(try Toy.standard(), Toy.subject(), executor, plan)
        #expect(result.verdict == .passed, "\(result.failures)")
        #expect(result.replays > 0)
        #expect(result.key.plan == plan)
    }

    @Test func aByteLostAtABoundaryIsCaught() throws {
        let result = CellRunner().run(try Toy.standard(), Toy.subject(.losesByteAtBoundary), .parser, .twoWay)
        #expect(result.verdict == .failed)
        let first = try #require(result.failures.first)
        #expect(first.kind == .differential)
        #expect(first.cut == "two-way@1")
        #expect(first.summary.contains("event 2"))
        #expect(first.details.contains("body \"abc\""))
        let whole = CellRunner().run(try Toy.standard(), Toy.subject(.losesByteAtBoundary), .parser, .whole)
        #expect(whole.verdict == .passed)
    }

    @Test func anEndReportedTwiceIsCaught() throws {
        let result = CellRunner().run(try Toy.standard(), Toy.subject(.endsTwice), .parser, .whole)
        #expect(result.failures.first?.kind == .expectation)
        let law = CellRunner().run(try Toy.standard(), Toy.subject(.endsTwice), .parser, .mutation)
        #expect(law.failures.first?.kind == .law)
    }

    @Test func dependenceOnTheNumberOfPiecesIsCaught() throws {
        for plan in [CutPlan.everyByte, .recorded] {
            let result = CellRunner().run(try Toy.standard(), Toy.subject(.depends), .parser, plan)
            #expect(result.failures.first?.kind == .differential)
        }
        #expect(CellRunner().run(try Toy.standard(), Toy.subject(.depends), .parser, .twoWay).verdict == .passed)
    }

    @Test func anEndWithinAMessageThatNobodyMentionsIsCaught() throws {
        let result = CellRunner().run(try Toy.standard(), Toy.subject(.silentEnd), .parser, .eof)
        #expect(result.failures.first?.kind == .law)
    }

    @Test func anEventThatTheWholeStreamLacksIsCaught() throws {
        let result = CellRunner().run(try Toy.standard(), Toy.subject(.extraEventOnEOF), .parser, .eof)
        #expect(result.failures.first?.kind == .law)
    }

    @Test func aProtocolThatStaysOpenIsCaught() throws {
        let result = CellRunner().run(try Toy.standard(), Toy.subject(nil, .ignoresEOF), .memory, .whole)
        #expect(result.failures.first?.kind == .deadline)
    }

    @Test func answersThatDependOnPiecesAreCaught() throws {
        let result = CellRunner().run(try Toy.standard(), Toy.subject(nil, .answersByChunk), .memory, .twoWay)
        #expect(result.failures.first?.kind == .differential)
    }

    @Test func answersLostUnderBackpressureAreCaught() throws {
        let result = CellRunner().run(try Toy.standard(), Toy.subject(nil, .writesNothingWhenPaused), .memory, .blocked)
        #expect(result.failures.first?.kind == .differential)
    }

    @Test func aThrowingProtocolIsCaught() throws {
        let result = CellRunner().run(try Toy.standard(), Toy.subject(nil, .throwsInData), .memory, .whole)
        #expect(result.failures.first?.kind == .law)
    }

    @Test func aLossThatTheApplicationNeverHearsOfIsCaught() throws {
        let result = CellRunner().run(try Toy.standard(), Toy.subject(nil, .neverTellsOfLoss), .memory, .reset)
        #expect(result.failures.first?.kind == .law)
    }

    @Test func parserAndProtocolAreCompared() throws {
        let result = CellRunner().run(try Toy.standard(), Toy.subject(.endsTwice), .memory, .whole)
        #expect(result.failures.first?.kind == .differential)
        #expect(result.failures.first?.summary.contains("the parser") == true)
    }

    @Test func whatIsWrittenAndClosedIsJudged() throws {
        let stream = "> \"1a\""
        let written = try Toy.fixture(stream, expect: "wire < \"1b\"")
        #expect(CellRunner().run(written, Toy.subject(), .memory, .whole).failures.first?.kind == .expectation)
        let closed = try Toy.fixture(stream, expect: "close")
        #expect(CellRunner().run(closed, Toy.subject(), .memory, .whole).failures.first?.kind == .expectation)
        let open = try Toy.fixture(stream, expect: "events head 1; body \"a\"; end\nwire < {any} \"a\"\nopen")
        #expect(CellRunner().run(open, Toy.subject(), .memory, .whole).verdict == .passed)
    }

    @Test(arguments: [
        ("head 3; body \"abc\"; end", true), ("head 3; body 3; end", true), ("head 3; end", false),
        ("head 3; body 2; end", false), ("head 3; body \"abd\"; end", false), ("head 3; body \"abc\"", false),
        ("head 3; body \"abc\"; end; end", false), ("head 4; body \"abc\"; end", false),
        ("head 3; field \"a: b\"; body \"abc\"; end", false), ("error x", false),
        ("head 3; body 3 sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad; end", true),
        ("head 3; body 3 sha256:aa7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad; end", false),
        ("error x\nor R#1 MAY\nevents head 3; body \"abc\"; end", true),
    ])
    func expectationsAreHeldAgainstTheTrace(_ events: String, _ holds: Bool) throws {
        let fixture = try Toy.fixture("> \"3abc\"", expect: "events " + events)
        let result = CellRunner().run(fixture, Toy.subject(), .parser, .whole)
        #expect((result.verdict == .passed) == holds, "\(result.failures)")
    }

    @Test(arguments: [("bad-length", true), ("bad-length @4..5", false), ("bad-length @2..3", true), ("worse", false)])
    func errorsAreHeldAgainstTheirOffsets(_ error: String, _ holds: Bool) throws {
        let fixture = try Toy.fixture("> \"1ax\"", expect: "events head 1; body \"a\"; end; error " + error)
        let result = CellRunner().run(fixture, Toy.subject(), .parser, .whole)
        #expect((result.verdict == .passed) == holds, "\(result.failures)")
    }

    @Test func oneCutCanBeRepeatedByItsName() throws {
        let result = CellRunner().run(
            try Toy.standard(), Toy.subject(.losesByteAtBoundary), .parser, .twoWay, only: "two-way@2")
        #expect(result.replays == 1)
        #expect(result.failures.map(\.cut) == ["two-way@2"])
        let none = CellRunner().run(try Toy.standard(), Toy.subject(), .parser, .twoWay, only: "two-way@99")
        #expect(none.verdict == .skipped)
    }

    @Test func failuresBeyondTheLimitAreCountedOnly() throws {
        var limits = CellRunner.Limits()
        limits.failuresKept = 2
        let result = CellRunner(limits: limits)
            .run(try Toy.standard(), Toy.subject(.losesByteAtBoundary), .parser, .twoWay)
        #expect(result.failures.count == 2)
        #expect(result.failed > 2)
    }
}
