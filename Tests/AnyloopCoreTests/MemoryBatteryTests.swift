import AnyloopTesting
import Testing

@Suite struct MemoryBatteryTests {
    @Test(arguments: Battery.stream) func stream(_ battery: BatteryCase) throws {
        try battery.run(on: MemoryHost())
    }

    @Test(arguments: Battery.datagram) func datagram(_ battery: BatteryCase) throws {
        try battery.run(on: MemoryHost())
    }

    @Test(arguments: Battery.server) func server(_ battery: BatteryCase) throws {
        try battery.run(on: MemoryHost())
    }

    @Test(arguments: Battery.loop) func loop(_ battery: BatteryCase) throws {
        try battery.run(on: MemoryHost())
    }

    @Test func theBatteryIsLargeAndItsNamesAreUnique() {
        let all = Battery.stream + Battery.datagram + Battery.server + Battery.loop
        #expect(Battery.stream.count >= 40)
        #expect(Set(all.map(\.name)).count == all.count)
    }
}
