import AnyloopHarness
import Testing

/// The cuts of each plan, exactly; and that no cut loses or moves a byte.
@Suite struct CutPlanTests {
    static let stream = SideStream(bytes: Array("abcdefgh".utf8), boundaries: [2, 5, 6])

    @Test func wholeRecordedAndEveryByte() {
        #expect(CutPlan.whole.cuts(of: Self.stream).map(\.boundaries) == [[]])
        #expect(CutPlan.recorded.cuts(of: Self.stream).map(\.boundaries) == [[2, 5, 6]])
        #expect(CutPlan.everyByte.cuts(of: Self.stream).map(\.boundaries) == [[1, 2, 3, 4, 5, 6, 7]])
    }

    @Test func twoWayCutsAtEveryOffset() {
        let cuts = CutPlan.twoWay.cuts(of: Self.stream)
        #expect(cuts.map(\.boundaries) == (1...7).map { [$0] })
        #expect(cuts[2].name == "two-way@3")
    }

    @Test func endsAtEveryOffset() {
        #expect(CutPlan.eof.cuts(of: Self.stream).map(\.ending) == (0...8).map { .eof(at: $0) })
        #expect(CutPlan.reset.cuts(of: Self.stream).map(\.ending) == (0...8).map { .reset(at: $0) })
        let blocked = CutPlan.blocked.cuts(of: Self.stream)
        #expect(blocked.map(\.blockedUntil) == (0...8).map { $0 })
        #expect(blocked[0].boundaries == [2, 5, 6])
        #expect(blocked[3].boundaries == [2, 3, 5, 6])
        #expect(blocked[5].boundaries == [2, 5, 6])
        #expect(blocked[8].boundaries == [2, 5, 6])
    }

    @Test func coalescedJoinsNeighbours() {
        let cuts = CutPlan.coalesced.cuts(of: Self.stream)
        #expect(cuts.map(\.boundaries) == [[2, 6], [5], [2], [6], [5, 6], [2, 5]])
        #expect(CutPlan.coalesced.cuts(of: SideStream(bytes: [1, 2])).isEmpty)
    }

    @Test(arguments: CutPlan.allCases) func everyCutDeliversTheStream(_ plan: CutPlan) {
        var limits = CutLimits()
        limits.exhaustiveBytes = 64
        limits.sampledOffsets = 16
        for length in [0, 1, 2, 63, 64, 65, 300] {
            let bytes = (0..<length).map { UInt8(truncatingIfNeeded: $0) }
            let boundaries = [1, 7, 150].filter { $0 < length }
            let stream = SideStream(bytes: bytes, boundaries: boundaries)
            for cut in plan.cuts(of: stream, seed: 7, limits: limits) {
                let delivered = cut.delivered(stream)
                let pieces = cut.pieces(count: delivered.count)
                #expect(pieces.flatMap { delivered[$0] } == delivered)
                #expect(pieces.allSatisfy { !$0.isEmpty })
                if plan.keepsStream { #expect(delivered == bytes) }
                switch cut.ending {
                case .recorded: break
                case .eof(let offset), .reset(let offset): #expect(delivered == Array(bytes.prefix(offset)))
                }
            }
        }
    }

    @Test(arguments: CutPlan.allCases) func theSameSeedGivesTheSameCuts(_ plan: CutPlan) {
        #expect(plan.cuts(of: Self.stream, seed: 3) == plan.cuts(of: Self.stream, seed: 3))
        let names = plan.cuts(of: Self.stream, seed: 3).map(\.name)
        #expect(Set(names).count == names.count)
    }

    @Test func anotherSeedGivesOtherCuts() {
        #expect(CutPlan.random.cuts(of: Self.stream, seed: 3) != CutPlan.random.cuts(of: Self.stream, seed: 4))
        #expect(CutPlan.mutation.cuts(of: Self.stream, seed: 3) != CutPlan.mutation.cuts(of: Self.stream, seed: 4))
    }

    @Test func longStreamsAreSampled() {
        let limits = CutLimits.standard
        let exhaustive = SideStream(bytes: [UInt8](repeating: 0, count: limits.exhaustiveBytes))
        #expect(CutPlan.offsets(in: exhaustive, limits: limits, seed: 1).count == limits.exhaustiveBytes + 1)
        let count = 1_000_000
        let long = SideStream(bytes: [UInt8](repeating: 0, count: count), boundaries: [500_000])
        let offsets = CutPlan.offsets(in: long, limits: limits, seed: 1)
        #expect(offsets.count <= limits.offsetCount)
        #expect(offsets == offsets.sorted())
        #expect(Set(0...1024).isSubset(of: offsets))
        #expect(Set(499_996...501_024).isSubset(of: offsets))
        #expect(Set((count - 4)...count).isSubset(of: offsets))
    }

    @Test func offsetCountIsTheGreatestNumber() {
        var limits = CutLimits()
        limits.exhaustiveBytes = 10
        limits.offsetCount = 5
        let stream = SideStream(bytes: [UInt8](repeating: 0, count: 2000))
        let offsets = CutPlan.offsets(in: stream, limits: limits, seed: 1)
        #expect(offsets.count == 5)
        #expect(offsets.first == 0)
        #expect(offsets.last == 2000)
    }
}
