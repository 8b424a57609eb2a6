import NIOCore

/// The loop as an executor of actors and tasks.
enum ExecutorCases {
    static let cases: [NIOBatteryCase] = [
        NIOBatteryCase("executor/an-actor-on-the-loop", "EventLoop.executor: isolates an actor to the loop") {
            let loop = try $0.loop()
            let actor = LoopActor(loop)
            try expect(await actor.isOnLoop(), "the actor's method ran off the loop")
            try expect(!loop.inEventLoop, "the caller stayed on the loop")
        },
        NIOBatteryCase(
            "executor/after-suspension-too", "EventLoop.executor: every part of an actor's method is on the loop"
        ) {
            let loop = try $0.loop()
            let actor = LoopActor(loop)
            try expectEqual(await actor.suspends(), [true, true, true], "being on the loop")
        },
        NIOBatteryCase("executor/one-at-a-time", "SerialExecutor: an actor's jobs never run at the same time") {
            let actor = LoopActor(try $0.loop())
            await withTaskGroup(of: Void.self) { group in
                for _ in 0..<100 { group.addTask { await actor.count() } }
            }
            try expectEqual(await actor.counted, 100, "the count")
        },
        NIOBatteryCase("executor/between-two-loops", "EventLoop.executor: actors of two loops call one another") {
            let (one, two) = (LoopActor(try $0.loop()), LoopActor(try $0.loop()))
            try expectEqual(await one.asks(two), [true, true, true], "being on the right loop")
        },
        NIOBatteryCase("executor/assume-isolated", "SerialExecutor: on the loop, an actor's isolation may be assumed") {
            let loop = try $0.loop()
            let actor = LoopActor(loop)
            let counted = try await loop.submit {
                actor.preconditionIsolated()
                return actor.assumeIsolated { actor in
                    actor.counted += 1
                    return actor.counted
                }
            }.value("the task")
            try expectEqual(counted, 1, "the count")
        },
        NIOBatteryCase(
            "executor/futures-in-an-actor", "EventLoopFuture.get: in an actor of the loop it comes back to the loop"
        ) {
            let loop = try $0.loop()
            let actor = LoopActor(loop)
            try expect(try await actor.awaits(loop.scheduleTask(in: .milliseconds(1)) {}.futureResult), "off the loop")
        },
        NIOBatteryCase("executor/tasks-and-jobs-in-order", "EventLoop.enqueue: a job is submitted as a task is") {
            let loop = try $0.loop()
            let actor = LoopActor(loop)
            let journal = Journal<String>()
            loop.execute { journal.add("task") }
            await actor.perform { journal.add("job") }
            loop.execute { journal.add("last") }
            try expectEqual(try await journal.wait("all three", count: 3), ["task", "job", "last"], "the order")
        },
    ]
}

/// An actor whose executor is a loop.
private actor LoopActor {
    nonisolated let loop: any EventLoop
    var counted = 0

    nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe loop.executor.asUnownedSerialExecutor() }

    init(_ loop: any EventLoop) {
        self.loop = loop
    }

    func isOnLoop() -> Bool { loop.inEventLoop }

    func count() { counted += 1 }

    func perform(_ body: @Sendable () -> Void) { body() }

    func suspends() async -> [Bool] {
        let first = loop.inEventLoop
        await Task.yield()
        let second = loop.inEventLoop
        await elsewhere()
        return [first, second, loop.inEventLoop]
    }

    func asks(_ other: LoopActor) async -> [Bool] {
        let before = loop.inEventLoop
        let there = await other.isOnLoop()
        return [before, there, loop.inEventLoop]
    }

    func awaits(_ future: EventLoopFuture<Void>) async throws -> Bool {
        try await future.get()
        return loop.inEventLoop
    }
}

@concurrent private func elsewhere() async {}
