import AnyloopNativeLoop
import AnyloopTestHosts
import AnyloopTesting
import NIOTestHosts
import Testing

@testable import AnyloopTLS

/// The shared batteries over TLS: on memory, on every loop and poller, and TLS in TLS.
@Suite struct TLSBatteryTests {
    @Test(arguments: TLSSetup.all) func streamsInMemory(_ setup: TLSSetup) {
        for failure in checkStreamTransport({ TLSHost(setup, over: MemoryHost()) }) { Issue.record(failure) }
    }

    @Test(arguments: LoopSetup.everyOverTCP, TLSSetup.sides) func streamsOnLoops(_ loop: LoopSetup, _ setup: TLSSetup) {
        for failure in checkStreamTransport({ TLSHost(setup, over: try LoopHost(loop)) }) { Issue.record(failure) }
    }

    @Test(arguments: [TestLoop.native(.epoll), .nio]) func streamsOverUnixSockets(_ loop: TestLoop) {
        let loop = LoopSetup(loop, wire: .unix)
        for setup in TLSSetup.sides {
            for failure in checkStreamTransport({ TLSHost(setup, over: try LoopHost(loop)) }) { Issue.record(failure) }
        }
    }

    @Test(arguments: LoopSetup.everyOverTCP) func servers(_ loop: LoopSetup) {
        for failure in checkServer({ TLSHost(TLSSetup(side: .server), over: try LoopHost(loop)) }) {
            Issue.record(failure)
        }
    }

    @Test func serversInMemory() {
        for version in TLSVersion.allCases {
            for failure in checkServer({
                TLSHost(TLSSetup(side: .server, version: version), over: MemoryHost())
            }) { Issue.record(failure) }
        }
    }
}
