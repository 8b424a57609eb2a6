import AnyloopCore
import AnyloopNativeLoop
import CAnyloopSystem
public import NIOCore
import Synchronization

/// SwiftNIO's event loop over a loop of ours: services written for SwiftNIO run on it unchanged.
///
/// It lives in the turns of a `NativeLoop`: on a thread of its own (`NativeEventLoopGroup`), or beside protocols of
/// ours on one that exists (`on(_:)`). As NIO's, it runs tasks until none is left before it waits for sockets.
///
/// Work that is given to it after its shutdown runs at once, one task at a time, on the thread that brings it, so that
/// no promise is left without an answer; timers fail with `EventLoopError.shutdown`.
@safe
public final class NativeEventLoop: NIOSerialEventLoopExecutor, @unchecked Sendable {
    // Unchecked: besides the locks and the atomics everything is touched on the loop's thread only.

    /// From opening to the end; only ever forward.
    enum Phase: UInt8 {
        case open
        /// Channels are being closed and no more are taken.
        case closing
        /// Over: tasks run where they are brought.
        case closed
    }

    /// What other threads leave for the loop.
    struct Inbox {
        var tasks: [HostTask] = []
        var phase = Phase.open
        /// After the end: some thread runs tasks.
        var isRunning = false
    }

    /// What `_promiseCreated` notes.
    struct PromiseOrigin {
        var file: StaticString
        var line: UInt
    }

    let native: NativeLoop
    let remote: NativeRemote
    let isOfGroup: Bool
    let inbox = Mutex(Inbox())
    /// Looked at instead of the lock.
    let hasInbox = Atomic(false)
    /// The loop waits, or is about to: whoever leaves something wakes it.
    let isAsleep = Atomic(false)
    /// The thread that is the loop's; 0: none, or none any more.
    let threadToken = Atomic(UInt(anyloop_thread_token()))
    let nextCallbackID = Atomic<UInt64>(1)
    /// A future that has succeeded, for whoever needs one; nil once the loop is over.
    let succeededVoid = Mutex<EventLoopFuture<Void>?>(nil)
    let promiseOrigins = Mutex<[_NIOEventLoopFutureIdentifier: PromiseOrigin]>([:])

    // The loop's thread only from here on.
    var phase = Phase.open
    var tasks = CircularBuffer<HostTask>(initialCapacity: 64)
    let timers = TimerHeap()
    var due: [TimerHandle] = []
    /// Every channel is closed after a shutdown; the turn's end is the loop's.
    var isOver = false
    /// Who waits for the end of a loop that is shut down by itself.
    var shutdownCallbacks: [() -> Void] = []
    /// Timers that come up now fail with `EventLoopError.shutdown`.
    var isEnding = false
    var callbacks: [UInt64: ScheduledCallback] = [:]
    /// The same as `succeededVoid`, without its lock.
    var succeededVoidHere: EventLoopFuture<Void>?
    /// The group that made this loop; nil for one that shares a loop of ours.
    weak var group: NativeEventLoopGroup?
    /// Where the pieces of a small write are put together.
    let flat = UnsafeMutableRawBufferPointer.allocate(byteCount: PendingWrites.flatLimit, alignment: 16)

    /// An event loop in the turns of `native`, on whose thread this is called.
    init(native: NativeLoop, isOfGroup: Bool) {
        self.native = native
        self.isOfGroup = isOfGroup
        remote = native.nativeRemote
        native.guest = self
        let done = newSucceededVoidFuture()
        succeededVoid.withLock { $0 = done }
        succeededVoidHere = done
    }

    deinit {
        unsafe flat.deallocate()
    }

    /// SwiftNIO's event loop on `loop`, so that its channels and our protocols share a thread; the same one at every
    /// call. To be called on the thread that runs `loop`, before or while it does.
    ///
    /// `shutdownGracefully` ends the event loop and leaves `loop` as it is; closing `loop` ends both.
    ///
    /// - Throws: `TransportError.loopClosed`; `.usage` if `loop` belongs to another thread, or another guest has it.
    public static func on(_ loop: NativeLoop) throws(TransportError) -> NativeEventLoop {
        guard !loop.isClosed else { throw .loopClosed }
        guard loop.nativeRemote.isOnLoopThread else {
            throw .usage("the loop belongs to another thread; call this there")
        }
        guard let guest = loop.guest else { return NativeEventLoop(native: loop, isOfGroup: false) }
        guard let loop = guest as? NativeEventLoop else {
            throw .usage("the loop runs for another event loop already; make one of its own")
        }
        return loop
    }

    /// The event loop whose thread this is; nil elsewhere.
    public static var current: NativeEventLoop? {
        guard let loop = NativeLoop.running?.guest as? NativeEventLoop else { return nil }
        return loop
    }

    // MARK: EventLoop

    /// Whether the calling thread is this loop's.
    public var inEventLoop: Bool { threadToken.load(ordering: .relaxed) == UInt(anyloop_thread_token()) }

    /// Runs `task` on the loop's thread, after what was given to it before.
    public func execute(_ task: @escaping @Sendable () -> Void) { enqueue(.function(task)) }

    /// Runs a piece of a Swift task on the loop's thread, in the order of `execute`.
    public func enqueue(_ job: consuming ExecutorJob) { enqueue(.job(UnownedJob(job))) }

    /// `execute` for callers on the loop's thread, who need no sendable task.
    public func _executeIsolatedUnsafeUnchecked(_ task: @escaping () -> Void) {
        if hasInbox.load(ordering: .acquiring) { takeInbox() }
        tasks.append(.function(task))
    }

    /// Whether the caller is on the loop's thread.
    public func isIsolatingCurrentContext() -> Bool? { inEventLoop }

    /// A future that has succeeded; the same one at each call until the loop is over.
    public func makeSucceededVoidFuture() -> EventLoopFuture<Void> {
        if inEventLoop, let succeededVoidHere { return succeededVoidHere }
        return succeededVoid.withLock { $0 } ?? newSucceededVoidFuture()
    }

    private func newSucceededVoidFuture() -> EventLoopFuture<Void> {
        let promise = makePromise(of: Void.self)
        promise.succeed(())
        return promise.futureResult
    }

    /// Traps on a thread that runs any loop, since waiting there could never end.
    public func _preconditionSafeToWait(file: StaticString, line: UInt) {
        precondition(
            !inEventLoop && NativeLoop.running == nil, "wait() blocks the event loop \(self): use callbacks or await",
            file: file, line: line)
    }

    /// Notes where a promise was made; called in debug builds only.
    public func _promiseCreated(futureIdentifier: _NIOEventLoopFutureIdentifier, file: StaticString, line: UInt) {
        promiseOrigins.withLock { $0[futureIdentifier] = PromiseOrigin(file: file, line: line) }
    }

    /// Forgets a promise, and tells where it was made.
    public func _promiseCompleted(
        futureIdentifier: _NIOEventLoopFutureIdentifier
    ) -> (file: StaticString, line: UInt)? {
        promiseOrigins.withLock { $0.removeValue(forKey: futureIdentifier) }.map { ($0.file, $0.line) }
    }
}

extension NativeEventLoop: CustomStringConvertible {
    /// What tells this loop from others in logs.
    public var description: String { "NativeEventLoop { \(ObjectIdentifier(self).hashValue) }" }
}
