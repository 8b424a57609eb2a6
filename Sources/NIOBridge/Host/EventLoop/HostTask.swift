import AnyloopCore

/// What waits for its turn on a `NativeEventLoop`.
///
/// Unchecked: what comes from another thread is made of `@Sendable` closures, and the rest never leaves the loop's.
@safe
enum HostTask: @unchecked Sendable {
    /// A task of `execute`.
    case function(() -> Void)
    /// A piece of a Swift task or actor whose executor is the loop.
    case job(UnownedJob)
    /// A timer that is due, unless it was cancelled meanwhile.
    case timer(TimerHandle)
    /// A timer of another thread, to be set.
    case setTimer(TimerHandle)
}

/// A timer that may be cancelled from any thread: it is handed to the loop's, and touched there only,
/// which is why it is unchecked.
struct HostTimer: @unchecked Sendable {
    let handle: TimerHandle
}
