import NIOCore

/// The same numbers for the same seed on every machine (SplitMix64, Steele, Lea and Flood 2014).
struct ProgramRandom: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    /// Whether one of so many chances came true.
    mutating func chance(_ one: UInt, in all: UInt) -> Bool { UInt.random(in: 0..<all, using: &self) < one }

    mutating func pick<Value>(_ values: [Value], or other: Value) -> Value {
        values.randomElement(using: &self) ?? other
    }
}

extension NIOProgram {
    /// The program of a seed.
    public init(seed: UInt64) {
        var generator = ProgramGenerator(seed: seed)
        self = generator.program(seed)
    }
}

/// Makes programs out of numbers.
struct ProgramGenerator {
    private var random: ProgramRandom
    /// Whether this program's writes may be more than the sockets take.
    private var mayBlock = false

    init(seed: UInt64) { random = ProgramRandom(seed: seed) }

    mutating func program(_ seed: UInt64) -> NIOProgram {
        mayBlock = random.chance(1, in: 8)
        let connection = random.pick(NIOProgram.Connection.allCases, or: .adopted)
        var setUp: [NIOProgram.Action] = []
        if random.chance(1, in: 2) { setUp.append(.halfClosure(true)) }
        if random.chance(1, in: 4) { setUp.append(.autoRead(false)) }
        while random.chance(1, in: 5) { setUp.append(option()) }
        var reactions: [NIOProgram.Reaction] = []
        while reactions.count < 6, random.chance(3, in: 5) {
            reactions.append(
                NIOProgram.Reaction(
                    at: random.pick(NIOProgram.Trigger.allCases, or: .read), action(),
                    times: random.chance(1, in: 4) ? 2 : 1))
        }
        var steps: [NIOProgram.Step] = []
        for _ in 0..<Int.random(in: 3...25, using: &random) {
            steps.append(random.chance(3, in: 10) ? .settle : .act(action()))
        }
        return NIOProgram(seed: seed, connection, setUp, reactions, steps)
    }

    private mutating func size() -> Int {
        if mayBlock, random.chance(1, in: 3) { return NIOProgram.big }
        return random.pick([0, 1, 10, 100, 1000], or: 1)
    }

    private mutating func action() -> NIOProgram.Action {
        switch Int.random(in: 0..<32, using: &random) {
        case 0..<3: return .write(size(), promise: random.chance(1, in: 2))
        case 3..<7: return .writeAndFlush(size(), promise: random.chance(1, in: 2))
        case 7..<9: return .flush
        case 9: return .close(.all)
        case 10..<12: return .close(.output)
        case 12: return .close(.input)
        case 13..<15: return .read
        case 15..<18: return option()
        case 18: return .inboundEvent
        case 19: return random.chance(1, in: 2) ? .outboundEvent : .error
        case 20: return .addHandler(first: random.chance(1, in: 2))
        case 21: return .removeHandler
        case 22..<24: return .look
        default: return far()
        }
    }

    private mutating func far() -> NIOProgram.Action {
        switch Int.random(in: 0..<16, using: &random) {
        case 0..<8: .farSend(random.pick([1, 10, 100, 3000], or: 1))
        case 8..<11: .farFinish
        case 11: .farClose
        case 12: .farReset
        case 13: mayBlock ? .farPause : .farSend(2)
        case 14: mayBlock ? .farPause : .farFinish
        default: mayBlock ? .farResume : .farSend(20)
        }
    }

    private mutating func option() -> NIOProgram.Action {
        switch Int.random(in: 0..<8, using: &random) {
        case 0..<3: return .autoRead(random.chance(1, in: 2))
        case 3: return .halfClosure(random.chance(2, in: 3))
        case 4: return .messagesPerRead(random.pick([1, 2, 4, 16], or: 1))
        case 5: return .bufferSize(random.pick([1, 16, 100, 4096], or: 16))
        default:
            let low = random.pick([1, 10, 100], or: 1)
            return .waterMark(low: low, high: low + random.pick([0, 1, 50, 1000], or: 0))
        }
    }
}
