/// A value of a loop's thread, carried through code that only takes `Sendable`.
///
/// Loops, transports and protocols are confined to one thread; tasks and other threads' callbacks pass them
/// through this. Reading it elsewhere than on the loop's thread traps: that is a mistake in the program.
///
/// `@unchecked Sendable`: the value is touched only after that check, so by one thread.
public struct LoopBound<Value>: @unchecked Sendable {
    private let bound: Value
    private let remote: any LoopRemote

    /// Binds `value` to the thread of the loop that `remote` reaches.
    public init(_ value: Value, to remote: any LoopRemote) {
        bound = value
        self.remote = remote
    }

    /// The value. Only on the loop's thread.
    public var value: Value {
        precondition(remote.isOnLoopThread, "a loop's value was used on another thread; use LoopRemote to get there")
        return bound
    }
}
