/// A callback that waits in a loop's ready queue, and the means to cancel it.
///
/// (asyncio: `Handle`, rules 4 and 5.) Confined to the loop's thread.
public class Handle {
    /// What runs; nil once it ran or was cancelled, so that captures are let go early.
    package final var callback: (() throws -> Void)?

    /// Whether `cancel()` was called; stays true for good, also when the callback had run before.
    public final private(set) var isCancelled = false

    /// A handle for `callback`; loops make them, applications get them from `callSoon`.
    public init(_ callback: @escaping () throws -> Void) {
        self.callback = callback
    }

    /// Keeps the callback from running; without effect once it ran, and any number of times.
    public func cancel() {
        isCancelled = true
        callback = nil
    }
}

/// A callback that waits for a deadline.
///
/// (asyncio: `TimerHandle`, rules 4 and 23 to 27.) Confined to the loop's thread.
public final class TimerHandle: Handle {
    /// The deadline on the loop's clock (asyncio: `when()`).
    public let when: LoopInstant

    /// Which slot of its heap this handle has; -1 while it is in none.
    package var heapIndex = -1

    /// Breaks ties: of two equal deadlines the one scheduled first runs first.
    package var sequence: UInt64 = 0

    /// The heap's way to take a cancelled handle out; set by the loop that holds it.
    var onCancel: ((TimerHandle) -> Void)?

    /// A handle for `callback` at `when`; loops make them.
    public init(when: LoopInstant, _ callback: @escaping () throws -> Void) {
        self.when = when
        super.init(callback)
    }

    /// Keeps the callback from running and gives up its place in the heap.
    public override func cancel() {
        super.cancel()
        guard let onCancel else { return }
        self.onCancel = nil
        onCancel(self)
    }
}
