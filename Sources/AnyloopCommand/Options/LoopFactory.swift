import AnyloopCore
import AnyloopHarness
import AnyloopNativeLoop
import NIOBridge

/// Loops by mode and poller.
enum LoopFactory {
    /// The options of a loop for `mode` with the poller called `poller`.
    ///
    /// - Throws: `TransportError.usage` for a poller that there is none of, or that the mode does not wait by.
    static func options(_ mode: Mode, poller: String) throws(TransportError) -> NativeLoopOptions {
        var options = NativeLoopOptions()
        options.poller = try PollerKind(named: poller)
        guard mode != .nio || options.poller == .epoll else {
            throw .usage(
                "SwiftNIO's loop waits by epoll only, not by \(poller); leave out --poller and POLL in mode nio")
        }
        return options
    }

    /// A loop for `mode`, which must be one that this build has; it belongs to the calling thread.
    static func make(_ mode: Mode, poller: String) throws(TransportError) -> any SignalLoop {
        let options = try options(mode, poller: poller)
        return switch mode {
        case .compat: try CompatLoop(options: options)
        case .nio: try NIOLoop(options: options)
        case .native, .asyncio: try NativeLoop(options: options)
        }
    }
}
