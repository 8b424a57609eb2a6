import NIOConcurrencyHelpers
import NIOCore
import NIOPosix

/// How long anything may take before a case gives up on it: what holds comes in milliseconds.
let patience = TimeAmount.seconds(8)

/// How long a whole case may take, whatever it awaits.
let casePatience = TimeAmount.seconds(20)

/// The loops that play the far end and keep the time: NIO's own, whichever are under test.
var reference: any EventLoopGroup { MultiThreadedEventLoopGroup.singleton }

/// One result that somebody waits for, or the failure of having waited in vain.
final class Waiter<Value: Sendable>: Sendable {
    private enum State {
        case open
        case awaited(CheckedContinuation<Value, any Error>)
        case done(Result<Value, any Error>)
        case over
    }

    private let state = NIOLockedValueBox(State.open)

    /// Brings the result; only the first counts.
    func finish(_ result: Result<Value, any Error>) {
        let continuation = state.withLockedValue { state -> CheckedContinuation<Value, any Error>? in
            switch state {
            case .open:
                state = .done(result)
                return nil
            case .awaited(let continuation):
                state = .over
                return continuation
            case .done, .over:
                return nil
            }
        }
        continuation?.resume(with: result)
    }

    /// The result, once.
    func value(_ what: String, within time: TimeAmount = patience) async throws -> Value {
        let limit = reference.any().scheduleTask(in: time) { [self] in
            finish(.failure(NIOBatteryFailure("waited in vain for \(what)")))
        }
        defer { limit.cancel() }
        return try await withCheckedThrowingContinuation { continuation in
            let result = state.withLockedValue { state -> Result<Value, any Error>? in
                guard case .done(let result) = state else {
                    state = .awaited(continuation)
                    return nil
                }
                state = .over
                return result
            }
            if let result { continuation.resume(with: result) }
        }
    }
}

extension EventLoopFuture where Value: Sendable {
    /// Begins to watch the future: callbacks are lost that are registered once its loop was shut down.
    func watch() -> Watched<Value> {
        let waiter = Waiter<Result<Value, any Error>>()
        whenComplete { waiter.finish(.success($0)) }
        return Watched(waiter: waiter)
    }

    /// The value; a failure that names `what` if it takes longer than the battery's patience.
    func value(_ what: String) async throws -> Value { try await watch().value(what) }

    /// The error of a future that must fail.
    func error(_ what: String) async throws -> any Error { try await watch().error(what) }
}

/// A future's outcome, to be awaited once.
struct Watched<Value: Sendable>: Sendable {
    fileprivate let waiter: Waiter<Result<Value, any Error>>

    /// The value; a failure that names `what` if it takes longer than the battery's patience.
    func value(_ what: String) async throws -> Value { try await waiter.value(what).get() }

    /// The error of a future that must fail.
    func error(_ what: String) async throws -> any Error {
        switch try await waiter.value(what) {
        case .success(let value): throw NIOBatteryFailure("\(what) succeeded with \(value) instead of failing")
        case .failure(let error): return error
        }
    }
}

/// What happened, in order, written from any thread and waited for from a case.
final class Journal<Entry: Sendable>: Sendable {
    private struct State {
        var entries: [Entry] = []
        var waiting: [(holds: @Sendable ([Entry]) -> Bool, waiter: Waiter<[Entry]>)] = []
    }

    private let state = NIOLockedValueBox(State())

    /// Everything so far.
    var entries: [Entry] { state.withLockedValue { $0.entries } }

    func add(_ entry: Entry) {
        let met = state.withLockedValue { state in
            state.entries.append(entry)
            let entries = state.entries
            let met = state.waiting.filter { $0.holds(entries) }
            if !met.isEmpty { state.waiting.removeAll { $0.holds(entries) } }
            return met.map { ($0.waiter, entries) }
        }
        for (waiter, entries) in met { waiter.finish(.success(entries)) }
    }

    /// What was written by the time that `holds` did.
    @discardableResult
    func wait(_ what: String, until holds: @escaping @Sendable ([Entry]) -> Bool) async throws -> [Entry] {
        let waiter = Waiter<[Entry]>()
        let now = state.withLockedValue { state -> [Entry]? in
            if holds(state.entries) { return state.entries }
            state.waiting.append((holds, waiter))
            return nil
        }
        if let now { return now }
        do {
            return try await waiter.value(what)
        } catch {
            let shown = entries.suffix(20).map { "\($0)" }.joined(separator: ", ")
            throw NIOBatteryFailure("\(error); what came: [\(shown)]")
        }
    }

    /// The first `count` entries.
    @discardableResult
    func wait(_ what: String, count: Int) async throws -> [Entry] {
        Array(try await wait(what) { $0.count >= count }.prefix(count))
    }
}

/// Runs `body` and gives up on it, cancelling its task, if it takes longer than `time`.
func within(_ time: TimeAmount, _ what: String, _ body: @escaping @Sendable () async throws -> Void) async throws {
    let waiter = Waiter<Void>()
    let task = Task {
        do {
            try await body()
            waiter.finish(.success(()))
        } catch {
            waiter.finish(.failure(error))
        }
    }
    defer { task.cancel() }
    try await waiter.value(what, within: time)
}

/// Runs `body` on a thread of its own, where it may block.
func onThread<Value: Sendable>(
    _ what: String, _ body: @escaping @Sendable () throws -> Value
) async throws -> Value {
    let waiter = Waiter<Value>()
    NIOThreadPool.singleton.submit { _ in waiter.finish(Result { try body() }) }
    return try await waiter.value(what)
}

/// Fails the case unless `condition` holds.
func expect(_ condition: Bool, _ text: @autoclosure () -> String) throws {
    if !condition { throw NIOBatteryFailure(text()) }
}

/// Fails the case unless both are equal.
func expectEqual<Value: Equatable>(_ actual: Value, _ expected: Value, _ what: String) throws {
    if actual != expected { throw NIOBatteryFailure("\(what): expected \(expected), got \(actual)") }
}

/// Fails the case unless the error is that one.
func expectError<Expected: Error & Equatable>(_ error: any Error, _ expected: Expected, _ what: String) throws {
    guard let known = error as? Expected, known == expected else {
        throw NIOBatteryFailure("\(what): expected \(expected), got \(error)")
    }
}

/// Fails the case unless the error is an `IOError` of one of those errnos.
func expectErrno(_ error: any Error, _ expected: CInt..., what: String) throws {
    guard let known = error as? IOError, expected.contains(known.errnoCode) else {
        throw NIOBatteryFailure("\(what): expected an IOError of errno \(expected), got \(error)")
    }
}

/// Fails the case unless both have the same bytes, naming the first that differs.
func expectBytes(_ actual: ByteBuffer, _ expected: ByteBuffer, _ what: String) throws {
    guard actual != expected else { return }
    if actual.readableBytes != expected.readableBytes {
        throw NIOBatteryFailure("\(what): expected \(expected.readableBytes) bytes, got \(actual.readableBytes)")
    }
    let differs = zip(actual.readableBytesView, expected.readableBytesView).enumerated().first {
        $0.element.0 != $0.element.1
    }
    throw NIOBatteryFailure("\(what): byte \(differs?.offset ?? 0) differs")
}
