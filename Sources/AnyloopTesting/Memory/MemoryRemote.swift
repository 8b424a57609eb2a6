import AnyloopCore
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// What other threads hold of a `MemoryLoop`.
final class MemoryRemote: LoopRemote {
    private struct State {
        var callbacks: [@Sendable () throws -> Void] = []
        var isClosed = false
        var thread: UInt
    }

    private let state: Mutex<State>

    init() {
        state = Mutex(State(thread: MemoryRemote.currentThread))
    }

    /// A number that no other living thread has.
    static var currentThread: UInt {
        #if canImport(Glibc)
            pthread_self()
        #else
            // The pointer is compared as a number and never followed.
            unsafe UInt(bitPattern: pthread_self())
        #endif
    }

    func callSoonThreadsafe(_ callback: @escaping @Sendable () throws -> Void) -> Bool {
        state.withLock { state in
            guard !state.isClosed else { return false }
            state.callbacks.append(callback)
            return true
        }
    }

    var isOnLoopThread: Bool {
        let current = MemoryRemote.currentThread
        return state.withLock { $0.thread == current }
    }

    /// The caller's thread is the loop's from here.
    func adoptThread() {
        let current = MemoryRemote.currentThread
        state.withLock { $0.thread = current }
    }

    /// What was posted since the last call.
    func take() -> [@Sendable () throws -> Void] {
        state.withLock { state in
            guard !state.callbacks.isEmpty else { return [] }
            let callbacks = state.callbacks
            state.callbacks = []
            return callbacks
        }
    }

    func close() {
        state.withLock { state in
            state.isClosed = true
            state.callbacks = []
        }
    }
}
