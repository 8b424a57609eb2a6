import AnyloopCore
import AnyloopNativeLoop
import AnyloopTestHosts
import AnyloopTesting
import CAnyloopSystem
import Foundation
import NIOBridge
import NIOCore
import NIOPosix
import Synchronization
import Testing

/// Ends that SwiftNIO begins: its loop is shut down while ours is open.
@Suite struct NIOLoopShutdownTests {
    /// Everything that can be open or waited for on a loop is told, and every descriptor given back.
    @Test func aShutdownClosesAnAttachedLoop() throws {
        // What the process opens once only is open from the first round on.
        _ = try shutDownWithEverythingOpen()
        let before = try openDescriptors()
        let log = try shutDownWithEverythingOpen()
        #expect(try openDescriptors() == before)
        #expect(
            log.sorted() == [
                "client: lost, Event loop is closed", "closing: lost, Event loop is closed",
                "connect: Event loop is closed", "datagrams: lost, Event loop is closed",
                "file: Event loop is closed", "half-closed: eof", "half-closed: lost, Event loop is closed",
                "quiet: lost, Event loop is closed", "server: closed", "then: a closed loop",
                "writing: lost, Event loop is closed", "writing: paused",
            ])
    }

    private func shutDownWithEverythingOpen() throws -> [String] {
        let log = EventLog()
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let eventLoop = group.next()
        let (full, address) = try RawSocket.listener(backlog: 0)
        defer { for descriptor in log.descriptors.withLock({ $0 }) { RawSocket.close(descriptor) } }
        log.keep(full)
        for _ in 0..<3 { log.keep(try RawSocket.connect(to: address)) }
        let (readable, far) = try RawSocket.unixPair()
        let file = try TemporaryFile.make([UInt8](repeating: 1, count: 8 << 20))
        log.keep(readable, far, file)
        let remote = try eventLoop.submit { () -> any LoopRemote in
            let loop = try NIOLoop(on: eventLoop)
            for name in ["quiet", "writing", "half-closed", "closing", "sending"] {
                let (near, far) = try RawSocket.tcpPair()
                log.keep(far)
                try loop.adoptConnection(descriptor: near) { Resident(name, log, loop, file: file) }
                if name == "half-closed" { _ = anyloop_shutdown_write(far) }
            }
            let server = try loop.createServer(on: [.loopback(port: 0)], options: ServerOptions()) {
                Resident("client", log, loop, file: file)
            }
            server.whenClosed { log.add("server: closed") }
            log.keep(try RawSocket.connect(to: RawSocket.loopback(#require(server.addresses[0].port))))
            _ = try loop.createDatagramEndpoint(local: .loopback(port: 0), remote: nil, options: DatagramOptions()) {
                Datagrams(log)
            }
            try loop.addReader(readable) {}
            loop.callLater(.seconds(3600)) { log.add("timer") }
            loop.createConnection(
                to: .address(.loopback(port: address.port)), options: ConnectOptions(),
                protocolFactory: { Resident("connected", log, loop, file: file) },
                completion: { if case .failure(let error) = $0 { log.add("connect: \(error)") } })
            return loop.remote
        }.wait()
        // The last that come, each by the poller.
        try log.wait(for: "half-closed: eof")
        try log.wait(for: "client: made")
        try group.syncShutdownGracefully()
        #expect(!remote.callSoonThreadsafe {})
        return log.events.withLock { events in events.filter { !$0.hasSuffix("made") } }
    }

    /// A loop that nobody holds lives on, for its callbacks are still to come, and goes with the event loop.
    @Test func anAttachedLoopLivesWithItsEventLoop() throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let eventLoop = group.next()
        let fired = eventLoop.makePromise(of: Void.self)
        let holder = Mutex<WeakLoop>(WeakLoop())
        try eventLoop.submit {
            let loop = try NIOLoop(on: eventLoop)
            loop.callLater(.milliseconds(1)) { fired.succeed(()) }
            let bound = NIOLoopBound(loop, eventLoop: eventLoop)
            holder.withLock { $0.loop = bound.value.taskExecutor }
        }.wait()
        try fired.futureResult.wait()
        #expect(try eventLoop.submit { NativeLoop.running != nil }.wait())
        try group.syncShutdownGracefully()
        #expect(holder.withLock { $0.loop } == nil)
    }

    private struct WeakLoop {
        weak var loop: NativeTaskExecutor?
    }

    /// A second loop is refused, and the first is none the worse for it.
    @Test func anEventLoopHasOneOfOurs() throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        defer { #expect(throws: Never.self) { try group.syncShutdownGracefully() } }
        let eventLoop = group.next()
        try eventLoop.submit {
            let first = try NIOLoop(on: eventLoop)
            #expect(throws: TransportError.self) { try NIOLoop(on: eventLoop) }
            #expect(NativeLoop.running === first.native)
            first.closeLoop()
            #expect(NativeLoop.running == nil)
            // There may be another then.
            try NIOLoop(on: eventLoop).closeLoop()
        }.wait()
    }

    @Test func foreignEventLoopsAreRefused() throws {
        let group = try NativeEventLoopGroup(numberOfThreads: 1)
        defer { #expect(throws: Never.self) { try group.syncShutdownGracefully() } }
        let eventLoop = group.next()
        let text = try eventLoop.submit { () -> String in
            do {
                _ = try NIOLoop(on: eventLoop)
                return "it was made"
            } catch { return "\(error)" }
        }.wait()
        #expect(text.contains("take one of a MultiThreadedEventLoopGroup"))
    }

    /// While an event loop shuts down it takes no loop of ours any more.
    @Test func anEventLoopThatEndsTakesNone() throws {
        try attachWhileItEnds()
        let before = try openDescriptors()
        try attachWhileItEnds()
        #expect(try openDescriptors() == before)
    }

    private func attachWhileItEnds() throws {
        let log = EventLog()
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        _ = try ServerBootstrap(group: group)
            .serverChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(LateAttacher(log))
                }
            }
            .bind(host: "127.0.0.1", port: 0).wait()
        try group.syncShutdownGracefully()
        #expect(log.events.withLock { $0 } == ["Event loop is closed"])
    }

    // MARK: A loop of its own

    /// Whoever shuts down the event loop below `run` ends `run`, and closes the loop.
    @Test func aShutdownEndsARunningLoop() throws {
        let log = EventLog()
        let loop = try NIOLoop()
        let (near, far) = try RawSocket.tcpPair()
        defer { RawSocket.close(far) }
        try loop.adoptConnection(descriptor: near) { Resident("quiet", log, loop, file: -1) }
        let eventLoop = loop.eventLoop
        loop.callSoon { eventLoop.shutdownGracefully(queue: .global()) { _ in } }
        try loop.run()
        #expect(loop.isClosed)
        #expect(
            log.events.withLock { $0 } == ["quiet: made", "quiet: lost, Event loop is closed", "then: a closed loop"])
        loop.closeLoop()
        #expect(MultiThreadedEventLoopGroup.currentEventLoop == nil)
    }

    /// Without descriptors no loop is made, the thread keeps none, and nothing is lost.
    @Test func withoutDescriptorsThereIsNoLoop() async {
        await #expect(processExitsWith: .success) {
            try NIOLoop().closeLoop()
            let limit = anyloop_descriptor_limit()
            let before = try openDescriptors()
            var failures = 0
            while true {
                let free = anyloop_eventfd()
                RawSocket.close(free)
                #expect(anyloop_set_descriptor_limit(Int64(free) + Int64(failures)) == 0)
                let made = Result { try NIOLoop() }
                #expect(anyloop_set_descriptor_limit(limit) == 0)
                if case .success(let loop) = made {
                    loop.closeLoop()
                    break
                }
                #expect {
                    _ = try made.get()
                } throws: { error in
                    // 24: EMFILE.
                    if case .system(let error)? = error as? TransportError { error.errno == 24 } else { false }
                }
                failures += 1
                #expect(try openDescriptors() == before)
            }
            #expect(failures >= 6)
            #expect(try openDescriptors() == before)
        }
    }

    /// A file that is under way when the loop is closed is somebody's to wait for, too.
    @Test func closingCompletesFiles() throws {
        let log = EventLog()
        let loop = try NIOLoop()
        let (near, far) = try RawSocket.tcpPair()
        let file = try TemporaryFile.make([UInt8](repeating: 1, count: 8 << 20))
        defer { RawSocket.close(far, file) }
        try loop.adoptConnection(descriptor: near) { Resident("sending", log, loop, file: file) }
        try loop.runOnce(timeout: .zero)
        loop.closeLoop()
        #expect(log.events.withLock { $0 } == ["sending: made", "file: Event loop is closed"])
    }
}

