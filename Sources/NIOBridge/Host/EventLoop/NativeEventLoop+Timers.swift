import AnyloopCore
import AnyloopNativeLoop
public import NIOCore
import Synchronization

extension NativeEventLoop {
    /// A callback of `scheduleCallback` that waits.
    struct ScheduledCallback {
        var timer: TimerHandle
        /// Tells the handler that it was cancelled.
        var cancelled: () -> Void
    }

    /// Runs `task` at `deadline` or later (NIO: `EventLoop.scheduleTask`); after the shutdown it fails at once.
    @discardableResult
    public func scheduleTask<T>(
        deadline: NIODeadline, _ task: @escaping @Sendable () throws -> T
    ) -> Scheduled<T> {
        schedule(deadline, task)
    }

    /// Runs `task` once `amount` is over (NIO: `EventLoop.scheduleTask`).
    @discardableResult
    public func scheduleTask<T>(in amount: TimeAmount, _ task: @escaping @Sendable () throws -> T) -> Scheduled<T> {
        schedule(.now() + amount, task)
    }

    /// `scheduleTask` for callers on the loop's thread.
    @discardableResult
    public func _scheduleTaskIsolatedUnsafeUnchecked<T>(
        deadline: NIODeadline, _ task: @escaping () throws -> T
    ) -> Scheduled<T> {
        schedule(deadline, task)
    }

    /// `scheduleTask` for callers on the loop's thread.
    @discardableResult
    public func _scheduleTaskIsolatedUnsafeUnchecked<T>(
        in amount: TimeAmount, _ task: @escaping () throws -> T
    ) -> Scheduled<T> {
        schedule(.now() + amount, task)
    }

    private func schedule<T>(_ deadline: NIODeadline, _ task: @escaping () throws -> T) -> Scheduled<T> {
        let promise = makePromise(of: T.self)
        let timer = HostTimer(
            handle: TimerHandle(when: LoopInstant(deadline)) { [self] in
                guard !isEnding else { return promise.fail(EventLoopError.shutdown) }
                do { promise.assumeIsolatedUnsafeUnchecked().succeed(try task()) } catch { promise.fail(error) }
            })
        set(timer)
        return Scheduled(promise: promise) { [self] in onLoop { timer.handle.cancel() } }
    }

    private func set(_ timer: HostTimer) {
        if inEventLoop { timers.insert(timer.handle) } else { post(.setTimer(timer.handle)) }
    }

    /// Runs `body` once `amount` is over, or when the loop ends (`isEnding`); for callers on the loop's thread.
    func callLater(_ amount: TimeAmount, _ body: @escaping () -> Void) -> Handle {
        let timer = TimerHandle(when: LoopInstant(.now() + amount), body)
        timers.insert(timer)
        return timer
    }

    /// Calls `handler` at `deadline` or later (NIO: `EventLoop.scheduleCallback`).
    ///
    /// - Throws: `EventLoopError.shutdown` once the loop is shut down.
    @discardableResult
    public func scheduleCallback(
        at deadline: NIODeadline, handler: some (NIOScheduledCallbackHandler & Sendable)
    ) throws -> NIOScheduledCallback {
        try scheduleCallback(deadline, handler)
    }

    /// `scheduleCallback` for callers on the loop's thread.
    @discardableResult
    public func _scheduleCallbackIsolatedUnsafeUnchecked(
        at deadline: NIODeadline, handler: some NIOScheduledCallbackHandler
    ) throws -> NIOScheduledCallback {
        try scheduleCallback(deadline, handler)
    }

    /// `scheduleCallback` for callers on the loop's thread.
    @discardableResult
    public func _scheduleCallbackIsolatedUnsafeUnchecked(
        in amount: TimeAmount, handler: some NIOScheduledCallbackHandler
    ) throws -> NIOScheduledCallback {
        try scheduleCallback(.now() + amount, handler)
    }

    private func scheduleCallback(
        _ deadline: NIODeadline, _ handler: some NIOScheduledCallbackHandler
    ) throws -> NIOScheduledCallback {
        guard inbox.withLock({ $0.phase != .closed }) else { throw EventLoopError.shutdown }
        let id = nextCallbackID.wrappingAdd(1, ordering: .relaxed).oldValue
        let timer = TimerHandle(when: LoopInstant(deadline)) { [self] in
            guard let callback = callbacks.removeValue(forKey: id) else { return }
            if isEnding { callback.cancelled() } else { handler.handleScheduledCallback(eventLoop: self) }
        }
        let callback = ScheduledCallback(timer: timer) { [self] in
            handler.didCancelScheduledCallback(eventLoop: self)
        }
        if inEventLoop {
            callbacks[id] = callback
            timers.insert(timer)
        } else {
            // The handler is sendable then: see `scheduleCallback(at:handler:)`.
            post(
                .function { [self] in
                    callbacks[id] = callback
                    timers.insert(timer)
                })
        }
        return NIOScheduledCallback(self, id: id)
    }

    /// Cancels a callback that has not run; its handler hears of that on the loop's thread.
    public func cancelScheduledCallback(_ scheduledCallback: NIOScheduledCallback) {
        guard let id = scheduledCallback.customCallbackID else { return }
        onLoop { [self] in
            guard let callback = callbacks.removeValue(forKey: id) else { return }
            callback.timer.cancel()
            callback.cancelled()
        }
    }
}

extension LoopInstant {
    /// The same point on the same clock: NIO's and ours are both the system's monotonic one.
    init(_ deadline: NIODeadline) {
        self.init(nanoseconds: Int64(clamping: deadline.uptimeNanoseconds))
    }
}
