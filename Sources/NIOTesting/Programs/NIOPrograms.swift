import NIOPosix

/// Random programs for connections: whatever a program does, channels of one's own must show what NIO's show.
///
/// The battery's cases hold what somebody thought of; these find the rest. A program is made of a number, so that one
/// that fails can be run again.
public enum NIOPrograms {
    /// Runs the programs of `seeds` on `reference` and on `host` and compares what the handlers, promises and far ends
    /// see, in order.
    ///
    /// A difference is confirmed three times, and its program shortened. One that comes and goes is the kernel's and only
    /// counted. Some 100 programs a second; the channels' loops belong to this call alone.
    ///
    /// - Parameters:
    ///   - seeds: one number for each program.
    ///   - host: what is tried.
    ///   - reference: what is right; NIO's own loops unless told.
    ///   - limit: after so many differences it is over.
    public static func compare(
        seeds: some Sequence<UInt64> & Sendable, on host: any EventLoopGroupHost,
        with reference: any EventLoopGroupHost = PosixHost(), limit: Int = 5
    ) async -> NIOProgramReport {
        await onThread { report(seeds.lazy.map { NIOProgram(seed: $0) }, host, reference, limit) }
    }

    /// The same for programs that are there already, written by hand for one.
    public static func compare(
        _ programs: [NIOProgram], on host: any EventLoopGroupHost,
        with reference: any EventLoopGroupHost = PosixHost(), limit: Int = 5
    ) async -> NIOProgramReport {
        await onThread { report(programs, host, reference, limit) }
    }

    /// Stages block the thread that they are on.
    private static func onThread(_ body: @escaping @Sendable () -> NIOProgramReport) async -> NIOProgramReport {
        await withCheckedContinuation { continuation in
            NIOThreadPool.singleton.submit { _ in continuation.resume(returning: body()) }
        }
    }

    private static func report(
        _ programs: some Sequence<NIOProgram>, _ host: any EventLoopGroupHost, _ reference: any EventLoopGroupHost,
        _ limit: Int
    ) -> NIOProgramReport {
        var comparison = ProgramComparison(host, reference)
        defer { comparison.tearDown() }
        var report = NIOProgramReport()
        for program in programs {
            report.programs += 1
            let verdict = comparison.judge(program)
            switch verdict {
            case .same: break
            case .unsteady: report.unsteady.append(program.seed)
            case .different:
                let (shortest, verdict) = comparison.shrink(program, verdict)
                guard case .different(let expected, let actual) = verdict else { break }
                report.differences.append(
                    NIOProgramDifference(
                        program: shortest, reference: NIOProgramTrace(name: reference.name, lines: expected),
                        host: NIOProgramTrace(name: host.name, lines: actual)))
                if report.differences.count >= limit { return report }
            }
        }
        return report
    }
}

/// What came of a comparison.
public struct NIOProgramReport: Sendable {
    /// How many programs were run.
    public internal(set) var programs = 0
    /// The seeds of those whose traces differed at first and not for good.
    public internal(set) var unsteady: [UInt64] = []
    /// What differs.
    public internal(set) var differences: [NIOProgramDifference] = []
}

/// What one host showed of a program.
public struct NIOProgramTrace: Sendable, Equatable {
    /// The host's name.
    public let name: String
    /// Events, outcomes and what the far end received; a dash where both ends had settled.
    public let lines: [String]
}

/// A program that two hosts make different things of.
public struct NIOProgramDifference: Error, CustomStringConvertible, Sendable {
    /// The program, with all left out that the difference does not need.
    public let program: NIOProgram
    /// What is right.
    public let reference: NIOProgramTrace
    /// What the host under test made of it.
    public let host: NIOProgramTrace

    /// The program, and both traces side by side.
    public var description: String {
        let width = max(40, reference.lines.map(\.count).max() ?? 0)
        let rows = (0..<max(reference.lines.count, host.lines.count)).map { index in
            let left = index < reference.lines.count ? reference.lines[index] : ""
            let right = index < host.lines.count ? host.lines[index] : ""
            let padding = String(repeating: " ", count: width - left.count)
            return "\(left == right ? " " : "!") \(left)\(padding) | \(right)"
        }
        let title = "  \(reference.name)" + String(repeating: " ", count: max(0, width - reference.name.count))
        return (["\(program)", "\(title) | \(host.name)"] + rows).joined(separator: "\n")
    }
}
