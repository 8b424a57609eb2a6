import AnyloopHarness
import AnyloopSubjects
import Testing

/// What is right passes over TLS at every cut, and what was broken on purpose is caught there, too.
@Suite struct TLSExecutorTests {
    @Test(arguments: CutPlan.allCases)
    func aRightSubjectPassesInMemory(_ plan: CutPlan) throws {
        let result = CellRunner().run(try Toy.standard(), Toy.subject(), .memoryTLS, plan)
        #expect(result.verdict == .passed, "\(result.failures)")
        #expect(result.replays > 0)
    }

    @Test(arguments: CutPlan.allCases, [Mode.native, .compat])
    func aRightSubjectPassesOnSockets(_ plan: CutPlan, _ mode: Mode) throws {
        let loop = try #require(Registry.anyloop.loopProviders.first { $0.mode == mode })
        var limits = CutLimits()
        limits.handshakeOffsets = 64
        limits.ciphertextOffsets = 32
        limits.randomCuts = 8
        limits.mutations = 8
        let result = CellRunner(cutLimits: limits).run(try Toy.standard(), Toy.subject(), .tls, loop: loop, plan)
        #expect(result.verdict == .passed, "\(result.failures)")
        #expect(result.replays > 0)
    }

    @Test func aClientPasses() throws {
        let fixture = try Fixture.parse(
            Array(
                """
                wire 1
                id http1/x
                source recorded by
                tags http1
                title t
                --- stream
                < "HTTP/1.1 200 OK\\r\\nContent-Length: 5\\r\\n\\r\\nhel"
                |
                < "lo"
                --- expect client
                events head 200; body "hello"; end

                """.utf8), file: "x.wire")
        for plan in CutPlan.allCases {
            let result = CellRunner().run(fixture, .http1Client, .memoryTLS, plan)
            #expect(result.verdict != .failed, "\(result.failures)")
        }
    }

    @Test(arguments: [
        (ToyServer.Bug.ignoresEOF, CutPlan.whole, CellFailure.Kind.differential),
        (.answersByChunk, .recordsRandom, .differential),
        (.throwsInData, .whole, .law), (.neverTellsOfLoss, .recordsTruncated, .law),
        (.writesNothingWhenPaused, .blocked, .differential),
    ])
    func whatIsBrokenIsCaught(_ bug: ToyServer.Bug, _ plan: CutPlan, _ kind: CellFailure.Kind) throws {
        let result = CellRunner().run(try Toy.standard(), Toy.subject(nil, bug), .memoryTLS, plan)
        #expect(result.failures.first?.kind == kind, "\(result.failures)")
    }

    @Test(arguments: CutPlan.allCases.filter(\.needsTLS))
    func plansOfCiphertextAreSkippedWithoutTLS(_ plan: CutPlan) throws {
        let result = CellRunner().run(try Toy.standard(), Toy.subject(), .memory, plan)
        #expect(result.verdict == .skipped)
        #expect(result.note == "there is no ciphertext to cut on memory")
    }
}
