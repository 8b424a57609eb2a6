import Foundation

/// Threads beside the loop's.
enum AsyncioThread {
    /// Runs `body` on a thread of its own.
    static func start(_ body: @escaping @Sendable () -> Void) { Thread.detachNewThread(body) }

    /// Runs `body` on a thread of its own, and blocks until it is done.
    static func runAndWait(_ body: @escaping @Sendable () -> Void) {
        let done = DispatchSemaphore(value: 0)
        Thread.detachNewThread {
            body()
            done.signal()
        }
        done.wait()
    }

    /// Blocks the calling thread.
    static func sleep(seconds: Double) { Thread.sleep(forTimeInterval: seconds) }
}