func openDescriptors() throws -> Int {
    try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count
}

/// What happened, from any thread.
private final class EventLog: Sendable {
    let events = Mutex<[String]>([])
    let descriptors = Mutex<[Int32]>([])
    private let semaphore = DispatchSemaphore(value: 0)

    /// Descriptors of the test's, to be closed at its end.
    func keep(_ more: Int32...) { descriptors.withLock { $0 += more } }

    func add(_ event: String) {
        events.withLock { $0.append(event) }
        semaphore.signal()
    }

    /// Returns once `event` was among what happened.
    func wait(for event: String) throws {
        while !events.withLock({ $0.contains(event) }) {
            try #require(semaphore.wait(timeout: .now() + 20) == .success, "\(event) did not come")
        }
    }
}

/// A connection that gets into the state of its name, and writes down what it hears.
private final class Resident: StreamProtocol {
    private let name: String
    private let log: EventLog
    private let loop: NIOLoop
    private let file: Int32

    init(_ name: String, _ log: EventLog, _ loop: NIOLoop, file: Int32) {
        self.name = name
        self.log = log
        self.loop = loop
        self.file = file
    }

    func connectionMade(_ transport: any StreamTransport) throws {
        log.add("\(name): made")
        switch name {
        case "writing": transport.write([UInt8](repeating: 1, count: 8 << 20))
        case "closing":
            transport.setWriteBufferLimits(try WriteBufferLimits(high: 32 << 20))
            transport.write([UInt8](repeating: 1, count: 8 << 20))
            transport.close()
        case "sending":
            try loop.sendFile(transport, .descriptor(file), offset: 0, count: nil, allowsFallback: false) { [log] in
                if case .failure(let error) = $0 { log.add("file: \(error)") }
            }
        default: break
        }
    }

