import AnyloopCore
import AnyloopNativeLoop
import AnyloopTesting
import CAnyloopSystem

/// A loop to be tested, by its name; NIOTestHosts has one more.
package struct TestLoop: Sendable, CustomStringConvertible {
    package let description: String
    package let discipline: BatteryDiscipline
    package let make: @Sendable () throws -> any TaskLoop

    package init(
        _ description: String, discipline: BatteryDiscipline, make: @escaping @Sendable () throws -> any TaskLoop
    ) {
        self.description = description
        self.discipline = discipline
        self.make = make
    }

    package static func native(_ poller: PollerKind) -> TestLoop {
        TestLoop("native/\(poller)", discipline: .native) {
            var options = NativeLoopOptions()
            options.poller = poller
            return try NativeLoop(options: options)
        }
    }

    package static func compat(_ poller: PollerKind) -> TestLoop {
        TestLoop("compat/\(poller)", discipline: .asyncio) {
            var options = NativeLoopOptions()
            options.poller = poller
            return try CompatLoop(options: options)
        }
    }
}

/// Which loop a battery runs on, and over what.
package struct LoopSetup: Sendable, CustomStringConvertible {
    package enum Wire: String, CaseIterable, Sendable {
        case tcp
        case unix
    }

    package var loop: TestLoop
    package var wire: Wire

    package init(_ loop: TestLoop, wire: Wire) {
        self.loop = loop
        self.wire = wire
    }

    package var description: String { "\(loop)/\(wire)" }

    /// Every loop on every poller, over TCP.
    package static let overTCP = PollerKind.allCases.flatMap { poller in
        [TestLoop.native(poller), .compat(poller)].map { LoopSetup($0, wire: .tcp) }
    }

    /// Every loop on every poller over every wire.
    package static let all = overTCP.flatMap { setup in
        Wire.allCases.map { LoopSetup(setup.loop, wire: $0) }
    }
}

/// The batteries' host for our loops: raw sockets on the far side, TCP or a Unix pair.
package final class LoopHost: BatteryHost {
    private let setup: LoopSetup
    package let loop: any Loop
    private var peers: [SocketPeer] = []
    private var files: [Int32] = []

    package init(_ setup: LoopSetup) throws {
        self.setup = setup
        loop = try setup.loop.make()
    }

    package var name: String { setup.description }
    package var discipline: BatteryDiscipline { setup.loop.discipline }
    package var canReset: Bool { setup.wire == .tcp }

    package func makePair(_ streamProtocol: any StreamProtocol) throws -> any BatteryPeer {
        let (near, far) = try setup.wire == .tcp ? RawSocket.tcpPair() : RawSocket.unixPair()
        let peer = SocketPeer(far)
        peers.append(peer)
        try loop.adoptConnection(descriptor: near) { streamProtocol }
        return peer
    }

    package func step() throws {
        try loop.runOnce(timeout: .microseconds(50))
        for peer in peers { peer.move() }
    }

    package func makeFile(_ bytes: [UInt8]) throws -> Int32 {
        let file = try TemporaryFile.make(bytes)
        files.append(file)
        return file
    }

    package func tearDown() {
        loop.closeLoop()
        for peer in peers { peer.shut() }
        for file in files { _ = anyloop_close(file) }
        files = []
    }
}

/// A raw, non-blocking socket as the far end of a connection.
package final class SocketPeer: BatteryPeer {
    private var descriptor: Int32
    private var outgoing: [UInt8] = []
    private var isFinishing = false
    private var isReading = true
    package private(set) var received: [UInt8] = []
    package private(set) var end: StreamEnd?

    package init(_ descriptor: Int32) {
        self.descriptor = descriptor
    }

    package func send(_ bytes: [UInt8]) {
        outgoing += bytes
        move()
    }

    package func finish() {
        isFinishing = true
        move()
    }

    package func reset() {
        guard descriptor >= 0 else { return }
        // A Unix socket resets its peer if it is closed with unread input; TCP by SO_LINGER.
        _ = anyloop_linger_zero(descriptor)
        shut()
    }

    package func stopReading() { isReading = false }
    package func resumeReading() { isReading = true }

    package func takeReceived() -> [UInt8] {
        defer { received = [] }
        return received
    }

    package func shut() {
        guard descriptor >= 0 else { return }
        _ = anyloop_close(descriptor)
        descriptor = -1
    }

    /// Sends and receives what goes without waiting.
    package func move() {
        guard descriptor >= 0 else { return }
        while !outgoing.isEmpty {
            let count = unsafe outgoing.withUnsafeBytes { unsafe anyloop_send(descriptor, $0.baseAddress, $0.count) }
            guard count > 0 else { break }
            outgoing.removeFirst(Int(count))
        }
        if isFinishing, outgoing.isEmpty {
            isFinishing = false
            _ = anyloop_shutdown_write(descriptor)
        }
        guard isReading, end == nil else { return }
        var buffer = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = unsafe buffer.withUnsafeMutableBytes {
                unsafe anyloop_receive(descriptor, $0.baseAddress, $0.count)
            }
            if count > 0 {
                received += buffer[..<Int(count)]
                continue
            }
            if count == 0 { end = .finish }
            if count == -104 { end = .reset }
            return
        }
    }
}
