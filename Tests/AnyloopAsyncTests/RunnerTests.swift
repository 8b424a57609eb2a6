import AnyloopAsync
import AnyloopCore
import AnyloopNativeLoop
import AnyloopTesting
import NIOBridge
import Testing

@Suite struct RunnerTests {
    @Test("rules 9, 12, 29, 30: run cancels what is left, ends the executor and closes", arguments: LoopKind.allCases)
    func runCleansUp(_ kind: LoopKind) throws {
        let journal = Journal()
        let seen = Box<any TaskLoop>()
        func main(_ loop: some TaskLoop) async throws -> Int {
            seen.value = loop
            loop.exceptionHandler = { journal("\($0.message): \($0.error.map(named) ?? "")") }
            for number in 1...2 {
                loop.createTask {
                    do { try await loop.sleep(for: .seconds(60)) } catch {
                        try await loop.sleep(for: .milliseconds(1))
                        journal("task \(number) \(named(error))")
                        if number == 2 { throw Broken() }
                    }
                }
            }
            try await loop.sleep(for: .zero)
            return 8
        }
        let result =
            switch kind {
            case .native: try run(loopFactory: { try NativeLoop() }) { try await main($0) }
            case .compat: try run(loopFactory: { try CompatLoop() }) { try await main($0) }
            case .nio: try run(loopFactory: { try NIOLoop() }) { try await main($0) }
            }
        #expect(result == 8)
        #expect(seen.value?.isClosed == true)
        #expect(
            journal.entries.sorted() == [
                "task 1 cancelled", "task 2 cancelled",
                "unhandled exception during asyncio.run() shutdown: Broken(name: \"broken\")",
            ])
    }

    @Test("rule 9: run throws what main throws, and closes") func runThrows() throws {
        let seen = Box<CompatLoop>()
        #expect(throws: Broken()) {
            try run(loopFactory: { try CompatLoop() }) { loop in
                seen.value = loop
                throw Broken()
            }
        }
        #expect(seen.value?.isClosed == true)
    }

    @Test("rule 18: a coroutine from another thread", arguments: LoopKind.allCases)
    func fromAnotherThread(_ kind: LoopKind) async throws {
        // The loop has a thread of its own: one of the pool's, blocked by it, might be the one that must go on.
        let (remotes, made) = AsyncStream<any LoopRemote>.makeStream()
        let thread = try LoopThread { native in
            guard kind == .compat else {
                made.yield(native.remote)
                return try native.run()
            }
            let loop = try CompatLoop()
            defer { loop.closeLoop() }
            made.yield(loop.remote)
            try loop.run()
        }
        var iterator = remotes.makeAsyncIterator()
        let remote = try #require(await iterator.next())
        let text = try await remote.runCoroutineThreadsafe { loop in
            try await loop.sleep(for: .milliseconds(1))
            return "\(loop.remote.isOnLoopThread) \(loop.currentTask?.name ?? "")"
        }.value
        #expect(text == "true Task-1")
        await #expect(throws: Broken()) { try await remote.runCoroutineThreadsafe { _ in throw Broken() }.value }
        let sleeping = remote.runCoroutineThreadsafe { loop in try await loop.sleep(for: .seconds(60)) }
        sleeping.cancel()
        do {
            try await sleeping.value
            Issue.record("it slept")
        } catch { #expect(named(error) == "cancelled") }
        remote.callSoonThreadsafe { remote.runningLoop?.stop() }
        try thread.join()
    }

    @Test("rule 12: a closed loop takes no coroutine", arguments: LoopKind.allCases)
    func closedLoops(_ kind: LoopKind) async throws {
        let (remote, queued, running) = try Self.closedLoop(kind)
        for task in [queued, running, remote.runCoroutineThreadsafe { _ in 3 }] {
            do {
                _ = try await task.value
                Issue.record("a closed loop ran a coroutine")
            } catch { #expect("\(error)" == "Event loop is closed") }
        }
    }

    /// A closed loop's remote, with a call that was still queued and one that was under way.
    private static func closedLoop(
        _ kind: LoopKind
    ) throws -> (any LoopRemote, Task<Int, any Error>, Task<Int, any Error>) {
        let loop = try kind.make()
        let running = loop.remote.runCoroutineThreadsafe { loop in
            try await loop.sleep(for: .seconds(60))
            return 1
        }
        try loop.runUntilComplete { try await loop.sleep(for: .milliseconds(1)) }
        let queued = loop.remote.runCoroutineThreadsafe { _ in 2 }
        loop.closeLoop()
        return (loop.remote, queued, running)
    }
}
