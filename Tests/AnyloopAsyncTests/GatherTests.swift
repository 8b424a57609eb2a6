import AnyloopAsync
import AnyloopCore
import Testing

@Suite struct GatherTests {
    @Test("rule 29: gather gives all results in order, each body in its own task", arguments: LoopKind.allCases)
    func results(_ kind: LoopKind) throws {
        try kind.run { loop in
            let slow: () async throws -> Int = {
                try await loop.sleep(for: .milliseconds(2))
                return 1
            }
            let quick: () async throws -> Int = { 2 }
            let both = try await loop.gather([slow, quick]).value
            #expect(both == [1, 2])
            let none = try await loop.gather([] as [Future<Int>]).value
            #expect(none == [])
        }
    }

    @Test("rule 29: gather's first error is the outcome; the others go on", arguments: LoopKind.allCases)
    func errors(_ kind: LoopKind) throws {
        let journal = Journal()
        try kind.run { loop in
            loop.exceptionHandler = { journal($0.message) }
            let slow = loop.createTask {
                try await loop.sleep(for: .milliseconds(2))
                return 1
            }
            let failing: LoopTask<Int> = loop.createTask { throw Broken() }
            await #expect(throws: Broken()) { _ = try await loop.gather([slow, failing]).value }
            #expect(!slow.isDone)
            let value = try await slow.value
            #expect(value == 1)
            let cancelled = loop.createFuture(of: Int.self)
            cancelled.cancel()
            let results = try await loop.gatherResults([slow, failing, cancelled]).value
            journal("\(try results[0].get())")
            for result in results.dropFirst() {
                do { _ = try result.get() } catch { journal(named(error)) }
            }
            let outer = loop.gather([cancelled])
            do { _ = try await outer.value } catch { journal("gathered \(named(error))") }
            #expect(!outer.isCancelled)
        }
        #expect(journal.entries == ["1", "Broken(name: \"broken\")", "cancelled", "gathered cancelled"])
    }

    @Test("rule 29: cancelling a gathering cancels what it gathers", arguments: LoopKind.allCases)
    func cancelling(_ kind: LoopKind) throws {
        try kind.run { loop in
            let futures = (0..<3).map { _ in loop.createFuture(of: Int.self) }
            let task = loop.createTask { try await loop.gather(futures).value }
            try await loop.sleep(for: .zero)
            try futures[0].setResult(0)
            task.cancel()
            try await loop.sleep(for: .milliseconds(1))
            #expect(task.isCancelled)
            #expect(!futures[0].isCancelled && futures[1].isCancelled && futures[2].isCancelled)
        }
    }

    @Test("rule 29: wait for all, for the first, for the first error, for so long", arguments: LoopKind.allCases)
    func waiting(_ kind: LoopKind) throws {
        try kind.run { loop in
            let futures = (0..<3).map { _ in loop.createFuture(of: Int.self) }
            #expect(
                await misuse { _ = try await loop.wait(for: [] as [AnyFuture]) }
                    == .argument("Set of Tasks/Futures is empty."))
            var (done, pending) = try await loop.wait(for: futures + futures, timeout: .milliseconds(1))
            #expect(done.isEmpty && pending.count == 3)
            loop.callSoon { try futures[1].setResult(1) }
            (done, pending) = try await loop.wait(for: futures, until: .firstCompleted)
            #expect(done.count == 1 && done[0] === futures[1] && pending.count == 2)
            loop.callSoon { futures[0].cancel() }
            loop.callLater(.milliseconds(1)) { try futures[2].setError(Broken()) }
            (done, pending) = try await loop.wait(for: [futures[0], futures[2]], until: .firstException)
            #expect(done.count == 2 && pending.isEmpty)
            (done, pending) = try await loop.wait(for: futures)
            #expect(done.count == 3)
            // Nothing is cancelled with the waiting task.
            let left = loop.createFuture(of: Int.self)
            let task = loop.createTask { try await loop.wait(for: [left]).done.count }
            try await loop.sleep(for: .zero)
            task.cancel()
            try await loop.sleep(for: .zero)
            #expect(task.isCancelled && !left.isDone)
        }
    }

    @Test("rule 29: asCompleted gives futures as they get done", arguments: LoopKind.allCases)
    func completed(_ kind: LoopKind) throws {
        let journal = Journal()
        try kind.run { loop in
            let futures = (0..<3).map { _ in loop.createFuture(of: Int.self) }
            for (index, delay) in [(2, 1), (0, 2), (1, 3)] {
                loop.callLater(.milliseconds(delay)) { try futures[index].setResult(index) }
            }
            for try await future in loop.asCompleted(futures, timeout: .seconds(60)) {
                journal("\(try future.result())")
            }
            let never = loop.createFuture(of: Int.self)
            do {
                for try await future in loop.asCompleted([never, futures[0]], timeout: .milliseconds(2)) {
                    journal("\(try future.result())")
                }
            } catch { journal(named(error)) }
            #expect(!never.isDone)
        }
        #expect(journal.entries == ["2", "0", "1", "0", "timed out"])
    }
}
