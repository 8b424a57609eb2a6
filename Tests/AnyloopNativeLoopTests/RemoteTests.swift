import AnyloopCore
import Synchronization
import Testing

@testable import AnyloopNativeLoop

/// Other threads, Swift tasks, loops on threads.
@Suite struct RemoteTests {
    @Test(arguments: PollerKind.allCases)
    func postsOfManyThreadsAllArriveEachThreadsInOrder(_ poller: PollerKind) throws {
        let loop = try makeLoop(poller)
        defer { loop.closeLoop() }
        let remote = loop.remote
        let seen = Shared<[[Int]]>(Array(repeating: [], count: 4))
        let threads = try (0..<4).map { number in
            try LoopThread { _ in
                for value in 0..<500 {
                    remote.callSoonThreadsafe { seen.withLock { $0[number].append(value) } }
                }
            }
        }
        while seen.withLock({ $0.reduce(0) { $0 + $1.count } }) < 2000 { try loop.runOnce(timeout: nil) }
        for thread in threads { try thread.join() }
        #expect(seen.withLock { $0 } == Array(repeating: Array(0..<500), count: 4))
    }

    @Test func aPostIsRefusedOnceTheLoopIsClosed() throws {
        let loop = try makeLoop(.epoll)
        let remote = loop.remote
        #expect(remote.callSoonThreadsafe {})
        loop.closeLoop()
        #expect(!remote.callSoonThreadsafe { Issue.record("ran on a closed loop") })
    }

    @Test func aPostByTheLoopsOwnThreadNeedsNoWakeUp() throws {
        let loop = try makeLoop(.epoll)
        defer { loop.closeLoop() }
        let ran = Shared(false)
        loop.remote.callSoonThreadsafe { ran.withLock { $0 = true } }
        // Would wait for ever if the turn did not look first.
        try loop.runOnce(timeout: nil)
        #expect(ran.withLock { $0 })
    }

    private actor Counter {
        let executor: NativeExecutor
        var count = 0
        init(_ executor: NativeExecutor) { self.executor = executor }
        nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe executor.asUnownedSerialExecutor() }
        func add() -> Bool {
            count += 1
            return executor.isIsolatingCurrentContext() == true
        }
    }

    @Test func actorsAndTasksRunOnTheLoop() throws {
        let loop = try makeLoop(.epoll)
        defer { loop.closeLoop() }
        let counter = Counter(loop.executor)
        let executor = loop.taskExecutor
        let remote = loop.remote
        let results = Shared<[Bool]>([])
        Task(executorPreference: executor) { @Sendable in
            for _ in 0..<100 {
                let onLoop = await counter.add()
                results.withLock { $0.append(onLoop && remote.isOnLoopThread) }
                await Task.yield()
            }
        }
        Task.detached {
            for _ in 0..<100 {
                let onLoop = await counter.add()
                results.withLock { $0.append(onLoop) }
            }
        }
        // The detached task writes its last result elsewhere, after the loop's last callback: nothing wakes the loop.
        while results.withLock({ $0.count }) < 200 { try loop.runOnce(timeout: .milliseconds(5)) }
        #expect(results.withLock { $0.allSatisfy { $0 } })
    }

    @Test func tasksEndAlsoAfterTheLoopIsClosed() async throws {
        let executor: NativeTaskExecutor
        let task: Task<Int, Never>
        do {
            let loop = try makeLoop(.epoll)
            executor = loop.taskExecutor
            task = Task(executorPreference: executor) {
                var sum = 0
                for value in 0..<50 {
                    sum += value
                    await Task.yield()
                }
                return sum
            }
            loop.closeLoop()
        }
        #expect(await task.value == 1225)
    }

    @Test func loopThreadsHandTheirErrorsOver() throws {
        let thread = try LoopThread { _ in throw TransportError.usage("as planned") }
        let error = #expect(throws: TransportError.self) { try thread.join() }
        #expect(error?.description == "as planned")
    }

    @Test func aGroupSharesOnePortByReusePort() throws {
        let first = try makeLoop(.epoll)
        defer { first.closeLoop() }
        var options = ServerOptions()
        options.reusePort = true
        let server = try first.createServer(on: [.loopback(port: 0)], options: options) { Accepted() }
        let chosen = try #require(server.addresses.first?.port)
        let listening = Shared(0)
        let group = try LoopGroup(count: 3) { loop, _ in
            var options = ServerOptions()
            options.reusePort = true
            let server = try loop.createServer(on: [.loopback(port: chosen)], options: options) { Accepted() }
            listening.withLock { $0 += 1 }
            defer { server.close() }
            try loop.run()
        }
        #expect(group.threads.count == 3)
        while listening.withLock({ $0 }) < 3 { try first.runOnce(timeout: .milliseconds(1)) }
        group.stop()
        try group.join()
    }

    private final class Accepted: StreamProtocol {
        func dataReceived(_ data: Span<UInt8>) {}
    }

    @Test func onlyOneLoopRunsOnAThread() throws {
        let outer = try makeLoop(.epoll)
        let inner = try makeLoop(.poll)
        defer {
            outer.closeLoop()
            inner.closeLoop()
        }
        var text = ""
        var running: NativeLoop?
        outer.callSoon {
            running = NativeLoop.running
            do { try inner.runOnce(timeout: .zero) } catch { text = "\(error)" }
        }
        try outer.runOnce(timeout: .zero)
        #expect(text == "Cannot run the event loop while another loop is running")
        #expect(running === outer)
        #expect(NativeLoop.running == nil)
    }
}

/// A value that several threads change.
final class Shared<Value: Sendable>: Sendable {
    private let value: Mutex<Value>

    init(_ value: Value) {
        self.value = Mutex(value)
    }

    func withLock<Result: Sendable>(_ body: (inout sending Value) -> sending Result) -> Result { value.withLock(body) }
}
