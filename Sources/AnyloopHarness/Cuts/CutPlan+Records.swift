extension CutPlan {
    /// The cuts of a plan that needs TLS; mostly the pieces, and so the records, are those of the recording.
    ///
    /// Offsets into the ciphertext are those of TLS 1.3, where a record is 22 bytes longer than what is in it.
    func recordCuts(of stream: SideStream, seed: UInt64, limits: CutLimits) -> [Cut] {
        func cut(_ label: Cut.Label, _ records: RecordCut) -> Cut {
            Cut(self, label, boundaries: stream.boundaries, records: records)
        }
        let size = Self.ciphertextCount(of: stream)
        switch self {
        case .recordsJoined:
            let joined = RecordCut(segments: .joined, handshake: .joined)
            var blocked = cut(.named("blocked"), joined)
            blocked.blockedUntil = stream.bytes.count
            return [cut(.only, joined), blocked]
        case .recordsEveryByte: return [cut(.only, RecordCut(segments: .everyByte))]
        case .recordsOlder:
            return [
                cut(
                    .named("full"),
                    RecordCut(segments: .places(RecordCut.Place.allCases), resumes: false, isOlder: true)),
                cut(.named("resumed"), RecordCut(segments: .joined, handshake: .joined, isOlder: true)),
            ]
        case .recordsEdges:
            let all = RecordCut.Place.allCases
            return [cut(.named("all"), RecordCut(segments: .places(all)))]
                + all.map { cut(.named($0.rawValue), RecordCut(segments: .places([$0]))) }
        case .recordsTwoWay:
            return Self.evenChoice(of: 1..<max(1, size), limit: limits.offsetCount)
                .map { cut(.offset($0), RecordCut(segments: .offset($0))) }
        case .recordsRandom: return Self.randomRecords(of: stream, seed: seed, limits: limits)
        case .recordsTruncated, .recordsDamaged: return faults(of: stream, seed: seed, limits: limits)
        case .handshake: return handshakes(of: stream, seed: seed)
        case .handshakeTwoWay:
            return (1..<limits.handshakeOffsets + 1).map { offset in
                cut(.offset(offset), RecordCut(handshake: .offset(offset), resumes: offset % 2 == 0))
            }
        case .whole, .recorded, .everyByte, .twoWay, .coalesced, .random, .eof, .reset, .blocked, .mutation: return []
        }
    }

    /// How many bytes of ciphertext the recorded pieces of `stream` make with TLS 1.3.
    static func ciphertextCount(of stream: SideStream) -> Int {
        // A piece of more than 16 KiB is more than one record.
        let pieces = Cut(.recorded, boundaries: stream.boundaries).pieces(count: stream.bytes.count)
        let records = pieces.reduce(0) { $0 + ($1.count + recordLimit - 1) / recordLimit }
        return stream.bytes.count + records * RecordCut.overhead
    }

    /// The most plaintext in a record (RFC 8446 §5.1).
    private static let recordLimit = 16384

    /// All of `range`, or `limit` of it at even distances, both ends among them.
    private static func evenChoice(of range: Range<Int>, limit: Int) -> [Int] {
        guard range.count > limit, limit > 1 else { return Array(range) }
        return (0..<limit).map { range.lowerBound + $0 * (range.count - 1) / (limit - 1) }
    }

    private static func randomRecords(of stream: SideStream, seed: UInt64, limits: CutLimits) -> [Cut] {
        // The pieces of the random plan are the records; their ciphertext is cut by the same number again.
        random(count: stream.bytes.count, seed: seed, limits: limits).prefix(limits.ciphertextOffsets).enumerated().map
        { number, cut in
            let own = seed &* 0x1_0000_0007 &+ UInt64(number)
            let segments = RecordCut.Segments.drawn(seed: own, pieces: limits.randomPieces)
            return Cut(
                .recordsRandom, cut.label, boundaries: cut.boundaries,
                records: RecordCut(segments: segments, resumes: number % 8 != 0))
        }
    }

    /// Faults at every offset. Messages are spread over several records, so that some of them break off.
    private func faults(of stream: SideStream, seed: UInt64, limits: CutLimits) -> [Cut] {
        var stream = stream
        let drawn = Self.random(count: stream.bytes.count, seed: seed, limits: limits).first?.boundaries ?? []
        stream.boundaries = Set(stream.boundaries + drawn).sorted()
        let size = Self.ciphertextCount(of: stream)
        let isTruncated = self == .recordsTruncated
        return Self.evenChoice(of: 0..<(isTruncated ? size + 1 : size), limit: limits.ciphertextOffsets).map { offset in
            var random = SeededRandom(seed: seed &* 0x1_0000_0005 &+ UInt64(offset))
            let mask = UInt8(1 + random.below(255))
            let fault: RecordCut.Fault = isTruncated ? .truncated(at: offset) : .damaged(at: offset, mask: mask)
            return Cut(self, .offset(offset), boundaries: stream.boundaries, records: RecordCut(fault: fault))
        }
    }

    /// The handshake is the same for every fixture, so each has a few cuts of its own.
    private func handshakes(of stream: SideStream, seed: UInt64) -> [Cut] {
        let own = seed &* 0x1_0000_0009 &+ UInt64(stream.bytes.count)
        let ways: [(String, RecordCut.Segments)] = [
            ("every-byte", .everyByte), ("edges", .places(RecordCut.Place.allCases)), ("joined", .joined),
            ("random", .drawn(seed: own, pieces: 8)),
        ]
        return ways.flatMap { name, segments in
            [false, true].map { resumes in
                Cut(
                    self, .named(resumes ? name + "-resumed" : name), boundaries: stream.boundaries,
                    records: RecordCut(
                        segments: name == "joined" ? .joined : .pieces, handshake: segments, resumes: resumes))
            }
        }
    }
}
