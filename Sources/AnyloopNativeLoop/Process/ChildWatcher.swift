import AnyloopCore
import CAnyloopSystem

/// How a loop learns that a child process ended (asyncio: child watchers).
///
/// No way needs `SIGCHLD`, or minds how many loops there are and on which threads.
public enum ChildWatcherKind: String, CaseIterable, Sendable {
    /// A descriptor for each child, which the poller watches (Linux 5.3; asyncio: `PidfdChildWatcher`).
    case descriptor
    /// A thread for each child, which waits (asyncio: `ThreadedChildWatcher`).
    case thread

    /// A descriptor; where that cannot be had, a thread.
    public static let standard = ChildWatcherKind.descriptor
}

/// Watches a child's descriptor until it ends.
private final class ChildDescriptorWatcher: Watcher {
    private unowned let loop: NativeLoop
    private var whenEnded: (() -> Void)?

    init(loop: NativeLoop, descriptor: Int32, _ whenEnded: @escaping () -> Void) {
        self.loop = loop
        self.whenEnded = whenEnded
        super.init(descriptor: descriptor)
        loop.attach(self)
    }

    override func ready(_ events: Interest) {
        let whenEnded = whenEnded
        giveBack()
        whenEnded?()
    }

    override func loopCloses() { giveBack() }

    func giveBack() {
        whenEnded = nil
        loop.detach(self)
        _ = anyloop_close(descriptor)
        descriptor = -1
    }
}

/// What a waiting thread gets through its pointer.
private final class ChildThread {
    let pid: Int32
    let remote: NativeRemote
    let whenEnded: LoopBound<() -> Void>

    init(pid: Int32, remote: NativeRemote, _ whenEnded: @escaping () -> Void) {
        self.pid = pid
        self.remote = remote
        self.whenEnded = LoopBound(whenEnded, to: remote)
    }

    /// Leaves the child to be reaped on the loop's thread, so that no signal can reach a stranger of its number.
    func run() {
        _ = anyloop_process_wait(pid)
        let whenEnded = whenEnded
        remote.callSoonThreadsafe { whenEnded.value() }
    }
}

extension NativeLoop {
    /// Calls `whenEnded` on the loop once the child `pid` has ended; it is still to be reaped then.
    ///
    /// - Throws: `TransportError.system` if neither a descriptor nor a thread can be had.
    func watchChild(_ pid: Int32, _ whenEnded: @escaping () -> Void) throws(TransportError) {
        if options.childWatcher == .descriptor {
            let descriptor = anyloop_process_descriptor(pid)
            if descriptor >= 0 {
                let watcher = ChildDescriptorWatcher(loop: self, descriptor: descriptor, whenEnded)
                if watch(watcher, .read) == 0 { return }
                watcher.giveBack()
            }
        }
        let thread = unsafe Unmanaged.passRetained(ChildThread(pid: pid, remote: nativeRemote, whenEnded))
        let code = unsafe anyloop_thread_start(
            { context in
                guard let context = unsafe context else { return }
                unsafe Unmanaged<ChildThread>.fromOpaque(context).takeRetainedValue().run()
            }, thread.toOpaque(), nil)
        guard code != 0 else { return }
        unsafe thread.release()
        throw .system(abs(code), "pthread_create")
    }
}

/// Children whose loop is gone: they are killed, and reaped as soon as that is done.
enum AbandonedChild {
    private final class Start {
        let pid: Int32

        init(_ pid: Int32) {
            self.pid = pid
        }
    }

    /// Kills the child `pid`, which nobody reaped yet, and leaves no zombie; does not wait where it can be helped.
    static func end(_ pid: Int32) {
        var status: Int32 = 0
        _ = anyloop_process_signal(pid, 9)
        guard unsafe anyloop_process_reap(pid, 0, &status) == 0 else { return }
        let start = unsafe Unmanaged.passRetained(Start(pid))
        let code = unsafe anyloop_thread_start(
            { context in
                guard let context = unsafe context else { return }
                AbandonedChild.reap(unsafe Unmanaged<Start>.fromOpaque(context).takeRetainedValue().pid)
            }, start.toOpaque(), nil)
        guard code != 0 else { return }
        unsafe start.release()
        reap(pid)
    }

    private static func reap(_ pid: Int32) {
        var status: Int32 = 0
        _ = unsafe anyloop_process_reap(pid, 1, &status)
    }
}
