import AnyloopCore
import CAnyloopSystem
import Synchronization

/// What other threads send to the loop.
enum RemoteWork: Sendable {
    case callback(@Sendable () throws -> Void)
    case job(UnownedJob)
    case taskJob(UnownedJob)
    /// The answer of the resolver to the request of that number.
    case resolved(UInt64, Result<[SocketAddress], TransportError>)
}

/// The handle of a `NativeLoop` that other threads may hold.
///
/// One queue under a lock, one wake-up descriptor, and at most one wake-up under way.
package final class NativeRemote: LoopRemote {
    private struct State {
        var work: [RemoteWork] = []
        var isOpen = true
        var isWakeSent = false
    }

    private let state = Mutex(State())
    /// Looked at by every turn, so that the lock is taken only when there is something.
    private let isPending = Atomic(false)
    private let threadToken = Atomic<UInt>(0)
    let wakeDescriptor: Int32
    /// Wakes whoever turns the loop, where that is not the loop itself: called with every piece of work.
    private let wakeHost: (@Sendable () -> Void)?

    init(wakeHost: (@Sendable () -> Void)? = nil) throws(TransportError) {
        self.wakeHost = wakeHost
        wakeDescriptor = anyloop_eventfd()
        guard wakeDescriptor >= 0 else { throw .system(-wakeDescriptor, "eventfd") }
        bindToThread()
    }

    package var isOnLoopThread: Bool { threadToken.load(ordering: .relaxed) == UInt(anyloop_thread_token()) }

    package var runningLoop: (any Loop)? {
        guard let loop = NativeLoop.running, loop.nativeRemote === self else { return nil }
        return loop.facade ?? loop
    }

    /// Whether work came that no turn has taken yet.
    var hasWork: Bool { isPending.load(ordering: .acquiring) }

    /// Makes the calling thread the loop's.
    func bindToThread() {
        threadToken.store(UInt(anyloop_thread_token()), ordering: .relaxed)
    }

    @discardableResult
    package func callSoonThreadsafe(_ callback: @escaping @Sendable () throws -> Void) -> Bool {
        post(.callback(callback))
    }

    /// Queues `work` and wakes the loop; false once it is closed.
    func post(_ work: RemoteWork) -> Bool {
        let isOnLoopThread = isOnLoopThread
        let isTaken = state.withLock { state in
            guard state.isOpen else { return false }
            state.work.append(work)
            isPending.store(true, ordering: .releasing)
            // On the loop's own thread the next turn looks before it waits.
            if wakeHost == nil, !isOnLoopThread, !state.isWakeSent {
                state.isWakeSent = true
                _ = anyloop_eventfd_signal(wakeDescriptor)
            }
            return true
        }
        if isTaken, let wakeHost { wakeHost() }
        return isTaken
    }

    /// Wakes the loop without work.
    package func wake() {
        state.withLock { state in
            guard state.isOpen, !state.isWakeSent else { return }
            state.isWakeSent = true
            _ = anyloop_eventfd_signal(wakeDescriptor)
        }
    }

    /// Takes what came, in its order.
    func take() -> [RemoteWork] {
        state.withLock { state in
            isPending.store(false, ordering: .relaxed)
            let work = state.work
            state.work = []
            return work
        }
    }

    /// The wake-up was seen: the next post sends another.
    func wakeSeen() {
        state.withLock { state in
            state.isWakeSent = false
            _ = anyloop_eventfd_clear(wakeDescriptor)
        }
    }

    /// Refuses work from now on; what is still queued.
    func close() -> [RemoteWork] {
        state.withLock { state in
            guard state.isOpen else { return [] }
            state.isOpen = false
            isPending.store(false, ordering: .relaxed)
            _ = anyloop_close(wakeDescriptor)
            let work = state.work
            state.work = []
            return work
        }
    }
}

/// Takes the wake-ups of other threads and of signals.
final class WakeWatcher: Watcher {
    private unowned let loop: NativeLoop

    init(loop: NativeLoop, descriptor: Int32) {
        self.loop = loop
        super.init(descriptor: descriptor)
    }

    override func ready(_ events: Interest) {
        loop.nativeRemote.wakeSeen()
        loop.takeSignals()
    }
}
