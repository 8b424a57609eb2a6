import AnyloopHarness
import AnyloopSubjects

/// What `NIOLoop` may do otherwise than asyncio's recordings.
enum NIOLoopLiberties {
    /// Native mode's, for callbacks come straight from the events in both, and NIO's own.
    static let all: [AsyncioLiberty] = LoopLiberty.taken(byNative: true)
}
