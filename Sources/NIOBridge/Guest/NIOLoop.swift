public import AnyloopCore
public import AnyloopNativeLoop

/// SwiftNIO's event loop as a loop of ours: our protocols run on it as guests, unchanged.
///
/// Waiting and sockets are SwiftNIO's; callbacks, timers, tasks and what SwiftNIO has nothing for (child processes,
/// signals, descriptors of the application's) are the native loop's, which SwiftNIO's turns.
public final class NIOLoop: NativeLoopFacade {
    /// The loop below.
    public let native: NativeLoop

    /// A loop that belongs to the calling thread until `closeLoop`.
    ///
    /// - Throws: `TransportError.system` if the system gives no descriptors.
    public init(options: NativeLoopOptions = NativeLoopOptions()) throws(TransportError) {
        native = try NativeLoop(options: options, discipline: .native)
        native.facade = self
    }
}
