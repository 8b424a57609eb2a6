import AnyloopWire
import Testing

/// For any input, all ways of cutting it give the same events and the same error at the same place.
@Suite("HTTP/1 parser: the law of cuts")
struct LawTests {
    @Test("every byte, every two-way cut, seeded random cuts", arguments: allCases)
    func cuts(_ wire: WireCase) {
        let count = wire.stream.count
        let whole = wire.transcript.events(of: wire.stream)
        #expect(wire.transcript.events(of: wire.stream, cutAt: Array(0..<count)) == whole)
        for cut in 0..<min(count, 600) {
            let log = wire.transcript.events(of: wire.stream, cutAt: [cut])
            guard log == whole else {
                Issue.record("cut at \(cut): \(log), whole: \(whole)")
                return
            }
        }
        var random = SplitMix(seed: UInt64(count))
        for _ in 0..<20 {
            let cuts = Set((0..<5).map { _ in random.below(count + 1) }).sorted()
            #expect(wire.transcript.events(of: wire.stream, cutAt: cuts) == whole, "cuts at \(cuts)")
        }
    }

    @Test("flipped, dropped, doubled and cut-off bytes obey the law and trap nothing", arguments: allCases)
    func mutations(_ wire: WireCase) {
        guard wire.stream.count < 1000, !wire.stream.isEmpty else { return }
        var transcript = wire.transcript
        var random = SplitMix(seed: 7)
        for round in 0..<120 {
            var stream = wire.stream
            for _ in 0...random.below(3) {
                let place = random.below(stream.count)
                switch random.below(5) {
                case 0: stream[place] ^= 1 << UInt8(random.below(8))
                case 1: stream[place] = Self.spice[random.below(Self.spice.count)]
                case 2: stream.insert(Self.spice[random.below(Self.spice.count)], at: place)
                case 3: if stream.count > 1 { stream.remove(at: place) }
                default: stream.removeSubrange(min(place + 1, stream.count)...)
                }
            }
            transcript.ends = round & 1 == 0
            let whole = transcript.events(of: stream)
            let bytes = transcript.events(of: stream, cutAt: Array(0..<stream.count))
            let halves = transcript.events(of: stream, cutAt: [random.below(stream.count)])
            guard bytes == whole, halves == whole else {
                Issue.record(
                    "\(String(decoding: stream, as: UTF8.self).debugDescription): \(whole), \(bytes), \(halves)")
                return
            }
        }
    }

    /// Bytes that grammars turn on.
    private static let spice = Array("\r\n\t\u{0} :;,=\"\\0129aF/%?#[]@\u{7F}".utf8) + [0x80, 0xFF]
}

/// A small generator whose numbers follow from its seed alone.
struct SplitMix {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    /// A number from 0 to `bound`, not included; 0 for a bound of 0.
    mutating func below(_ bound: Int) -> Int {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
        return bound > 0 ? Int((value ^ value >> 31) % UInt64(bound)) : 0
    }
}
