import AnyloopAsync
import AnyloopCore
import AnyloopTesting
import Synchronization
import Testing

@Suite struct TaskTests {
    // MARK: Turns

    @Test("rules 2, 28: awaiting what does not suspend takes no turn and no hop", arguments: LoopKind.allCases)
    func noHop(_ kind: LoopKind) throws {
        try kind.run { loop in
            let counter = TurnCounter(loop)
            try await loop.sleep(for: .zero)
            let start = counter.turns
            var sum = 0
            for number in 0..<100 { sum += await plain(number) }
            let done = loop.createFuture(of: Int.self)
            try done.setResult(1)
            for _ in 0..<100 { sum += try await done.value }
            sum += try await loop.timeout(after: .seconds(60)) { _ in await plain(5) }
            #expect(sum == 4950 + 100 + 5)
            #expect(counter.turns == start)
            #expect(loop.remote.isOnLoopThread)
            counter.stop()
        }
    }

    @Test("rule 28: a suspension takes exactly one turn", arguments: LoopKind.allCases)
    func oneTurnASuspension(_ kind: LoopKind) throws {
        try kind.run { loop in
            let counter = TurnCounter(loop)
            for count in 1...20 {
                let start = counter.turns
                switch count % 2 {
                case 0: try await loop.sleep(for: .zero)
                default:
                    // The counter's own callback stands before it in the queue.
                    let future = loop.createFuture(of: Void.self)
                    try future.setResult()
                    #expect(counter.turns == start)
                    try await future.value
                    #expect(counter.turns == start)
                    let pending = loop.createFuture(of: Void.self)
                    loop.callSoon { try pending.setResult() }
                    try await pending.value
                    #expect(counter.turns == start + 2)
                    continue
                }
                #expect(counter.turns == start + 1)
            }
            counter.stop()
        }
    }

    @Test(
        "rule 29: a task starts in the next turn, its callbacks run in the turn after its end",
        arguments: LoopKind.allCases)
    func order(_ kind: LoopKind) throws {
        let journal = Journal()
        try kind.run { loop in
            loop.callSoon { journal("before") }
            let task = loop.createTask(name: "mine") {
                journal("body")
                loop.callSoon { journal("from the body") }
                return loop.currentTask?.name ?? "none"
            }
            loop.callSoon { journal("after") }
            task.addDoneCallback { journal("done \(try $0.result())") }
            journal("created")
            let name = try await task.value
            #expect(name == "mine")
            journal("awaited")
        }
        #expect(journal.entries == ["created", "before", "body", "after", "from the body", "done mine", "awaited"])
    }

    // MARK: Names and misuse

    @Test("rule 29: names, current task, all tasks", arguments: LoopKind.allCases)
    func names(_ kind: LoopKind) throws {
        try kind.run { loop in
            let here = try #require(loop.currentTask)
            #expect(here.name == "Task-1")
            let task = loop.createTask { loop.currentTask?.name }
            #expect(task.name == "Task-2")
            task.name = "renamed"
            #expect(Set(loop.allTasks.map(\.name)) == ["Task-1", "renamed"])
            #expect(try await task.value == "renamed")
            #expect(loop.allTasks.map(\.name) == ["Task-1"])
            let inCallback = loop.createFuture(of: Bool.self)
            loop.callSoon { try inCallback.setResult(loop.currentTask == nil) }
            #expect(try await inCallback.value)
            // A task of Swift's inside is another one.
            let bound = LoopBound(loop, to: loop.remote)
            let isTheirs = await Task(executorPreference: loop.loopTaskExecutor) { bound.value.currentTask != nil }
                .value
            #expect(!isTheirs)
        }
    }

