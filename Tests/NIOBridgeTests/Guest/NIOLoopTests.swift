import AnyloopCore
import AnyloopNativeLoop
import AnyloopTestHosts
import AnyloopTesting
import CAnyloopSystem
import Dispatch
import NIOBridge
import NIOCore
import NIOPosix
import Testing

/// What is NIOLoop's own: whose thread it takes, and how it lives on a loop that SwiftNIO runs.
@Suite struct NIOLoopTests {
    // MARK: On the calling thread

    @Test func aThreadHasOneAtATime() throws {
        let first = try NIOLoop()
        let error = #expect(throws: TransportError.self) { try NIOLoop() }
        #expect(error?.description.contains("has an event loop of SwiftNIO already") == true)
        first.closeLoop()
        let second = try NIOLoop()
        #expect(second.eventLoop.inEventLoop)
        second.closeLoop()
        #expect(MultiThreadedEventLoopGroup.currentEventLoop == nil)
    }

    @Test func aLoopThatIsDroppedGivesItsThreadBack() throws {
        do { _ = try NIOLoop() }
        #expect(MultiThreadedEventLoopGroup.currentEventLoop == nil)
    }

    @Test func aClosedLoopRunsNothing() throws {
        let loop = try NIOLoop()
        loop.closeLoop()
        loop.closeLoop()
        #expect(throws: TransportError.self) { try loop.run() }
        #expect(loop.callSoon {}.isCancelled)
    }

    @Test func swiftNIOsTasksAndTimersRunBesideOurs() throws {
        let loop = try NIOLoop()
        defer { loop.closeLoop() }
        let order = NIOLoopBoundBox<[String]>([], eventLoop: loop.eventLoop)
        loop.eventLoop.execute { order.value.append("task") }
        let timer = loop.eventLoop.scheduleTask(in: .milliseconds(1)) { order.value.append("timer") }
        loop.callSoon { order.value.append("callSoon") }
        loop.callLater(.milliseconds(20)) { loop.stop() }
        try loop.run()
        #expect(order.value.sorted() == ["callSoon", "task", "timer"])
        _ = timer
    }

    @Test func descriptorsOfTheApplicationsWakeIt() throws {
        let loop = try NIOLoop()
        defer { loop.closeLoop() }
        let (near, far) = try RawSocket.unixPair()
        defer { RawSocket.close(near, far) }
        var received: [[UInt8]] = []
        try loop.addReader(near) {
            if let bytes = RawSocket.receive(near) { received.append(bytes) }
            if received.count == 3 { loop.stop() } else { _ = RawSocket.send(far, [UInt8(received.count)]) }
        }
        // The first comes from elsewhere, while the loop waits.
        loop.callLater(.milliseconds(5)) { DispatchQueue.global().async { _ = RawSocket.send(far, [0]) } }
        try loop.run()
        #expect(received == [[0], [1], [2]])
        #expect(try loop.removeReader(near))
    }

    @Test func signalsWakeIt() throws {
        let loop = try NIOLoop()
        defer { loop.closeLoop() }
        var count = 0
        // SIGWINCH: nothing else in this process heeds it.
        try loop.addSignalHandler(28) {
            count += 1
            loop.stop()
        }
        loop.callLater(.milliseconds(5)) { DispatchQueue.global().async { _ = anyloop_signal_raise(28) } }
        try loop.run()
        #expect(count == 1)
    }

    // MARK: On a loop of SwiftNIO's

