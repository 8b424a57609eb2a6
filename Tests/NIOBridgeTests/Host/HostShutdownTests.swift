import AnyloopCore
import AnyloopNativeLoop
import Dispatch
import NIOBridge
import NIOConcurrencyHelpers
import NIOCore
import Testing

/// Ends: whatever is open when a group is shut down closes, and every promise is completed.
@Suite struct HostShutdownTests {
    /// How many promises ended, and how.
    private final class Tally: Sendable {
        let counts = NIOLockedValueBox((made: 0, succeeded: 0, failed: 0))

        func watch<Value>(_ future: EventLoopFuture<Value>) {
            counts.withLockedValue { $0.made += 1 }
            future.whenComplete { result in
                self.counts.withLockedValue { counts in
                    switch result {
                    case .success: counts.succeeded += 1
                    case .failure: counts.failed += 1
                    }
                }
            }
        }

        var completed: Int { counts.withLockedValue { $0.succeeded + $0.failed } }
        var made: Int { counts.withLockedValue { $0.made } }
    }

    @Test func completesEveryPromise() async throws {
        let group = try NativeEventLoopGroup(numberOfThreads: 2)
        let tally = Tally()
        let server = try await NativeServerBootstrap(group: group)
            .childChannelInitializer { child in
                tally.watch(child.closeFuture)
                // Nobody reads, so that writes queue up.
                return child.setOption(.autoRead, value: false)
            }
            .bindLocally()
        tally.watch(server.closeFuture)
        for _ in 0..<20 {
            let client = try await NativeClientBootstrap(group: group).connect(toServer: server)
            tally.watch(client.closeFuture)
            for _ in 0..<10 {
                let promise = client.eventLoop.makePromise(of: Void.self)
                client.write(ByteBuffer(repeating: 1, count: 100_000), promise: promise)
                tally.watch(promise.futureResult)
            }
            client.flush()
            tally.watch(client.write(ByteBuffer(string: "not flushed")))
            tally.watch(client.eventLoop.scheduleTask(in: .hours(1)) {}.futureResult)
        }
        try await group.shutdownGracefully()
        #expect(tally.made > 20 * 13)
        #expect(tally.completed == tally.made)
        #expect(!server.isActive)
    }

    @Test func pendingTimersFailWithShutdown() async throws {
        let group = try NativeEventLoopGroup(numberOfThreads: 1)
        let later = group.next().scheduleTask(in: .hours(1)) {}
        let handler = CancelledHandler()
        try group.next().scheduleCallback(in: .hours(1), handler: handler)
        try await group.shutdownGracefully()
        await #expect(throws: EventLoopError.shutdown) { try await later.futureResult.get() }
        #expect(handler.isCancelled.withLockedValue { $0 } == 1)
    }

    private final class CancelledHandler: NIOScheduledCallbackHandler, Sendable {
        let isCancelled = NIOLockedValueBox(0)

        func handleScheduledCallback(eventLoop: some EventLoop) {}
        func didCancelScheduledCallback(eventLoop: some EventLoop) { isCancelled.withLockedValue { $0 += 1 } }
    }

