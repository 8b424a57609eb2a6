import AnyloopCore
import AnyloopNativeLoop
import AnyloopTesting
import CAnyloopSystem
import Testing

/// The shared batteries on the compat loop, on every poller and wire.
@Suite struct CompatBatteryTests {
    @Test(arguments: PollerKind.allCases, CompatHost.Wire.allCases)
    func streamTransports(_ poller: PollerKind, _ wire: CompatHost.Wire) {
        for failure in checkStreamTransport({ try CompatHost(poller, wire) }) { Issue.record(failure) }
    }

    @Test(arguments: PollerKind.allCases) func datagramTransports(_ poller: PollerKind) {
        for failure in checkDatagramTransport({ try CompatHost(poller, .tcp) }) { Issue.record(failure) }
    }

    @Test(arguments: PollerKind.allCases) func loops(_ poller: PollerKind) {
        for failure in checkLoop({ try CompatHost(poller, .tcp) }) { Issue.record(failure) }
    }

    @Test(arguments: PollerKind.allCases) func servers(_ poller: PollerKind) {
        for failure in checkServer({ try CompatHost(poller, .tcp) }) { Issue.record(failure) }
    }
}

/// The batteries' host for `CompatLoop`: raw sockets on the far side, TCP or a Unix pair.
final class CompatHost: BatteryHost {
    enum Wire: String, CaseIterable, Sendable {
        case tcp
        case unix
    }

    let compat: CompatLoop
    private let wire: Wire
    private var peers: [SocketPeer] = []
    private var files: [Int32] = []

    init(_ poller: PollerKind, _ wire: Wire) throws {
        var options = NativeLoopOptions()
        options.poller = poller
        compat = try CompatLoop(options: options)
        self.wire = wire
    }

    var name: String { "compat/\(compat.pollerKind)/\(wire)" }
    var loop: any Loop { compat }
    var discipline: BatteryDiscipline { .asyncio }
    var canReset: Bool { wire == .tcp }

    func makePair(_ streamProtocol: any StreamProtocol) throws -> any BatteryPeer {
        let (near, far) = try wire == .tcp ? RawSocket.tcpPair() : RawSocket.unixPair()
        let peer = SocketPeer(far)
        peers.append(peer)
        try compat.adoptConnection(descriptor: near) { streamProtocol }
        return peer
    }

    func step() throws {
        try compat.runOnce(timeout: .milliseconds(1))
        for peer in peers { peer.move() }
    }

    func makeFile(_ bytes: [UInt8]) throws -> Int32 {
        let file = try TemporaryFile.make(bytes)
        files.append(file)
        return file
    }

    func tearDown() {
        compat.closeLoop()
        for peer in peers { peer.shut() }
        for file in files { _ = anyloop_close(file) }
        files = []
    }
}
