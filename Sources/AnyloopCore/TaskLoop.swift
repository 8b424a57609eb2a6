/// A loop that runs Swift tasks on its own thread, so that they reach what lives on it without a hop.
///
/// asyncio's async interface (`AnyloopAsync`) is written against this: what a loop brings here, every async function
/// works with.
public protocol TaskLoop: Loop {
    /// What tasks prefer so that they run on this loop: `Task(executorPreference: loop.loopTaskExecutor)`.
    var loopTaskExecutor: any TaskExecutor { get }

    /// Lets the task that `continuation` suspends go on in the next turn, in its place among what is queued.
    ///
    /// Resuming the continuation from a callback would cost another turn. On a closed loop it is resumed at once.
    func resumeSoon(_ continuation: UnsafeContinuation<Void, Never>)

    /// Whether `run` or `runOnce` is under way (asyncio: `is_running`).
    var isRunning: Bool { get }

    /// Whether `closeLoop` was called (asyncio: `is_closed`).
    var isClosed: Bool { get }

    /// Calls `callback` when the loop closes, unless it is cancelled before; for those who wait on the loop.
    func whenClosing(_ callback: @escaping () -> Void) -> any Cancellable

    /// Runs `work` on a thread of the loop's pool (asyncio: the default executor, rule 30).
    ///
    /// - Throws: `TransportError.usage` after `shutDownThreads`, `.system` if not even one thread can be had.
    func runOnThread(_ work: @escaping @Sendable () -> Void) throws(TransportError)

    /// Refuses work for the pool from now on; calls `whenIdle` on some thread once none of it runs any more.
    func shutDownThreads(whenIdle: @escaping @Sendable () -> Void)

    /// The address of a stream socket of the caller's; nil if `descriptor` is none.
    func streamSocketName(_ descriptor: Int32) -> SocketAddress?

    /// Every address of this machine, as a server without a host binds them: IPv4, and IPv6 where there is any.
    func anyAddresses(port: UInt16) -> [SocketAddress]

    /// What `AnyloopAsync` keeps for this loop; a stored property that starts as nil and that nobody else touches.
    var asyncState: AnyObject? { get set }
}
