import AnyloopCore
import AnyloopTestHosts
import AnyloopTesting
import NIOTestHosts
import Testing

/// The shared batteries on SwiftNIO's loop; `TLSBatteryTests` has them over TLS.
@Suite struct NIOBatteryTests {
    @Test(arguments: LoopSetup.nio) func streamTransports(_ setup: LoopSetup) {
        for failure in checkStreamTransport({ try LoopHost(setup) }) { Issue.record(failure) }
    }

    @Test func datagramTransports() {
        for failure in checkDatagramTransport({ try LoopHost(LoopSetup(.nio, wire: .tcp)) }) { Issue.record(failure) }
    }

    @Test func loops() {
        for failure in checkLoop({ try LoopHost(LoopSetup(.nio, wire: .tcp)) }) { Issue.record(failure) }
    }

    @Test(arguments: LoopSetup.nio) func servers(_ setup: LoopSetup) {
        for failure in checkServer({ try LoopHost(setup) }) { Issue.record(failure) }
    }
}
