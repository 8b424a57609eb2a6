import AnyloopAsync
import AnyloopCore
import Testing

@Suite struct FutureTests {
    @Test("rule 28: done callbacks run by callSoon in the order of registration", arguments: LoopKind.allCases)
    func callbacksInOrder(_ kind: LoopKind) throws {
        let journal = Journal()
        try kind.run { loop in
            let future = loop.createFuture(of: Int.self)
            future.addDoneCallback { journal("first \(try $0.result())") }
            future.addDoneCallback { _ in journal("second") }
            let gone = future.addDoneCallback { _ in journal("removed") }
            #expect(future.removeDoneCallback(gone))
            #expect(!future.removeDoneCallback(gone))
            loop.callSoon { journal("before") }
            try future.setResult(7)
            loop.callSoon { journal("after") }
            journal("set")
            future.addDoneCallback { _ in journal("late") }
            try await loop.sleep(for: .zero)
        }
        #expect(journal.entries == ["set", "before", "first 7", "second", "after", "late"])
    }

    @Test("rule 28: a task that awaits goes on in its place among the callbacks", arguments: LoopKind.allCases)
    func awaitersAmongCallbacks(_ kind: LoopKind) throws {
        let journal = Journal()
        try kind.run { loop in
            let future = loop.createFuture(of: Int.self)
            future.addDoneCallback { _ in journal("first") }
            let waiting = loop.createTask {
                journal("value \(try await future.value)")
                loop.callSoon { journal("from the task") }
            }
            try await loop.sleep(for: .zero)
            future.addDoneCallback { _ in journal("third") }
            try future.setResult(1)
            try await waiting.value
            try await loop.sleep(for: .zero)
        }
        #expect(journal.entries == ["first", "value 1", "third", "from the task"])
    }

    @Test("rule 28: results, errors and misuse in asyncio's words", arguments: LoopKind.allCases)
    func states(_ kind: LoopKind) throws {
        try kind.run { loop in
            let future = loop.createFuture(of: Int.self)
            #expect(!future.isDone && !future.isCancelled)
            #expect(await misuse { _ = try future.result() } == .invalidState("Result is not set."))
            #expect(await misuse { _ = try future.exception() } == .invalidState("Exception is not set."))
            try future.setResult(3)
            #expect(try future.result() == 3)
            #expect(try future.exception() == nil)
            #expect(try await future.value == 3)
            #expect(await misuse { try future.setResult(4) } == .invalidState("invalid state"))
            #expect(await misuse { try future.setError(Broken()) } == .invalidState("invalid state"))
            #expect(!future.cancel())
            #expect(future.isDone && !future.isCancelled)

            let failed = loop.createFuture(of: Int.self)
            try failed.setError(Broken())
            #expect(throws: Broken()) { try failed.result() }
            #expect(try failed.exception() as? Broken == Broken())
            await #expect(throws: Broken()) { try await failed.value }

            let cancelled = loop.createFuture(of: Void.self)
            #expect(cancelled.cancel() && !cancelled.cancel())
            #expect(cancelled.isDone && cancelled.isCancelled)
            #expect(await misuse { try cancelled.setResult() } == .invalidState("invalid state"))
            for ask in [{ _ = try cancelled.exception() }, { try cancelled.result() }] {
                do {
                    try ask()
                    Issue.record("a cancelled future answered")
                } catch { #expect(named(error) == "cancelled") }
            }
        }
    }

    @Test("rule 28: an error that nobody asks for is told to the exception handler", arguments: LoopKind.allCases)
    func unretrieved(_ kind: LoopKind) throws {
        let journal = Journal()
        try kind.run { loop in
            loop.exceptionHandler = { journal("\($0.message): \($0.error as? Broken == Broken())") }
            func drop(_ use: (Future<Int>) throws -> Void) throws {
                let future = loop.createFuture(of: Int.self)
                try future.setError(Broken())
                try use(future)
            }
            try drop { _ in }
            try drop { _ = try $0.exception() }
            try drop { #expect(throws: Broken.self, performing: $0.result) }
        }
        #expect(journal.entries == ["Future exception was never retrieved: true"])
    }

    @Test("rule 28: cancelling a task cancels the future that it awaits, once", arguments: LoopKind.allCases)
    func cancellationReachesTheFuture(_ kind: LoopKind) throws {
        try kind.run { loop in
            let future = loop.createFuture(of: Int.self)
            let other = loop.createTask { try await future.value }
            let task = loop.createTask { try await future.value }
            try await loop.sleep(for: .zero)
            task.cancel()
            #expect(future.isCancelled)
            #expect(!task.isDone)
            try await loop.sleep(for: .zero)
            #expect(task.isCancelled)
            #expect(other.isCancelled)
        }
    }

    @Test("rules 9, 28: runUntilComplete of a future; another loop's is refused", arguments: LoopKind.allCases)
    func runUntilCompleteOfAFuture(_ kind: LoopKind) throws {
        let loop = try kind.make()
        let other = try kind.makeAnother()
        defer {
            loop.closeLoop()
            other.closeLoop()
        }
        let future = loop.createFuture(of: String.self)
        loop.callLater(.milliseconds(1)) { try future.setResult("done") }
        #expect(try loop.runUntilComplete(future) == "done")
        #expect(try loop.runUntilComplete(future) == "done")
        do {
            _ = try other.runUntilComplete(future)
            Issue.record("a foreign future was taken")
        } catch {
            #expect(
                "\(error)" == "The future belongs to a different loop than the one specified as the loop argument")
        }
        let never = loop.createFuture(of: Int.self)
        loop.callSoon { loop.stop() }
        do {
            _ = try loop.runUntilComplete(never)
            Issue.record("a pending future ended")
        } catch { #expect("\(error)" == "Event loop stopped before Future completed.") }
    }

    @Test("rule 12: closing the loop ends what is awaited", arguments: LoopKind.allCases)
    func closing(_ kind: LoopKind) throws {
        let loop = try kind.make()
        let journal = Journal()
        let future = loop.createFuture(of: Int.self)
        loop.createTask {
            do { _ = try await future.value } catch { journal("\(error)") }
            do { try await loop.sleep(for: .seconds(1)) } catch { journal("\(error)") }
        }
        try loop.runUntilComplete { try await loop.sleep(for: .zero) }
        loop.closeLoop()
        #expect(journal.entries == ["Event loop is closed", "Event loop is closed"])
        #expect(loop.createTask { journal("ran") }.isCancelled)
    }
}
