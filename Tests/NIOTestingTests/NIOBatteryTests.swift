import NIOTesting
import Testing

/// The battery, on NIO's own loops, which it describes, and on ours.
@Suite struct NIOBatteryTests {
    @Test(arguments: NIOBattery.all) func posix(_ battery: NIOBatteryCase) async throws {
        try await battery.run(on: PosixHost())
    }

    @Test func thereAreEnoughAndAllAreNamed() {
        let names = NIOBattery.all.map(\.name)
        #expect(names.count >= 150)
        #expect(Set(names).count == names.count)
        #expect(NIOBattery.all.allSatisfy { !$0.source.isEmpty })
    }
}
