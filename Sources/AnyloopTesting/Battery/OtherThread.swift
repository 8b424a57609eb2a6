#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Threads for cases about threads: the concurrency pool's may all be busy with other cases.
enum OtherThread {
    private final class Box {
        let body: @Sendable () -> Void

        init(_ body: @escaping @Sendable () -> Void) {
            self.body = body
        }
    }

    /// Runs `body` on a new thread that nobody joins.
    static func run(_ body: @escaping @Sendable () -> Void) {
        let box = unsafe Unmanaged.passRetained(Box(body))
        #if canImport(Glibc)
            var thread = pthread_t()
            let code = unsafe pthread_create(&thread, nil, { unsafe OtherThread.start($0) }, box.toOpaque())
            if code == 0 { pthread_detach(thread) } else { unsafe box.release() }
        #else
            var thread: pthread_t?
            let code = unsafe pthread_create(&thread, nil, { unsafe OtherThread.start($0) }, box.toOpaque())
            if code == 0, let thread = unsafe thread { unsafe pthread_detach(thread) } else { unsafe box.release() }
        #endif
    }

    private static func start(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
        if let argument = unsafe argument {
            // Retained by `run` for this thread alone.
            unsafe Unmanaged<Box>.fromOpaque(argument).takeRetainedValue().body()
        }
        return nil
    }
}