    @Test func afterwardsPromisesStillComplete() async throws {
        let group = try NativeEventLoopGroup(numberOfThreads: 1)
        let loop = group.next()
        let channel = try await NativeServerBootstrap(group: group).bindLocally()
        try await group.shutdownGracefully()
        #expect(!loop.inEventLoop)
        let promise = loop.makePromise(of: Int.self)
        promise.succeed(3)
        #expect(try await promise.futureResult.get() == 3)
        #expect(try await loop.submit { 4 }.get() == 4)
        await #expect(throws: EventLoopError.shutdown) {
            try await loop.scheduleTask(in: .nanoseconds(0)) {}.futureResult.get()
        }
        #expect(throws: EventLoopError.shutdown) {
            try loop.scheduleCallback(in: .nanoseconds(0), handler: CancelledHandler())
        }
        await #expect(throws: ChannelError.self) { try await channel.close().get() }
        await #expect(throws: (any Error).self) { try await NativeServerBootstrap(group: group).bindLocally() }
    }

    @Test func shutsDownOnceHoweverOftenItIsAsked() async throws {
        let group = try NativeEventLoopGroup(numberOfThreads: 2)
        async let first: Void = group.shutdownGracefully()
        async let second: Void = group.shutdownGracefully()
        _ = try await (first, second)
        try await group.shutdownGracefully()
        await #expect(throws: EventLoopError.unsupportedOperation) { try await group.next().shutdownGracefully() }
    }

    /// A task that queues itself for ever does not keep the loop from ending: the rest is dropped after
    /// `NativeEventLoop.lastRounds` rounds. NIO traps there.
    @Test func endsUnderTasksWithoutEnd() throws {
        let native = try NativeLoop()
        let loop = try NativeEventLoop.on(native)
        let rounds = NIOLockedValueBox(0)
        @Sendable func again() {
            rounds.withLockedValue { $0 += 1 }
            loop.execute(again)
        }
        loop.execute(again)
        native.closeLoop()
        #expect(rounds.withLockedValue { $0 } == 1000)
    }

    /// Tasks that queue one another are run up to the limit, and one more than that is dropped.
    @Test(arguments: [(1, 0), (1000, 0), (1001, 1)]) func runsWhatEndsInTime(length: Int, dropped: Int) throws {
        let native = try NativeLoop()
        let loop = try NativeEventLoop.on(native)
        let left = NIOLockedValueBox(length)
        @Sendable func again() {
            if left.withLockedValue({ left in
                left -= 1
                return left > 0
            }) {
                loop.execute(again)
            }
        }
        loop.execute(again)
        native.closeLoop()
        #expect(left.withLockedValue { $0 } == dropped)
    }

    @Test func waitsForTheThreads() throws {
        let group = try NativeEventLoopGroup(numberOfThreads: 1)
        try group.syncShutdownGracefully()
        try group.syncShutdownGracefully()
    }

    @Test func refusesNoThreads() {
        #expect(throws: TransportError.self) { try NativeEventLoopGroup(numberOfThreads: 0) }
    }

    /// NIO's channels and a loop of ours on one thread, until the loop is closed.
    @Test func sharesALoop() throws {
        let native = try NativeLoop()
        let loop = try NativeEventLoop.on(native)
        #expect(try NativeEventLoop.on(native) === loop)
        var order: [String] = []
        native.callSoon { order.append("ours") }
        loop._executeIsolatedUnsafeUnchecked { order.append("NIO's") }
        let timer = loop.scheduleTask(in: .milliseconds(1)) {}
        let later = loop.scheduleTask(in: .hours(1)) {}
        timer.futureResult.whenComplete { _ in NativeLoop.running?.stop() }
        let channel = NIOLockedValueBox<(any Channel)?>(nil)
        NativeServerBootstrap(group: loop).bind(host: "127.0.0.1", port: 0).whenSuccess { made in
            channel.withLockedValue { $0 = made }
        }
        try native.run()
        #expect(order == ["ours", "NIO's"])
        let failure = NIOLockedValueBox<(any Error)?>(nil)
        later.futureResult.whenFailure { error in failure.withLockedValue { $0 = error } }
        let isClosed = NIOLockedValueBox(false)
        channel.withLockedValue { $0 }?.closeFuture.whenSuccess { isClosed.withLockedValue { $0 = true } }
        native.closeLoop()
        #expect(failure.withLockedValue { $0 } as? EventLoopError == .shutdown)
        #expect(isClosed.withLockedValue { $0 })
        #expect(throws: TransportError.self) { try NativeEventLoop.on(native) }
    }

    @Test func aSharedLoopOutlivesItsGuest() throws {
        let native = try NativeLoop()
        defer { native.closeLoop() }
        let loop = try NativeEventLoop.on(native)
        let isDone = NIOLockedValueBox(false)
        let remote = native.remote
        loop.shutdownGracefully(queue: .global()) { error in
            isDone.withLockedValue { $0 = error == nil }
            _ = remote.callSoonThreadsafe { NativeLoop.running?.stop() }
        }
        try native.run()
        #expect(isDone.withLockedValue { $0 })
        var isRun = false
        native.callSoon { isRun = true }
        try native.runOnce(timeout: .zero)
        #expect(isRun)
        #expect(try NativeEventLoop.on(native) !== loop)
    }
}
