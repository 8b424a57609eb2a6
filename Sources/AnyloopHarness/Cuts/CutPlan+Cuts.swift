extension CutPlan {
    /// The cuts of this plan for `stream`, in order; the same for the same seed.
    ///
    /// Streams longer than `limits.exhaustiveBytes` are cut at chosen offsets, see `offsets(in:limits:seed:)`.
    public func cuts(of stream: SideStream, seed: UInt64 = 1, limits: CutLimits = .standard) -> [Cut] {
        let count = stream.bytes.count
        switch self {
        case .whole: return [.whole]
        case .recorded: return [Cut(self, boundaries: stream.boundaries)]
        case .everyByte: return [Cut(self, boundaries: Self.everyByte(of: stream, limits: limits))]
        case .twoWay:
            return Self.offsets(in: stream, limits: limits, seed: seed).filter { $0 > 0 && $0 < count }
                .map { Cut(self, .offset($0), boundaries: [$0]) }
        case .coalesced: return Self.coalesced(stream.boundaries)
        case .random: return Self.random(count: count, seed: seed, limits: limits)
        case .eof:
            return Self.offsets(in: stream, limits: limits, seed: seed)
                .map { Cut(self, .offset($0), ending: .eof(at: $0)) }
        case .reset:
            return Self.offsets(in: stream, limits: limits, seed: seed)
                .map { Cut(self, .offset($0), ending: .reset(at: $0)) }
        case .blocked:
            return Self.offsets(in: stream, limits: limits, seed: seed).map { offset in
                let extra = offset > 0 && offset < count ? [offset] : []
                let boundaries = Set(stream.boundaries + extra).sorted()
                return Cut(self, .offset(offset), boundaries: boundaries, blockedUntil: offset)
            }
        case .mutation: return Self.mutations(of: stream, seed: seed, limits: limits)
        case .recordsJoined, .recordsEveryByte, .recordsEdges, .recordsTwoWay, .recordsRandom, .recordsTruncated,
            .recordsDamaged, .recordsOlder, .handshake, .handshakeTwoWay:
            return recordCuts(of: stream, seed: seed, limits: limits)
        }
    }

    /// The offsets at which a stream is cut, ended or blocked: 0 and the stream's length included.
    ///
    /// All of them up to `exhaustiveBytes`. In a longer stream: those in the first `headBytes` of each segment,
    /// those within `aroundBoundary` of a segment's end, and `sampledOffsets` drawn from the seed; and of what
    /// is more than `offsetCount`, an even choice.
    public static func offsets(in stream: SideStream, limits: CutLimits, seed: UInt64) -> [Int] {
        let count = stream.bytes.count
        guard count > limits.exhaustiveBytes else { return Array(0...count) }
        var chosen = Set([0, count])
        for start in [0] + stream.boundaries {
            chosen.formUnion(max(0, start - limits.aroundBoundary)...min(count, start + limits.aroundBoundary))
        }
        chosen.formUnion((count - limits.aroundBoundary)...count)
        let segments = stream.boundaries.count + 1
        let head = min(limits.headBytes, max(limits.aroundBoundary, limits.exhaustiveBytes / segments))
        for start in [0] + stream.boundaries { chosen.formUnion(start...min(count, start + head)) }
        var random = SeededRandom(seed: seed)
        for _ in 0..<limits.sampledOffsets { chosen.insert(random.below(count)) }
        let sorted = chosen.sorted()
        guard sorted.count > limits.offsetCount else { return sorted }
        return (0..<limits.offsetCount).map { sorted[$0 * (sorted.count - 1) / (limits.offsetCount - 1)] }
    }

    private static func everyByte(of stream: SideStream, limits: CutLimits) -> [Int] {
        let count = stream.bytes.count
        guard count > 1 else { return [] }
        guard count > limits.everyByteBytes else { return Array(1..<count) }
        // A long stream byte by byte up to the limit, then in pieces that keep the number of calls bounded.
        let step = max(1, (count - limits.everyByteBytes) / limits.everyByteBytes + 1)
        return Array(1..<limits.everyByteBytes) + Array(stride(from: limits.everyByteBytes, to: count, by: step))
    }

    private static func coalesced(_ boundaries: [Int]) -> [Cut] {
        var cuts: [Cut] = []
        var seen = Set([boundaries])
        func add(_ name: String, _ kept: [Int]) {
            if seen.insert(kept).inserted { cuts.append(Cut(.coalesced, .named(name), boundaries: kept)) }
        }
        for width in 2...3 {
            for phase in 0..<width {
                add("\(width)+\(phase)", boundaries.indices.filter { $0 % width == phase }.map { boundaries[$0] })
            }
        }
        for index in boundaries.indices { add("-\(index)", boundaries.filter { $0 != boundaries[index] }) }
        return cuts
    }

    static func random(count: Int, seed: UInt64, limits: CutLimits) -> [Cut] {
        guard count > 1 else { return [] }
        return (0..<limits.randomCuts).map { number in
            // Each cut has its own sequence, so that one can be repeated without the ones before it.
            var random = SeededRandom(seed: seed &* 0x1_0000_0001 &+ UInt64(number))
            let pieces = 2 + random.below(max(1, limits.randomPieces - 1))
            let offsets = Set((1..<pieces).map { _ in 1 + random.below(count - 1) })
            return Cut(.random, .drawn(seed: seed, number: number), boundaries: offsets.sorted())
        }
    }

    private static func mutations(of stream: SideStream, seed: UInt64, limits: CutLimits) -> [Cut] {
        let count = stream.bytes.count
        guard count > 0 else { return [] }
        return (0..<limits.mutations).map { number in
            var random = SeededRandom(seed: seed &* 0x1_0000_0003 &+ UInt64(number))
            let offset = random.below(count)
            let mutation: Cut.Mutation =
                switch random.below(8) {
                case 0: .truncate(length: offset)
                case 1: .drop(offset: offset)
                case 2: .double(offset: offset)
                case 3, 4: .flip(offset: offset, mask: 1 << UInt8(random.below(8)))
                default: .flip(offset: offset, mask: UInt8(1 + random.below(255)))
                }
            let boundary = random.below(count)
            let boundaries = boundary > 0 && boundary < count - 1 ? [boundary] : []
            return Cut(.mutation, .drawn(seed: seed, number: number), boundaries: boundaries, mutation: mutation)
        }
    }
}

extension Cut {
    /// The bytes that are delivered: the stream's, after the mutation and up to where the cut ends it.
    public func delivered(_ stream: SideStream) -> [UInt8] {
        var bytes = stream.bytes
        switch mutation {
        case nil: break
        case .flip(let offset, let mask): if bytes.indices.contains(offset) { bytes[offset] ^= mask }
        case .drop(let offset): if bytes.indices.contains(offset) { bytes.remove(at: offset) }
        case .double(let offset): if bytes.indices.contains(offset) { bytes.insert(bytes[offset], at: offset) }
        case .truncate(let length): bytes.removeLast(max(0, bytes.count - length))
        }
        switch ending {
        case .recorded: break
        case .eof(let length), .reset(let length): bytes.removeLast(max(0, bytes.count - length))
        }
        return bytes
    }

    /// The pieces as ranges of the delivered bytes; together they are all of them, none is empty.
    public func pieces(count: Int) -> [Range<Int>] {
        var pieces: [Range<Int>] = []
        var start = 0
        for boundary in boundaries where boundary > start && boundary < count {
            pieces.append(start..<boundary)
            start = boundary
        }
        if start < count { pieces.append(start..<count) }
        return pieces
    }
}
