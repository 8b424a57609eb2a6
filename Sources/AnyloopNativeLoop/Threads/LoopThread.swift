import AnyloopCore
import CAnyloopSystem
import Synchronization

/// A thread with a loop of its own.
///
/// The body makes its servers on the loop and runs it; when it returns the loop is closed and the thread ends.
@safe
public final class LoopThread: Sendable {
    /// What the body left behind.
    private final class Outcome: Sendable {
        let error = Mutex<(any Error)?>(nil)
        let remote = Mutex<(any LoopRemote)?>(nil)
    }

    /// What the new thread needs; handed over through a pointer.
    private final class Start {
        let options: NativeLoopOptions
        let body: @Sendable (NativeLoop) throws -> Void
        let outcome: Outcome
        let failed: @Sendable (TransportError) -> Void

        init(
            options: NativeLoopOptions, body: @escaping @Sendable (NativeLoop) throws -> Void,
            outcome: Outcome, failed: @escaping @Sendable (TransportError) -> Void
        ) {
            self.options = options
            self.body = body
            self.outcome = outcome
            self.failed = failed
        }

        func run() {
            let loop: NativeLoop
            do throws(TransportError) { loop = try NativeLoop(options: options) } catch {
                outcome.error.withLock { $0 = error }
                return failed(error)
            }
            defer { loop.closeLoop() }
            outcome.remote.withLock { $0 = loop.remote }
            do { try body(loop) } catch { outcome.error.withLock { $0 = error } }
        }
    }

    private let outcome = Outcome()
    private let handle = Mutex<UInt?>(nil)

    /// Starts `body` on a new thread; signals are blocked there, so that they reach the thread that handles them.
    ///
    /// - Throws: `TransportError.system` if the thread cannot be made.
    public convenience init(
        options: NativeLoopOptions = NativeLoopOptions(),
        body: @escaping @Sendable (NativeLoop) throws -> Void
    ) throws(TransportError) {
        try self.init(options: options, failed: { _ in }, body: body)
    }

    /// As the public one; `failed` runs on the thread if it cannot make its loop, and `body` does not then.
    package init(
        options: NativeLoopOptions, failed: @escaping @Sendable (TransportError) -> Void,
        body: @escaping @Sendable (NativeLoop) throws -> Void
    ) throws(TransportError) {
        let start = unsafe Unmanaged.passRetained(
            Start(options: options, body: body, outcome: outcome, failed: failed))
        var thread: UInt = 0
        let code = unsafe anyloop_thread_start(
            { context in
                guard let context = unsafe context else { return }
                unsafe Unmanaged<Start>.fromOpaque(context).takeRetainedValue().run()
            }, start.toOpaque(), &thread)
        guard code == 0 else {
            unsafe start.release()
            throw .system(-code, "pthread_create")
        }
        let started = thread
        handle.withLock { $0 = started }
    }

    /// The loop's handle; nil until the thread has made its loop, or if it could not.
    public var remote: (any LoopRemote)? { outcome.remote.withLock { $0 } }

    /// Stops the loop once its current turn is over; from any thread.
    ///
    /// Without effect before the thread has made its loop: `remote` tells.
    public func stop() {
        _ = remote?.callSoonThreadsafe { NativeLoop.running?.stop() }
    }

    /// Waits until the body has returned; blocks the calling thread. Later calls return at once.
    ///
    /// - Throws: what the body threw.
    public func join() throws {
        if let thread = handle.withLock({ $0.take() }) { _ = anyloop_thread_join(thread) }
        if let error = outcome.error.withLock({ $0 }) { throw error }
    }
}

/// Several loops, each on a thread of its own, that run the same body: one worker each.
///
/// Servers on one port need `ServerOptions.reusePort`, so that the kernel spreads connections over them.
public final class LoopGroup: Sendable {
    /// The workers.
    public let threads: [LoopThread]

    /// Starts `count` workers; `body` gets its loop and its number from 0.
    public init(
        count: Int, options: NativeLoopOptions = NativeLoopOptions(),
        body: @escaping @Sendable (NativeLoop, Int) throws -> Void
    ) throws(TransportError) {
        var threads: [LoopThread] = []
        for number in 0..<count {
            threads.append(
                try LoopThread(options: options) { loop in try body(loop, number) }
            )
        }
        self.threads = threads
    }

    /// Stops every worker's loop; from any thread.
    public func stop() {
        for thread in threads { thread.stop() }
    }

    /// Waits for every worker; blocks the calling thread.
    ///
    /// - Throws: the first error, once all have ended.
    public func join() throws {
        var first: (any Error)?
        for thread in threads {
            do { try thread.join() } catch { first = first ?? error }
        }
        if let first { throw first }
    }
}
