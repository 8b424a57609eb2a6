import AnyloopCore
import AnyloopNativeLoop
import CAnyloopSystem
import Synchronization

/// Watches the descriptors that SwiftNIO has no channel for (children, signals, the application's own) beside its loop.
///
/// They stand in an epoll instance of ours, which every turn looks at. So that SwiftNIO's loop does not sleep over them, a
/// thread waits for the instance to become readable, has a turn made, and waits again when that is over. There is no
/// such thread before there is such a descriptor.
final class NIOSidePoller: Poller {
    /// What the thread tells the loop.
    private final class Signal: Sendable {
        /// The thread does not wait any more: something is ready.
        let isSpent = Atomic(false)
        /// The thread is to end, also if it has no loop yet.
        let isStopping = Atomic(false)
    }

    private let epoll: EpollPoller
    private let wake: @Sendable () -> Void
    private let signal = Signal()
    private var thread: LoopThread?
    /// Descriptors that are watched, but for the first, which wakes the loop and is woken otherwise here.
    private var watched = -1

    /// - Parameter wake: has a turn made; called from the thread.
    /// - Throws: `TransportError.system` if the system has no more descriptors.
    init(wake: @escaping @Sendable () -> Void) throws(TransportError) {
        epoll = try EpollPoller()
        self.wake = wake
    }

    var kind: PollerKind { .epoll }

    func change(_ descriptor: Int32, key: UInt64, from before: Interest, to after: Interest) -> Int32 {
        let code = epoll.change(descriptor, key: key, from: before, to: after)
        guard code == 0 else { return code }
        if before.isEmpty, !after.isEmpty { watched += 1 }
        if !before.isEmpty, after.isEmpty { watched -= 1 }
        return 0
    }

    func wait(timeout: Int64, events: UnsafeMutableBufferPointer<anyloop_event>) -> Int32 {
        guard watched > 0 || thread != nil else { return 0 }
        return unsafe epoll.wait(timeout: 0, events: events)
    }

    /// Called before SwiftNIO's loop goes to sleep; `force` where a descriptor counts that is not in the number.
    ///
    /// - Throws: `TransportError.system` if a thread cannot be made.
    func prepareToWait(force: Bool) throws(TransportError) {
        guard let thread else {
            guard watched > 0 || force else { return }
            let (descriptor, signal, wake) = (epoll.descriptor, signal, wake)
            self.thread = try LoopThread { loop in
                try Self.arm(loop, descriptor, signal, wake)
                if !signal.isStopping.load(ordering: .acquiring) { try loop.run() }
            }
            return
        }
        guard signal.isSpent.exchange(false, ordering: .acquiringAndReleasing) else { return }
        let (descriptor, signal, wake) = (epoll.descriptor, signal, wake)
        _ = thread.remote?.callSoonThreadsafe {
            if let loop = NativeLoop.running { try Self.arm(loop, descriptor, signal, wake) }
        }
    }

    /// Has the thread's loop wait once.
    private static func arm(
        _ loop: NativeLoop, _ descriptor: Int32, _ signal: Signal, _ wake: @escaping @Sendable () -> Void
    ) throws(TransportError) {
        try loop.addReader(descriptor) { [unowned loop] in
            try loop.removeReader(descriptor)
            signal.isSpent.store(true, ordering: .releasing)
            wake()
        }
    }

    func close() {
        if let thread {
            signal.isStopping.store(true, ordering: .releasing)
            thread.stop()
            try? thread.join()
        }
        thread = nil
        epoll.close()
    }
}
