public import AnyloopCore
import AnyloopNativeLoop
import NIOBridge
public import NIOCore

/// A protocol of ours that hosts a pipeline of NIO's: handlers run on any loop and over any stream transport.
///
/// ```swift
/// let server = try loop.createServer(on: [.loopback(port: 0)], options: ServerOptions()) {
///     PipelineProtocol { channel in try channel.pipeline.syncOperations.addHandler(EchoHandler()) }
/// }
/// ```
///
/// The handlers' event loop is the loop's own: see `NIOEventLoops`.
public final class PipelineProtocol: StreamProtocol {
    private let initialize: (any Channel) throws -> Void
    private let onError: (any Error) -> Void
    private var channel: TransportChannel?

    /// A protocol whose channel gets its handlers by `initialize`; `onError` hears of errors that no handler has kept.
    ///
    /// What `initialize` throws is thrown by `connectionMade`, after which the connection is closed.
    public init(
        onError: @escaping (any Error) -> Void = { _ in }, initialize: @escaping (any Channel) throws -> Void
    ) {
        self.initialize = initialize
        self.onError = onError
    }

    /// Makes the channel, has it set up, and activates it.
    public func connectionMade(_ transport: any StreamTransport) throws {
        let channel = TransportChannel(transport, on: NIOEventLoops.eventLoop(of: transport.loop), onError: onError)
        self.channel = channel
        do {
            try initialize(channel)
        } catch {
            channel.close0(error: error, mode: .all, promise: nil)
            throw error
        }
        channel.start()
    }

    /// Fires the bytes through the pipeline.
    public func dataReceived(_ data: Span<UInt8>) { channel?.receive(data) }

    /// Ends the channel's input, or closes it where it does not allow half-closure.
    public func eofReceived() -> Bool { channel?.receiveEnd() ?? false }

    /// Closes the channel; an error is fired through the pipeline first.
    public func connectionLost(_ error: TransportError?) {
        channel?.lose(error)
        channel = nil
    }

    /// Nothing: the channel counts by itself.
    public func pauseWriting() {}

    /// Completes what was waiting for the transport.
    public func resumeWriting() { channel?.settleWrites() }
}

/// Which event loop of NIO's belongs to a loop of ours.
public enum NIOEventLoops {
    /// The event loop on which handlers run over a transport of `loop`; on the loop's thread.
    ///
    /// NIO's own on a `NIOLoop`, the `NativeEventLoop` of a `NativeLoop`, a `LoopEventLoop` on any other.
    public static func eventLoop(of loop: any Loop) -> any EventLoop {
        switch loop {
        case let loop as NIOLoop: loop.eventLoop
        case let loop as NativeLoop: (try? NativeEventLoop.on(loop)) ?? LoopEventLoop(loop)
        default: LoopEventLoop(loop)
        }
    }
}