    @Test func itServesOnALoopOfSwiftNIOs() throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 2)
        defer { #expect(throws: Never.self) { try group.syncShutdownGracefully() } }
        let ours = group.next()
        let box = try ours.submit { try AttachedEcho(on: ours) }.wait()
        let echoed = group.next().makePromise(of: String.self)
        let client = try ClientBootstrap(group: group)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Collector(count: 5, echoed))
                }
            }
            .connect(host: "127.0.0.1", port: box.port).wait()
        try client.writeAndFlush(ByteBuffer(string: "hello")).wait()
        #expect(try echoed.futureResult.wait() == "hello")
        let causes = try ours.submit { box.close() }.wait()
        #expect(causes == ["Event loop is closed"])
        // SwiftNIO's loop lives on.
        #expect(try ours.submit { 1 }.wait() == 1)
        try client.closeFuture.wait()
    }

    @Test func timersAndOtherThreadsWakeAnAttachedLoop() throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        defer { #expect(throws: Never.self) { try group.syncShutdownGracefully() } }
        let eventLoop = group.next()
        let done = eventLoop.makePromise(of: [String].self)
        let box = try eventLoop.submit { try AttachedEcho(on: eventLoop) }.wait()
        // Each from a task of SwiftNIO's, in which no turn of ours is under way.
        eventLoop.execute { box.schedule(done) }
        #expect(try done.futureResult.wait() == ["soon", "remote", "later"])
        _ = try eventLoop.submit { box.close() }.wait()
    }

    @Test func anAttachedLoopIsNotForRunning() throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        defer { #expect(throws: Never.self) { try group.syncShutdownGracefully() } }
        let eventLoop = group.next()
        #expect(throws: TransportError.self) { try NIOLoop(on: eventLoop) }
        let text = try eventLoop.submit { () -> String in
            let loop = try NIOLoop(on: eventLoop)
            defer { loop.closeLoop() }
            do {
                try loop.run()
                return "it ran"
            } catch {
                return "\(error)"
            }
        }.wait()
        #expect(text == "This event loop is already running")
    }
}

/// An echo server on a loop of SwiftNIO's; everything but the port is touched in that loop only, which it checks.
private final class AttachedEcho: Sendable {
    let port: Int
    private let state: NIOLoopBound<State>

    private final class State {
        let loop: NIOLoop
        let server: any Server
        var causes: [String] = []
        var order: [String] = []

        init(_ loop: NIOLoop, _ server: any Server) {
            self.loop = loop
            self.server = server
        }
    }

    init(on eventLoop: any EventLoop) throws {
        let loop = try NIOLoop(on: eventLoop)
        final class Weak { weak var state: State? }
        let holder = Weak()
        let server = try loop.createServer(on: [.loopback(port: 0)], options: ServerOptions()) {
            Echo { holder.state?.causes.append($0) }
        }
        let state = State(loop, server)
        holder.state = state
        port = Int(server.addresses[0].port ?? 0)
        self.state = NIOLoopBound(state, eventLoop: eventLoop)
    }

    func schedule(_ done: EventLoopPromise<[String]>) {
        let state = state.value
        let here = self.state
        state.loop.callSoon { state.order.append("soon") }
        let remote = state.loop.remote
        DispatchQueue.global().async {
            remote.callSoonThreadsafe {
                here.value.order.append("remote")
                here.value.loop.callLater(.milliseconds(2)) {
                    here.value.order.append("later")
                    done.succeed(here.value.order)
                }
            }
        }
    }

    /// Closes the loop; what the connections were told.
    func close() -> [String] {
        state.value.loop.closeLoop()
        return state.value.causes
    }
}

private final class Echo: StreamProtocol {
    private var transport: (any StreamTransport)?
    private let lost: (String) -> Void

    init(_ lost: @escaping (String) -> Void) {
        self.lost = lost
    }

    func connectionMade(_ transport: any StreamTransport) { self.transport = transport }
    func dataReceived(_ data: Span<UInt8>) { transport?.write(data) }
    func connectionLost(_ error: TransportError?) { lost(error?.description ?? "nil") }
}

/// Completes once so many bytes came.
private final class Collector: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let count: Int
    private let promise: EventLoopPromise<String>
    private var text = ""

    init(count: Int, _ promise: EventLoopPromise<String>) {
        self.count = count
        self.promise = promise
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        text += String(buffer: unwrapInboundIn(data))
        if text.utf8.count >= count { promise.succeed(text) }
    }
}
