import AnyloopAsync
import AnyloopCore
import Testing

@Suite struct TimeoutTests {
    @Test("rule 29: timeout cancels what the body awaits and throws timedOut", arguments: LoopKind.allCases)
    func timeouts(_ kind: LoopKind) throws {
        let journal = Journal()
        try kind.run { loop in
            #expect(try await loop.timeout(after: .seconds(60)) { _ in 1 } == 1)
            #expect(try await loop.timeout(after: nil) { _ in 2 } == 2)
            await #expect(throws: Broken()) { try await loop.timeout(after: .seconds(60)) { _ in throw Broken() } }
            for delay in [Duration.milliseconds(2), .zero, .seconds(-1)] {
                do {
                    try await loop.timeout(after: delay) { _ in try await loop.sleep(for: .seconds(60)) }
                    Issue.record("nothing timed out")
                } catch { journal(named(error)) }
            }
            // The task is none the worse for it.
            #expect(loop.currentTask?.cancelRequestCount == 0)
            try await loop.sleep(for: .milliseconds(1))
        }
        #expect(journal.entries == ["timed out", "timed out", "timed out"])
    }

    @Test("rule 29: a body that handles its cancellation is not timed out", arguments: LoopKind.allCases)
    func handledInside(_ kind: LoopKind) throws {
        try kind.run { loop in
            let scope = Box<Timeout>()
            let value = try await loop.timeout(after: .milliseconds(1)) { timeout in
                scope.value = timeout
                do { try await loop.sleep(for: .seconds(60)) } catch { return named(error) }
                return "slept"
            }
            #expect(value == "cancelled")
            #expect(scope.value?.isExpired == true)
        }
    }

    @Test("rule 29: timeouts nest, and the outer one throws at its own level", arguments: LoopKind.allCases)
    func nested(_ kind: LoopKind) throws {
        let journal = Journal()
        try kind.run { loop in
            do {
                try await loop.timeout(after: .milliseconds(1)) { _ in
                    do {
                        try await loop.timeout(after: .seconds(60)) { _ in try await loop.sleep(for: .seconds(60)) }
                    } catch {
                        journal("inner \(named(error))")
                        throw error
                    }
                }
            } catch { journal("outer \(named(error))") }
            let task = loop.createTask {
                try await loop.timeout(after: .seconds(60)) { _ in try await loop.sleep(for: .seconds(60)) }
            }
            try await loop.sleep(for: .zero)
            task.cancel()
            do { try await task.value } catch { journal("cancelled from outside: \(named(error))") }
        }
        #expect(journal.entries == ["inner cancelled", "outer timed out", "cancelled from outside: cancelled"])
    }

    @Test("rule 29: another deadline", arguments: LoopKind.allCases)
    func rescheduling(_ kind: LoopKind) throws {
        try kind.run { loop in
            let scope = Box<Timeout>()
            try await loop.timeout(after: .milliseconds(1)) { timeout in
                scope.value = timeout
                try timeout.reschedule(nil)
                try await loop.sleep(for: .milliseconds(5))
                #expect(timeout.when == nil && !timeout.isExpired)
            }
            let timeout = try #require(scope.value)
            #expect(await misuse { try timeout.reschedule(nil) } == .state("Cannot change state of finished Timeout"))
            await #expect(throws: TransportError.self) {
                try await loop.timeout(at: nil) { timeout in
                    scope.value = timeout
                    try timeout.reschedule(loop.now)
                    try await loop.sleep(for: .seconds(60))
                }
            }
            #expect(
                await misuse { try scope.value?.reschedule(nil) } == .state("Cannot change state of expired Timeout"))
        }
    }

    @Test("rule 29: timeout needs a task", arguments: LoopKind.allCases)
    func outsideOfATask(_ kind: LoopKind) throws {
        try kind.run { loop in
            let bound = LoopBound(loop, to: loop.remote)
            let text = await Task(executorPreference: loop.loopTaskExecutor) {
                await misuse { try await bound.value.timeout(after: nil) { _ in } }?.text
            }.value
            #expect(text == "Timeout should be used inside a task; createTask makes one")
        }
    }

    @Test("rule 29: waitFor", arguments: LoopKind.allCases)
    func waitFor(_ kind: LoopKind) throws {
        let journal = Journal()
        try kind.run { loop in
            #expect(try await loop.waitFor(timeout: .seconds(60)) { 1 } == 1)
            #expect(try await loop.waitFor(timeout: nil) { 2 } == 2)
            let done = loop.createFuture(of: Int.self)
            try done.setResult(3)
            #expect(try await loop.waitFor(done, timeout: .zero) == 3)
            #expect(try await loop.waitFor(done, timeout: .seconds(60)) == 3)
            await #expect(throws: Broken()) {
                try await loop.waitFor(timeout: .seconds(60)) { throw Broken() }
            }
            for limit in [Duration.milliseconds(1), .zero] {
                let pending = loop.createFuture(of: Int.self)
                do {
                    _ = try await loop.waitFor(pending, timeout: limit)
                    Issue.record("nothing timed out")
                } catch { journal(named(error)) }
                #expect(pending.isCancelled)
            }
            // Waits of Swift's own, which timeout does not reach.
            do {
                try await loop.waitFor(timeout: .milliseconds(1)) { try await Task.sleep(for: .seconds(60)) }
            } catch { journal(named(error)) }
            // It waits until the task has taken its cancellation, and takes its last word.
            let stubborn = try await loop.waitFor(timeout: .milliseconds(1)) {
                do { try await loop.sleep(for: .seconds(60)) } catch { try await loop.sleep(for: .milliseconds(1)) }
                return "had its way"
            }
            journal(stubborn)
            // Cancelling who waits cancels what is waited for.
            let inner = loop.createFuture(of: Int.self)
            let outer = loop.createTask { try await loop.waitFor(inner, timeout: .seconds(60)) }
            try await loop.sleep(for: .zero)
            outer.cancel()
            do { _ = try await outer.value } catch { journal(named(error)) }
            #expect(inner.isCancelled)
        }
        #expect(journal.entries == ["timed out", "timed out", "timed out", "had its way", "cancelled"])
    }

    @Test("rule 29: shield keeps a cancellation from what is inside", arguments: LoopKind.allCases)
    func shield(_ kind: LoopKind) throws {
        let journal = Journal()
        try kind.run { loop in
            loop.exceptionHandler = { journal($0.message) }
            let inner = loop.createTask {
                try await loop.sleep(for: .milliseconds(2))
                return "inner"
            }
            let outer = loop.createTask { try await loop.shield(inner).value }
            try await loop.sleep(for: .zero)
            outer.cancel()
            do { journal(try await outer.value) } catch { journal(named(error)) }
            journal(try await inner.value)
            journal(try await loop.shield(inner).value)
            journal(try await loop.shield { "body" }.value)
            await #expect(throws: Broken()) { try await loop.shield { throw Broken() }.value }
            let cancelled = loop.createFuture(of: Int.self)
            let shielded = loop.shield(cancelled)
            cancelled.cancel()
            do { _ = try await shielded.value } catch { journal(named(error)) }
        }
        #expect(journal.entries == ["cancelled", "inner", "inner", "body", "cancelled"])
    }
}
