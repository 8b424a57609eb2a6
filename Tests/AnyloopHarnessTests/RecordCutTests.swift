@testable import AnyloopHarness
import Testing

/// Segments of ciphertext: where they end, and that none of them loses or moves a byte.
@Suite struct RecordCutTests {
    /// A record with a body of `count` bytes.
    static func record(_ count: Int) -> [UInt8] {
        [0x17, 3, 3, UInt8(count >> 8), UInt8(count & 255)] + (0..<count).map { UInt8(truncatingIfNeeded: $0) }
    }

    static let records = [record(20), record(40), record(17)]

    private func segments(_ kind: RecordCut.Segments, fault: RecordCut.Fault? = nil) -> [[UInt8]] {
        var cutter = RecordCutter(kind, fault: fault)
        return Self.records.flatMap { cutter.add($0) } + cutter.flush()
    }

    @Test(arguments: [
        RecordCut.Segments.pieces, .joined, .everyByte, .places(RecordCut.Place.allCases), .places([.tag]), .offset(1),
        .offset(30), .offset(1000), .drawn(seed: 1, pieces: 8), .drawn(seed: 2, pieces: 1),
    ])
    func everyCutSendsTheCiphertext(_ kind: RecordCut.Segments) {
        let segments = segments(kind)
        #expect(segments.flatMap { $0 } == Self.records.flatMap { $0 })
        #expect(segments.allSatisfy { !$0.isEmpty })
    }

    @Test func segmentsEndWhereTheyShould() {
        let total = Self.records.reduce(0) { $0 + $1.count }
        #expect(segments(.pieces).map(\.count) == [25, 45, 22])
        #expect(segments(.joined).map(\.count) == [total])
        #expect(segments(.everyByte).count == total)
        #expect(segments(.places([.header])).map(\.count) == [5, 20, 5, 40, 5, 17])
        #expect(segments(.places([.type, .length])).map(\.count).prefix(3) == [1, 3, 21])
        #expect(segments(.places([.tag])).map(\.count) == [9, 16, 29, 16, 6, 16])
        #expect(segments(.places([.last])).map(\.count) == [24, 1, 44, 1, 21, 1])
        #expect(segments(.offset(30)).map(\.count) == [30, total - 30])
        #expect(segments(.drawn(seed: 3, pieces: 8)) == segments(.drawn(seed: 3, pieces: 8)))
        #expect(segments(.drawn(seed: 3, pieces: 8)) != segments(.drawn(seed: 4, pieces: 8)))
    }

    @Test(arguments: [0, 1, 24, 25, 26, 91])
    func truncatedCiphertextEndsThere(_ end: Int) {
        let whole = Self.records.flatMap { $0 }
        #expect(segments(.pieces, fault: .truncated(at: end)).flatMap { $0 } == Array(whole.prefix(end)))
    }

    @Test func nothingComesAfterATruncation() {
        var cutter = RecordCutter(.pieces, fault: .truncated(at: 30))
        #expect(cutter.add(Self.records[0]).map(\.count) == [25])
        #expect(!cutter.isOver)
        #expect(cutter.add(Self.records[1]).map(\.count) == [5])
        #expect(cutter.isOver)
        #expect(cutter.add(Self.records[2]).isEmpty)
    }

    @Test(arguments: [0, 24, 25, 91])
    func oneByteIsDamaged(_ place: Int) {
        let bytes = Self.records.flatMap { $0 }
        let damaged = segments(.pieces, fault: .damaged(at: place, mask: 0x41)).flatMap { $0 }
        #expect(damaged.count == bytes.count)
        #expect(damaged.indices.filter { damaged[$0] != bytes[$0] } == [place])
        #expect(damaged[place] == bytes[place] ^ 0x41)
    }

    @Test func recordsAreFoundByTheirHeaders() {
        let bytes = Self.records.flatMap { $0 }
        #expect(RecordCutter.records(in: bytes) == [0..<25, 25..<70, 70..<92])
        #expect(RecordCutter.records(in: Array(bytes.prefix(28))) == [0..<25, 25..<28])
        #expect(RecordCutter.records(in: Array(bytes.prefix(60))) == [0..<25, 25..<60])
        #expect(RecordCutter.records(in: []).isEmpty)
    }

    @Test func plansGoThroughTheCiphertext() throws {
        let stream = SideStream(bytes: Array("abcdefgh".utf8), boundaries: [2, 5])
        // Three records of 22 bytes beside their contents.
        #expect(CutPlan.ciphertextCount(of: stream) == 8 + 3 * 22)
        let twoWay = CutPlan.recordsTwoWay.cuts(of: stream)
        #expect(twoWay.map(\.records?.segments) == (1..<74).map { .offset($0) })
        #expect(twoWay.allSatisfy { $0.boundaries == [2, 5] })
        let truncated = CutPlan.recordsTruncated.cuts(of: stream)
        var finer = stream
        finer.boundaries = try #require(truncated.first?.boundaries)
        #expect(Set([2, 5]).isSubset(of: finer.boundaries))
        let size = CutPlan.ciphertextCount(of: finer)
        #expect(truncated.map(\.records?.fault) == (0...size).map { .truncated(at: $0) })
        #expect(CutPlan.recordsDamaged.cuts(of: stream).count == size)
        var limits = CutLimits()
        limits.ciphertextOffsets = 5
        limits.handshakeOffsets = 3
        #expect(CutPlan.recordsTruncated.cuts(of: stream, limits: limits).map(\.name).last == "tls-truncated@\(size)")
        #expect(CutPlan.recordsTruncated.cuts(of: stream, limits: limits).count == 5)
        #expect(CutPlan.handshakeTwoWay.cuts(of: stream, limits: limits).count == 3)
    }

    @Test func longPiecesAreSeveralRecords() {
        let stream = SideStream(bytes: [UInt8](repeating: 0, count: 40_000))
        #expect(CutPlan.ciphertextCount(of: stream) == 40_000 + 3 * 22)
    }

    @Test(arguments: CutPlan.allCases, ExecutorKind.allCases)
    func ciphertextIsCutWhereThereIsSome(_ plan: CutPlan, _ executor: ExecutorKind) {
        #expect(executor.takes(plan) == (executor.isOverTLS || !plan.needsTLS))
        let stream = SideStream(bytes: Array("abcdefgh".utf8), boundaries: [2, 5])
        #expect(plan.cuts(of: stream).allSatisfy { ($0.records != nil) == plan.needsTLS })
    }
}
