import AnyloopCore
import AnyloopHarness
import AnyloopNativeLoop

/// Loops by mode and poller.
enum LoopFactory {
    /// The options of a native loop with the poller called `poller`.
    static func options(poller: String) throws(TransportError) -> NativeLoopOptions {
        var options = NativeLoopOptions()
        options.poller = try PollerKind(named: poller)
        return options
    }

    /// A loop for `mode`, which must be one that this build has.
    static func make(_ mode: Mode, poller: String) throws(TransportError) -> any Loop {
        let options = try options(poller: poller)
        return mode == .compat ? try CompatLoop(options: options) : try NativeLoop(options: options)
    }
}
