import NIOCore

/// Runs programs on two hosts, whose traces must be equal, and makes those short that differ.
///
/// It belongs to one thread, as its stages do.
struct ProgramComparison {
    enum Verdict: Equatable {
        case same
        /// They differ now and then: the kernel decided something that a trace shows.
        case unsteady
        case different(reference: [String], host: [String])
    }

    /// How often programs are run again before a difference counts.
    private static let confirmations = 3
    /// Turns of the loop that are a settle, at first and when a difference is to be confirmed.
    private static let quiet = 2
    private static let confirmedQuiet = 6
    /// Programs that are tried in order to make one short.
    private static let shrinkLimit = 600

    private let reference: any EventLoopGroupHost
    private let host: any EventLoopGroupHost
    private var referenceStage: ProgramStage?
    private var hostStage: ProgramStage?

    init(_ host: any EventLoopGroupHost, _ reference: any EventLoopGroupHost) {
        self.host = host
        self.reference = reference
    }

    mutating func tearDown() {
        referenceStage?.tearDown()
        hostStage?.tearDown()
        referenceStage = nil
        hostStage = nil
    }

    /// Whether both hosts make the same of a program.
    mutating func judge(_ program: NIOProgram) -> Verdict {
        var expected = Self.trace(program, reference, &referenceStage, Self.quiet)
        var actual = Self.trace(program, host, &hostStage, Self.quiet)
        if expected == actual { return .same }
        var allExpected: Set<[String]> = [expected]
        var allActual: Set<[String]> = [actual]
        for _ in 0..<Self.confirmations {
            expected = Self.trace(program, reference, &referenceStage, Self.confirmedQuiet)
            actual = Self.trace(program, host, &hostStage, Self.confirmedQuiet)
            allExpected.insert(expected)
            allActual.insert(actual)
            if !allExpected.isDisjoint(with: allActual) { return .unsteady }
        }
        return .different(reference: expected, host: actual)
    }

    private static func trace(
        _ program: NIOProgram, _ host: any EventLoopGroupHost, _ stage: inout ProgramStage?, _ quiet: Int
    ) -> [String] {
        do {
            let used = try stage ?? ProgramStage(host)
            stage = used
            return try used.run(program, quiet: quiet)
        } catch {
            // Another program gets another loop.
            stage?.tearDown()
            stage = nil
            return ["the program could not be run: \(error)"]
        }
    }

    /// The shortest program that is found to differ as `program` does, with both traces.
    mutating func shrink(_ program: NIOProgram, _ traces: Verdict) -> (program: NIOProgram, verdict: Verdict) {
        var best = (program: program, verdict: traces)
        var triesLeft = Self.shrinkLimit
        var isShorter = true
        while isShorter, triesLeft > 0 {
            isShorter = false
            for candidate in best.program.shorter where triesLeft > 0 {
                triesLeft -= 1
                let verdict = judge(candidate)
                guard case .different = verdict else { continue }
                best = (candidate, verdict)
                isShorter = true
                break
            }
        }
        return best
    }
}

extension NIOProgram {
    /// Programs with a little less in them, those with much less first.
    var shorter: [NIOProgram] {
        var programs: [NIOProgram] = []
        var size = steps.count
        while size > 0 {
            for start in stride(from: 0, to: steps.count, by: size) {
                var program = self
                program.steps.removeSubrange(start..<min(start + size, steps.count))
                programs.append(program)
            }
            size /= 2
        }
        for index in reactions.indices {
            var program = self
            program.reactions.remove(at: index)
            programs.append(program)
            if reactions[index].times > 1 {
                program = self
                program.reactions[index].times = 1
                programs.append(program)
            }
        }
        for index in setUp.indices {
            var program = self
            program.setUp.remove(at: index)
            programs.append(program)
        }
        if connection != .adopted {
            var program = self
            program.connection = .adopted
            programs.append(program)
        }
        return programs
    }
}