    func dataReceived(_ data: Span<UInt8>) {}

    func eofReceived() -> Bool {
        log.add("\(name): eof")
        return true
    }

    func pauseWriting() { log.add("\(name): paused") }

    func connectionLost(_ error: TransportError?) throws {
        if name == "sending" { return }
        log.add("\(name): lost, \(error?.description ?? "nil")")
        guard name == "quiet" else { return }
        // What the loop answers from here on.
        #expect(loop.isClosed && !loop.isRunning)
        #expect(loop.callSoon {}.isCancelled && loop.callLater(.zero) {}.isCancelled)
        for attempt: () throws -> Void in [
            { [loop] in try loop.run() },
            { [loop] in _ = try loop.createServer(on: [.loopback(port: 0)], options: ServerOptions()) { self } },
            { [loop] in try loop.addReader(0) {} },
        ] {
            #expect { try attempt() } throws: { error in
                if case .loopClosed? = error as? TransportError { true } else { false }
            }
        }
        loop.closeLoop()
        log.add("then: a closed loop")
    }
}

private final class Datagrams: DatagramProtocol {
    private let log: EventLog

    init(_ log: EventLog) {
        self.log = log
    }

    func datagramReceived(_ data: Span<UInt8>, from address: AnyloopCore.SocketAddress?) {}

    func connectionLost(_ error: TransportError?) { log.add("datagrams: lost, \(error?.description ?? "nil")") }
}

/// Asks for a loop of ours once its channel was closed.
private final class LateAttacher: ChannelInboundHandler {
    typealias InboundIn = Never

    private let log: EventLog

    init(_ log: EventLog) {
        self.log = log
    }

    func channelInactive(context: ChannelHandlerContext) {
        do {
            _ = try NIOLoop(on: context.eventLoop)
            log.add("it was made")
        } catch { log.add("\(error)") }
    }
}
