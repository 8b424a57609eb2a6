import AnyloopCore
import AnyloopSystem
import CAnyloopSystem

extension NativeLoop: TaskLoop {
    /// Runs tasks on this loop's thread.
    public var loopTaskExecutor: any TaskExecutor { taskExecutor }

    /// Lets a suspended task go on in the next turn, in its place among what is queued.
    public func resumeSoon(_ continuation: UnsafeContinuation<Void, Never>) {
        if isClosed { unsafe continuation.resume() } else { queue(unsafe .resumption(continuation)) }
    }

    /// Calls `callback` when the loop closes, unless it is cancelled before.
    public func whenClosing(_ callback: @escaping () -> Void) -> any Cancellable {
        let waiter = ClosingWaiter(loop: self, callback)
        waiter.number = register(waiter)
        return waiter
    }

    /// Runs `work` on a thread of the loop's pool, of at most `ThreadPool.threadLimit`.
    public func runOnThread(_ work: @escaping @Sendable () -> Void) throws(TransportError) {
        try threadPool.run(work)
    }

    /// Refuses work for the pool from now on; calls `whenIdle` on some thread once none of it runs any more.
    public func shutDownThreads(whenIdle: @escaping @Sendable () -> Void) {
        threadPool.shutDown()
        threadPool.whenIdle(whenIdle)
    }

    /// The address of a stream socket; nil if `descriptor` is none.
    public func streamSocketName(_ descriptor: Int32) -> SocketAddress? {
        guard anyloop_socket_kind(descriptor) == Int32(ANYLOOP_STREAM) else { return nil }
        return SocketAddress.bound(descriptor)
    }

    /// Every address of this machine; one of IPv6 unless it was built or booted without.
    public func anyAddresses(port: UInt16) -> [SocketAddress] {
        var addresses = [SocketAddress.any(port: port)]
        let descriptor = anyloop_socket(Int32(ANYLOOP_V6), Int32(ANYLOOP_STREAM))
        if descriptor >= 0 {
            _ = anyloop_close(descriptor)
            addresses.append(.v6(high: 0, low: 0, port: port, scope: 0))
        }
        return addresses
    }
}

extension NativeLoopFacade {
    /// Runs tasks on this loop's thread.
    public var loopTaskExecutor: any TaskExecutor { taskExecutor }

    /// Lets a suspended task go on in the next turn, in its place among what is queued.
    public func resumeSoon(_ continuation: UnsafeContinuation<Void, Never>) {
        unsafe native.resumeSoon(continuation)
    }

    /// Calls `callback` when the loop closes, unless it is cancelled before.
    public func whenClosing(_ callback: @escaping () -> Void) -> any Cancellable { native.whenClosing(callback) }

    /// Runs `work` on a thread of the loop's pool.
    public func runOnThread(_ work: @escaping @Sendable () -> Void) throws(TransportError) {
        try native.runOnThread(work)
    }

    /// Refuses work for the pool from now on; calls `whenIdle` on some thread once none of it runs any more.
    public func shutDownThreads(whenIdle: @escaping @Sendable () -> Void) {
        native.shutDownThreads(whenIdle: whenIdle)
    }

    /// The address of a stream socket; nil if `descriptor` is none.
    public func streamSocketName(_ descriptor: Int32) -> SocketAddress? { native.streamSocketName(descriptor) }

    /// Every address of this machine.
    public func anyAddresses(port: UInt16) -> [SocketAddress] { native.anyAddresses(port: port) }

    /// What `AnyloopAsync` keeps for this loop.
    public var asyncState: AnyObject? {
        get { native.asyncState }
        set { native.asyncState = newValue }
    }
}

extension NativeLoopFacade {
    /// Runs `callback` in every turn in which `descriptor` is readable, until removed (rules 33, 34).
    @discardableResult
    public func addReader(_ descriptor: Int32, _ callback: @escaping () throws -> Void) throws(TransportError) -> Handle
    {
        try native.addReader(descriptor, callback)
    }

    /// Runs `callback` in every turn in which `descriptor` is writable, until removed.
    @discardableResult
    public func addWriter(_ descriptor: Int32, _ callback: @escaping () throws -> Void) throws(TransportError) -> Handle
    {
        try native.addWriter(descriptor, callback)
    }

    /// Ends `addReader`; whether there was one (rule 35).
    @discardableResult
    public func removeReader(_ descriptor: Int32) throws(TransportError) -> Bool { try native.removeReader(descriptor) }

    /// Ends `addWriter`; whether there was one.
    @discardableResult
    public func removeWriter(_ descriptor: Int32) throws(TransportError) -> Bool { try native.removeWriter(descriptor) }

    /// Runs `callback` on the loop whenever the process gets `signal` (rule 37).
    public func addSignalHandler(_ signal: Int32, _ callback: @escaping () throws -> Void) throws(TransportError) {
        try native.addSignalHandler(signal, callback)
    }

    /// Gives `signal` its former effect back; whether there was a handler (rule 38).
    @discardableResult
    public func removeSignalHandler(_ signal: Int32) throws(TransportError) -> Bool {
        try native.removeSignalHandler(signal)
    }
}

/// Someone who waits on a loop and must hear of its end.
private final class ClosingWaiter: PendingWork, Cancellable {
    private weak var loop: NativeLoop?
    private var callback: (() -> Void)?
    var number: UInt64 = 0

    init(loop: NativeLoop, _ callback: @escaping () -> Void) {
        self.loop = loop
        self.callback = callback
    }

    func loopCloses() {
        let callback = callback
        self.callback = nil
        callback?()
    }

    func cancel() {
        callback = nil
        loop?.pendingWork[number] = nil
    }
}
