import Foundation
import NIOCore
import NIOPosix
import NIOTesting
import Testing

/// Random programs, of which our loops must make the same as NIO's.
@Suite struct NIOProgramTests {
    /// `ANYLOOP_PROGRAMS=100000` runs so many, `ANYLOOP_PROGRAMS=5000-5999` those seeds.
    private static func seeds(unlessAsked count: UInt64) -> ClosedRange<UInt64> {
        let asked = ProcessInfo.processInfo.environment["ANYLOOP_PROGRAMS"] ?? "\(count)"
        let bounds = asked.split(separator: "-").compactMap { UInt64($0) }
        return bounds.count == 2 ? bounds[0]...max(bounds[0], bounds[1]) : 1...max(1, bounds.first ?? 1)
    }

    @Test func nativeAgreesWithNIO() async {
        expectAgreement(await NIOPrograms.compare(seeds: Self.seeds(unlessAsked: 150), on: NativeHost()))
    }

    @Test func nioAgreesWithItself() async {
        expectAgreement(await NIOPrograms.compare(seeds: Self.seeds(unlessAsked: 40), on: PosixHost()))
    }

    private func expectAgreement(_ report: NIOProgramReport) {
        for difference in report.differences { Issue.record(difference) }
        // The kernel may decide differently now and then, on a busy machine above all, but not often.
        #expect(report.unsteady.count <= 2 + report.programs / 50, "\(report.unsteady)")
    }

    /// What random programs have found: a program stays here when its difference is mended.
    @Test(arguments: [
        // The kernel has nothing to shut down; NIO tries again at the next close and flush.
        NIOProgram(
            .connectedTCP,
            steps: [
                .act(.write(10, promise: false)), .act(.close(.output)), .act(.farClose),
                .act(.writeAndFlush(1000, promise: true)), .act(.close(.output)),
            ]),
        NIOProgram(
            .connectedTCP, steps: [.act(.farReset), .act(.close(.output)), .act(.writeAndFlush(0, promise: false))]),
        NIOProgram(
            .connectedTCP, setUp: [.halfClosure(true)],
            steps: [
                .act(.write(1000, promise: true)), .act(.close(.output)), .act(.farClose),
                .act(.writeAndFlush(10, promise: true)),
            ]),
        NIOProgram(.boundUDP, reactions: [.init(at: .registered, .close(.all))], steps: []),
        // An error is no read.
        NIOProgram(.connectedUDP, steps: [.act(.farClose), .act(.writeAndFlush(100, promise: true))]),
    ])
    func foundOnce(_ program: NIOProgram) async {
        expectAgreement(await NIOPrograms.compare([program], on: NativeHost()))
    }

    @Test func aPlantedFaultIsFoundAndMadeShort() async throws {
        let report = await NIOPrograms.compare(seeds: 1...200, on: FaultyHost(), limit: 1)
        let difference = try #require(report.differences.first)
        #expect(difference.program.steps.count <= 2, "\(difference)")
        #expect(difference.program.reactions.count <= 1, "\(difference)")
        #expect(difference.reference.lines.contains("1 inactive"))
        #expect(difference.host.lines.contains("1 inputClosed"))
        #expect(difference.description.contains("| faulty\n"))
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
