public import AnyloopCore
public import Dispatch
public import NIOCore

/// Any loop of ours as an event loop of NIO's: handlers' tasks and timers run in its turns, on its clock.
///
/// For loops that have no event loop of NIO's of their own, such as `MemoryLoop` and `CompatLoop`. What is queued runs
/// in the order of the calls (asyncio rules 1 and 2); a closed loop drops it. Deadlines are the loop's own instants, so
/// on a loop with a manual clock they are made from `now` of this event loop, not from `NIODeadline.now()`.
///
/// `@unchecked Sendable`: the loop is touched on its own thread only; from elsewhere everything goes through its remote.
public final class LoopEventLoop: EventLoop, @unchecked Sendable {
    private let loop: any Loop
    private let remote: any LoopRemote

    /// The event loop of `loop`, on whose thread this must be called.
    public init(_ loop: any Loop) {
        self.loop = loop
        remote = loop.remote
    }

    /// Whether the caller is on the loop's thread.
    public var inEventLoop: Bool { remote.isOnLoopThread }

    /// The loop's own time; elsewhere than on its thread, NIO's.
    public var now: NIODeadline {
        inEventLoop ? .uptimeNanoseconds(UInt64(clamping: loop.now.nanoseconds)) : .now()
    }

    /// Runs `task` in the next turn.
    public func execute(_ task: @escaping @Sendable () -> Void) {
        if inEventLoop { loop.callSoon(task) } else { remote.callSoonThreadsafe(task) }
    }

    /// Runs `task` at `deadline` or later.
    @discardableResult
    public func scheduleTask<T>(
        deadline: NIODeadline, _ task: @escaping @Sendable () throws -> T
    ) -> Scheduled<T> {
        let promise = makePromise(of: T.self)
        let when = LoopInstant(nanoseconds: Int64(clamping: deadline.uptimeNanoseconds))
        // Held until it runs or is cancelled; both happen on the loop's thread.
        let timer = TimerBox()
        let cancellation: @Sendable () -> Void = { [self] in
            promise.fail(EventLoopError.cancelled)
            onLoop { timer.cancel() }
        }
        let scheduled = Scheduled(promise: promise, cancellationTask: cancellation)
        onLoop { [self] in
            let handle = loop.callAt(when) {
                do {
                    promise.assumeIsolated().succeed(try task())
                } catch {
                    promise.fail(error)
                }
            }
            timer.set(handle)
        }
        return scheduled
    }

    /// Runs `task` once `delay` is over.
    @discardableResult
    public func scheduleTask<T>(
        in delay: TimeAmount, _ task: @escaping @Sendable () throws -> T
    ) -> Scheduled<T> {
        scheduleTask(deadline: now + delay, task)
    }

    /// Refuses with `EventLoopError.unsupportedOperation`: whoever made the loop closes it.
    public func shutdownGracefully(queue: DispatchQueue, _ callback: @escaping @Sendable ((any Error)?) -> Void) {
        queue.async { callback(EventLoopError.unsupportedOperation) }
    }

    private func onLoop(_ body: @escaping @Sendable () -> Void) {
        if inEventLoop { body() } else { remote.callSoonThreadsafe(body) }
    }
}

/// A timer's handle, on the way between the closures that set and cancel it.
///
/// `@unchecked Sendable`: both run on the loop's thread.
private final class TimerBox: @unchecked Sendable {
    private var handle: Handle?
    private var isCancelled = false

    func set(_ handle: Handle) {
        if isCancelled { handle.cancel() } else { self.handle = handle }
    }

    func cancel() {
        isCancelled = true
        handle?.cancel()
        handle = nil
    }
}