    @Test("rule 29: only the body finishes a task", arguments: LoopKind.allCases)
    func misuseOfTasks(_ kind: LoopKind) throws {
        try kind.run { loop in
            let task = loop.createTask { 1 }
            #expect(await misuse { _ = try task.result() } == .invalidState("Result is not set."))
            #expect(await misuse { try task.setResult(2) } == .state("Task does not support set_result operation"))
            #expect(
                await misuse { try task.setError(Broken()) } == .state("Task does not support set_exception operation"))
            let value = try await task.value
            #expect(value == 1)
        }
    }

    @Test("rule 29: a task's error that nobody fetched is told to the exception handler", arguments: LoopKind.allCases)
    func unretrieved(_ kind: LoopKind) throws {
        let journal = Journal()
        try kind.run { loop in
            loop.exceptionHandler = { journal("\($0.message): \($0.error as? Broken == Broken())") }
            loop.createTask { throw Broken() }
            let fetched = loop.createTask { throw Broken() }
            await #expect(throws: Broken.self) { try await fetched.value }
            loop.createTask { throw CancellationError() }
            try await loop.sleep(for: .milliseconds(1))
        }
        #expect(journal.entries == ["Task exception was never retrieved: true"])
    }

    // MARK: Cancelling

    @Test("rule 29: a cancellation is thrown once, and the body may go on", arguments: LoopKind.allCases)
    func cancelledOnce(_ kind: LoopKind) throws {
        let journal = Journal()
        try kind.run { loop in
            let task = loop.createTask {
                do { try await loop.sleep(for: .seconds(60)) } catch { journal(named(error)) }
                try await loop.sleep(for: .milliseconds(1))
                journal("cleaned up")
                return 5
            }
            try await loop.sleep(for: .zero)
            #expect(task.cancel())
            #expect(task.cancelRequestCount == 1)
            #expect(task.uncancel() == 0)
            #expect(try await task.value == 5)
            #expect(!task.cancel() && !task.isCancelled)
        }
        #expect(journal.entries == ["cancelled", "cleaned up"])
    }

    @Test(
        "rule 29: a task cancelled before its start never runs; one at its end is cancelled",
        arguments: LoopKind.allCases)
    func cancelledEarlyAndLate(_ kind: LoopKind) throws {
        let journal = Journal()
        try kind.run { loop in
            let early = loop.createTask { journal("early") }
            early.cancel()
            let box = Box<LoopTask<Int>>()
            let own = loop.createTask {
                box.value?.cancel()
                return 1
            }
            box.value = own
            try await loop.sleep(for: .zero)
            try await loop.sleep(for: .zero)
            #expect(early.isCancelled && own.isCancelled)
            let selfish = loop.createTask {
                box.value?.cancel()
                do { try await loop.sleep(for: .seconds(60)) } catch { journal(named(error)) }
            }
            box.value = nil
            let holder = Box<LoopTask<Void>>()
            holder.value = selfish
            try await loop.sleep(for: .zero)
            selfish.cancel()
            try await selfish.value
            _ = holder
        }
        #expect(journal.entries == ["cancelled"])
    }

    @Test("rule 29: a cancellation on top of an answer takes its place", arguments: LoopKind.allCases)
    func cancelledBetweenAnswerAndWakeUp(_ kind: LoopKind) throws {
        try kind.run { loop in
            let future = loop.createFuture(of: Int.self)
            let task = loop.createTask { try await future.value }
            try await loop.sleep(for: .zero)
            try future.setResult(1)
            task.cancel()
            do {
                _ = try await task.value
                Issue.record("the cancellation was lost")
            } catch { #expect(named(error) == "cancelled") }
            #expect(try future.result() == 1)
        }
    }

    @Test("rule 29: cancelling reaches through tasks, to Swift's own waits as well", arguments: LoopKind.allCases)
    func cancellationReachesInside(_ kind: LoopKind) throws {
        let journal = Journal()
        try kind.run { loop in
            let inner = loop.createTask {
                do { try await loop.sleep(for: .seconds(60)) } catch {
                    journal("inner \(named(error))")
                    throw error
                }
            }
            let outer = loop.createTask { try await inner.value }
            let foreign = loop.createTask { try await Task.sleep(for: .seconds(60)) }
            try await loop.sleep(for: .milliseconds(1))
            outer.cancel()
            foreign.cancel()
            for task in [outer, foreign] {
                do {
                    try await task.value
                    Issue.record("the task went on")
                } catch { journal("outer \(named(error))") }
            }
            #expect(inner.isCancelled && outer.isCancelled && foreign.isCancelled)
        }
        #expect(journal.entries == ["inner cancelled", "outer cancelled", "outer cancelled"])
    }

    @Test("rules 10, 29: a task outlives the run that it was made in", arguments: LoopKind.allCases)
    func tasksGoOnInTheNextRun(_ kind: LoopKind) throws {
        let loop = try kind.make()
        defer { loop.closeLoop() }
        let task = try loop.runUntilComplete {
            loop.createTask {
                try await loop.sleep(for: .milliseconds(2))
                return "later"
            }
        }
        #expect(!task.isDone)
        #expect(try loop.runUntilComplete(task) == "later")
    }

    @Test("rule 11: a body refused because another loop runs never starts", arguments: LoopKind.allCases)
    func refusedWhileAnotherRuns(_ kind: LoopKind) throws {
        let journal = Journal()
        let other = try kind.makeAnother()
        defer { other.closeLoop() }
        try kind.run { loop in
            do { try other.runUntilComplete { journal("ran") } } catch { journal("\(error)") }
            do { try loop.runUntilComplete { journal("ran") } } catch { journal("\(error)") }
        }
        try other.runUntilComplete {}
        #expect(
            journal.entries == [
                "Cannot run the event loop while another loop is running", "This event loop is already running",
            ])
    }
}

/// Not of the loop's, and never suspends.
private func plain(_ number: Int) async -> Int { number }

/// A variable that closures share.
final class Box<Value> {
    var value: Value?
}
