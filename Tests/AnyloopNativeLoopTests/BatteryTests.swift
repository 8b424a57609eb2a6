import AnyloopCore
import AnyloopNativeLoop
import AnyloopTesting
import Testing

/// The shared batteries, on every poller and wire.
@Suite struct BatteryTests {
    @Test(arguments: PollerKind.allCases, NativeHost.Wire.allCases)
    func streamTransports(_ poller: PollerKind, _ wire: NativeHost.Wire) throws {
        for failure in checkStreamTransport({ try NativeHost(poller, wire) }) { Issue.record(failure) }
    }

    @Test(arguments: PollerKind.allCases)
    func datagramTransports(_ poller: PollerKind) throws {
        for failure in checkDatagramTransport({ try NativeHost(poller, .tcp) }) { Issue.record(failure) }
    }

    @Test(arguments: PollerKind.allCases)
    func loops(_ poller: PollerKind) throws {
        for failure in checkLoop({ try NativeHost(poller, .tcp) }) { Issue.record(failure) }
    }

    @Test(arguments: PollerKind.allCases)
    func servers(_ poller: PollerKind) throws {
        for failure in checkServer({ try NativeHost(poller, .tcp) }) { Issue.record(failure) }
    }
}
