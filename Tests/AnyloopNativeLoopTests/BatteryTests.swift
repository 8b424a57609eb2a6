import AnyloopCore
import AnyloopNativeLoop
import AnyloopTestHosts
import AnyloopTesting
import Testing

/// The shared batteries, on both loops, every poller and wire.
@Suite struct BatteryTests {
    @Test(arguments: LoopSetup.all) func streamTransports(_ setup: LoopSetup) {
        for failure in checkStreamTransport({ try LoopHost(setup) }) { Issue.record(failure) }
    }

    @Test(arguments: LoopSetup.overTCP) func datagramTransports(_ setup: LoopSetup) {
        for failure in checkDatagramTransport({ try LoopHost(setup) }) { Issue.record(failure) }
    }

    @Test(arguments: LoopSetup.overTCP) func loops(_ setup: LoopSetup) {
        for failure in checkLoop({ try LoopHost(setup) }) { Issue.record(failure) }
    }

    @Test(arguments: LoopSetup.overTCP) func servers(_ setup: LoopSetup) {
        for failure in checkServer({ try LoopHost(setup) }) { Issue.record(failure) }
    }
}
