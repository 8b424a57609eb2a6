import Foundation
import NIOCore
import NIOPosix
import NIOTesting
import Testing

/// Random programs, of which our loops must make the same as NIO's.
@Suite struct NIOProgramTests {
    /// `ANYLOOP_PROGRAMS=100000` runs so many, `ANYLOOP_PROGRAMS=5000-5999` those seeds.
    private static var seeds: ClosedRange<UInt64> {
        let asked = (ProcessInfo.processInfo.environment["ANYLOOP_PROGRAMS"] ?? "300").split(separator: "-")
            .compactMap { UInt64($0) }
        return asked.count == 2 ? asked[0]...max(asked[0], asked[1]) : 1...max(1, asked.first ?? 1)
    }

    @Test func nativeAgreesWithNIO() async {
        let report = await NIOPrograms.compare(seeds: Self.seeds, on: NativeHost())
        for difference in report.differences { Issue.record(difference) }
        // The kernel may decide differently now and then, on a busy machine above all, but not often.
        #expect(report.unsteady.count <= 2 + report.programs / 50, "\(report.unsteady)")
        print("\(report.programs) programs, \(report.unsteady.count) unsteady")
    }

    @Test func nioAgreesWithItself() async {
        let seeds = ProcessInfo.processInfo.environment["ANYLOOP_PROGRAMS"] == nil ? 1...50 : Self.seeds
        let report = await NIOPrograms.compare(seeds: seeds, on: PosixHost())
        for difference in report.differences { Issue.record(difference) }
        #expect(report.unsteady.count <= 2 + report.programs / 50, "\(report.unsteady)")
        print("\(report.programs) programs, \(report.unsteady.count) unsteady: \(report.unsteady.prefix(20))")
    }

    @Test func aPlantedFaultIsFoundAndMadeShort() async throws {
        let report = await NIOPrograms.compare(seeds: 1...200, on: FaultyHost(), limit: 1)
        let difference = try #require(report.differences.first)
        #expect(difference.program.steps.count <= 3, "\(difference)")
        #expect(difference.reference.lines != difference.host.lines)
        #expect(difference.description.contains("far: "))
    }
}

/// NIO's loops, whose channels stay open at the peer's end unless told.
private struct FaultyHost: EventLoopGroupHost {
    var name: String { "faulty" }

    func makeGroup(threads: Int) throws -> any EventLoopGroup { PosixHost().makeGroup(threads: threads) }

    func serverBootstrap(
        group: any EventLoopGroup, childGroup: any EventLoopGroup
    ) -> any ServerBootstrapping {
        ServerBootstrap(group: group, childGroup: childGroup).childChannelOption(.allowRemoteHalfClosure, value: true)
    }

    func clientBootstrap(group: any EventLoopGroup) -> any ClientBootstrapping {
        ClientBootstrap(group: group).channelOption(.allowRemoteHalfClosure, value: true)
    }

    func datagramBootstrap(group: any EventLoopGroup) -> any DatagramBootstrapping {
        PosixHost().datagramBootstrap(group: group)
    }
}
