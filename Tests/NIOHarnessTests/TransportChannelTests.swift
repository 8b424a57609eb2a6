import AnyloopCore
import AnyloopNativeLoop
import AnyloopTesting
import NIOBridge
import NIOCore
import NIOHarness
import Testing

/// A pipeline over a transport of ours sees what it would see on NIO's socket channel.
@Suite struct TransportChannelTests {
    /// A pipeline on one end of a memory connection, and what its handler saw.
    private struct Scene {
        let loop = MemoryLoop()
        let seen = Seen()
        let peer: MemoryPeer
        let channel: any Channel

        init(_ configure: @escaping (any Channel) throws -> Void = { _ in }) throws {
            var made: (any Channel)?
            let host = PipelineProtocol { [seen] error in
                seen.errors.append(error)
            } initialize: { [seen] channel in
                made = channel
                try configure(channel)
                try channel.pipeline.syncOperations.addHandler(Watcher(seen))
            }
            (_, peer) = MemoryStream.pair(on: loop, host)
            loop.runUntilIdle()
            channel = try #require(made)
        }

        func run() { loop.runUntilIdle() }

        func send(_ text: String) {
            peer.send(Array(text.utf8))
            run()
        }
    }

    final class Seen {
        var events: [String] = []
        var errors: [any Error] = []
    }

    /// Notes every inbound event.
    private final class Watcher: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        private let list: Seen

        init(_ list: Seen) { self.list = list }

