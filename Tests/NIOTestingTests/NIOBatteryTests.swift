import NIOCore
import NIOTesting
import Testing

/// The battery, on NIO's own loops, which it describes, and on ours, which must agree.
@Suite struct NIOBatteryTests {
    @Test(arguments: NIOBattery.all) func posix(_ battery: NIOBatteryCase) async throws {
        try await battery.run(on: PosixHost())
    }

    @Test(arguments: NIOBattery.all) func native(_ battery: NIOBatteryCase) async throws {
        try await battery.run(on: NativeHost())
    }

    @Test func thereAreEnoughAndAllAreNamed() {
        let names = NIOBattery.all.map(\.name)
        #expect(names.count >= 150)
        #expect(Set(names).count == names.count)
        #expect(NIOBattery.all.allSatisfy { $0.source.contains(":") || $0.source.contains("(") })
    }

    /// A host whose groups do not come into being fails every case, in one sentence.
    @Test func failuresAreReported() async {
        let failures = await checkEventLoopGroup(NIOBattery.concurrency) { BrokenHost() }
        #expect(failures.count == NIOBattery.concurrency.count)
        #expect(failures.first?.text.hasPrefix("broken future/") == true)
    }
}

private struct BrokenHost: EventLoopGroupHost {
    struct NoGroup: Error {}

    var name: String { "broken" }

    func makeGroup(threads: Int) throws -> any EventLoopGroup { throw NoGroup() }

    func serverBootstrap(
        group: any EventLoopGroup, childGroup: any EventLoopGroup
    ) -> any ServerBootstrapping {
        PosixHost().serverBootstrap(group: group, childGroup: childGroup)
    }

    func clientBootstrap(group: any EventLoopGroup) -> any ClientBootstrapping {
        PosixHost().clientBootstrap(group: group)
    }

    func datagramBootstrap(group: any EventLoopGroup) -> any DatagramBootstrapping {
        PosixHost().datagramBootstrap(group: group)
    }
}
