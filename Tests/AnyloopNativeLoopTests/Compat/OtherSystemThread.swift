import CAnyloopSystem

/// A thread that is waited for.
enum OtherSystemThread {
    private final class Box {
        let body: @Sendable () -> Void

        init(_ body: @escaping @Sendable () -> Void) {
            self.body = body
        }
    }

    static func runAndWait(_ body: @escaping @Sendable () -> Void) {
        let box = unsafe Unmanaged.passRetained(Box(body))
        var handle: UInt = 0
        let code = unsafe anyloop_thread_start(
            { context in
                // Retained for this thread alone.
                if let context = unsafe context { unsafe Unmanaged<Box>.fromOpaque(context).takeRetainedValue().body() }
            }, box.toOpaque(), &handle)
        if code == 0 { _ = anyloop_thread_join(handle) } else { unsafe box.release() }
    }
}