        func channelRegistered(context: ChannelHandlerContext) { list.events.append("registered") }
        func channelActive(context: ChannelHandlerContext) { list.events.append("active") }
        func channelInactive(context: ChannelHandlerContext) { list.events.append("inactive") }
        func channelUnregistered(context: ChannelHandlerContext) { list.events.append("unregistered") }
        func channelReadComplete(context: ChannelHandlerContext) { list.events.append("complete") }
        func handlerRemoved(context: ChannelHandlerContext) { list.events.append("removed") }
        func channelWritabilityChanged(context: ChannelHandlerContext) {
            list.events.append(context.channel.isWritable ? "writable" : "unwritable")
        }
        func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) { list.events.append("\(event)") }
        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            list.events.append("read \(String(buffer: unwrapInboundIn(data)))")
        }
    }

    @Test func aConnectionFromItsBeginningToItsEnd() throws {
        let scene = try Scene()
        #expect(scene.channel.isActive)
        scene.send("ab")
        scene.peer.finish()
        scene.run()
        #expect(
            scene.seen.events == [
                "registered", "active", "read ab", "complete", "complete", "inactive", "unregistered", "removed",
            ])
        #expect(!scene.channel.isActive)
        var closed = false
        scene.channel.closeFuture.assumeIsolated().whenSuccess { closed = true }
        scene.run()
        #expect(closed)
    }

    @Test func withHalfClosureTheOutputStaysOpen() throws {
        let scene = try Scene { try $0.syncOptions?.setOption(.allowRemoteHalfClosure, value: true) }
        scene.peer.finish()
        scene.run()
        #expect(scene.seen.events.last == "inputClosed")
        scene.channel.writeAndFlush(ByteBuffer(string: "late"), promise: nil)
        scene.run()
        #expect(scene.peer.received == Array("late".utf8))
        scene.channel.close(mode: .output, promise: nil)
        scene.run()
        #expect(scene.seen.events.suffix(3) == ["inactive", "unregistered", "removed"])
    }

    @Test func theOutputEndsOnceItIsFlushed() throws {
        let scene = try Scene()
        scene.peer.stopReading()
        scene.channel.writeAndFlush(ByteBuffer(repeating: 1, count: 100_000), promise: nil)
        var isDone = false
        scene.channel.close(mode: .output).assumeIsolated().whenSuccess { isDone = true }
        scene.run()
        #expect(!isDone)
        var late: (any Error)?
        scene.channel.writeAndFlush(ByteBuffer(string: "x")).assumeIsolated().whenFailure { late = $0 }
        scene.peer.resumeReading()
        scene.run()
        #expect(isDone)
        #expect(late as? ChannelError == .outputClosed)
        #expect(scene.peer.received.count == 100_000)
        #expect(scene.seen.events.contains("outputClosed"))
        scene.send("still heard")
        #expect(scene.seen.events.contains("read still heard"))
    }

    @Test func readingIsAskedForWhereItIsNotAutomatic() throws {
        let scene = try Scene { try $0.syncOptions?.setOption(.autoRead, value: false) }
        scene.send("a")
        scene.send("b")
        #expect(scene.seen.events == ["registered", "active"])
        scene.channel.read()
        scene.run()
        #expect(scene.seen.events == ["registered", "active", "read a", "complete"])
        try scene.channel.syncOptions?.setOption(.autoRead, value: true)
        scene.run()
        #expect(scene.seen.events.suffix(2) == ["read b", "complete"])
        try scene.channel.syncOptions?.setOption(.autoRead, value: false)
        scene.send("c")
        #expect(scene.seen.events.last == "complete")
        #expect(!scene.seen.events.contains("read c"))
    }

    @Test func writabilityGoesByItsMarksAndPromisesByTheTransport() throws {
        let scene = try Scene {
            try $0.syncOptions?.setOption(.writeBufferWaterMark, value: .init(low: 10, high: 20))
        }
        scene.peer.stopReading()
        var done: [Int] = []
        for (index, count) in [20, 1, 5].enumerated() {
            scene.channel.writeAndFlush(ByteBuffer(repeating: 1, count: count)).assumeIsolated().whenSuccess {
                done.append(index)
            }
            #expect(scene.channel.isWritable == (index == 0))
        }
        scene.run()
        #expect(done.isEmpty)
        #expect(scene.seen.events.suffix(1) == ["unwritable"])
        scene.peer.resumeReading()
        scene.run()
        #expect(done == [0, 1, 2])
        #expect(scene.seen.events.suffix(1) == ["writable"])
        #expect(scene.channel.isWritable)
    }

    @Test func closingDropsWhatIsNotOnItsWay() throws {
        let scene = try Scene()
        var failure: (any Error)?
        scene.channel.write(ByteBuffer(string: "unflushed")).assumeIsolated().whenFailure { failure = $0 }
        scene.channel.close(promise: nil)
        #expect(failure as? ChannelError == .ioOnClosedChannel)
        scene.run()
        #expect(scene.peer.received.isEmpty)
        var again: (any Error)?
        scene.channel.close().assumeIsolated().whenFailure { again = $0 }
        scene.channel.writeAndFlush(ByteBuffer(string: "x")).assumeIsolated().whenFailure { failure = $0 }
        scene.run()
        #expect(again as? ChannelError == .alreadyClosed)
        #expect(failure as? ChannelError == .ioOnClosedChannel)
    }

    @Test func aResetIsAnErrorAndThenTheEnd() throws {
        let scene = try Scene()
        scene.peer.reset()
        scene.run()
        #expect((scene.seen.errors.first as? IOError)?.errnoCode == 104)
        #expect(scene.seen.events.suffix(3) == ["inactive", "unregistered", "removed"])
    }

    @Test func aClosedLoopCompletesEverything() throws {
        let scene = try Scene()
        scene.peer.stopReading()
        var closed = false
        var failed = false
        scene.channel.closeFuture.assumeIsolated().whenSuccess { closed = true }
        scene.channel.writeAndFlush(ByteBuffer(repeating: 1, count: 10)).assumeIsolated().whenFailure { _ in
            failed = true
        }
        scene.loop.closeLoop()
        #expect(closed && failed)
    }

    @Test func callsThatMakeNoSenseFail() throws {
        let scene = try Scene()
        var errors: [any Error] = []
        func note(_ future: EventLoopFuture<Void>) { future.assumeIsolated().whenFailure { errors.append($0) } }
        let address = try NIOCore.SocketAddress(ipAddress: "127.0.0.1", port: 1)
        note(scene.channel.bind(to: address))
        note(scene.channel.connect(to: address))
        note(scene.channel.register())
        note(scene.channel.setOption(.backlog, value: 1))
        note(scene.channel.triggerUserOutboundEvent("x"))
        scene.run()
        #expect(
            errors.map { $0 as? ChannelError } == [
                .inappropriateOperationForState, .inappropriateOperationForState, .inappropriateOperationForState,
                .operationUnsupported, .operationUnsupported,
            ])
    }

    @Test func timersOfHandlersRunOnTheLoopsClock() throws {
        let scene = try Scene()
        let loop = scene.channel.eventLoop
        var order: [String] = []
        let start = loop.now
        loop.assumeIsolated().scheduleTask(in: .seconds(2)) { order.append("two") }
        loop.assumeIsolated().scheduleTask(in: .seconds(1)) { order.append("one") }
        loop.scheduleTask(in: .seconds(1)) {}.cancel()
        loop.assumeIsolated().execute { order.append("now") }
        scene.run()
        #expect(order == ["now"])
        scene.loop.advance(by: .seconds(2))
        #expect(order == ["now", "one", "two"])
        #expect(loop.now - start == .seconds(2))
    }

    @Test func handlersRunOnTheEventLoopOfTheMode() throws {
        let memory = MemoryLoop()
        #expect(NIOEventLoops.eventLoop(of: memory) is LoopEventLoop)
        let compat = try CompatLoop()
        defer { compat.closeLoop() }
        #expect(NIOEventLoops.eventLoop(of: compat) is LoopEventLoop)
        let native = try NativeLoop()
        #expect(NIOEventLoops.eventLoop(of: native) is NativeEventLoop)
        native.closeLoop()
        let nio = try NIOLoop()
        #expect(NIOEventLoops.eventLoop(of: nio) === nio.eventLoop)
        nio.closeLoop()
    }
}
