import NIOBridge
import NIOCore
import NIOPosix

/// What services need of a server's bootstrap: NIO's `ServerBootstrap` has it, and ours has the same methods.
protocol ServiceServerBootstrap {
    /// Sets an option of the listening channel.
    func serverChannelOption<Option: ChannelOption>(_ option: Option, value: Option.Value) -> Self
    /// Sets an option of each accepted channel.
    func childChannelOption<Option: ChannelOption>(_ option: Option, value: Option.Value) -> Self
    /// Fills the pipeline of each accepted channel.
    func childChannelInitializer(_ initializer: @escaping @Sendable (any Channel) -> EventLoopFuture<Void>) -> Self
    /// Listens at `host` and `port`.
    func bind(host: String, port: Int) -> EventLoopFuture<any Channel>
    /// Listens at a Unix socket.
    func bind(unixDomainSocketPath: String) -> EventLoopFuture<any Channel>
    /// Listens, and gives what is accepted as an asynchronous sequence.
    func bind<Output: Sendable>(
        host: String, port: Int,
        serverBackPressureStrategy: NIOAsyncSequenceProducerBackPressureStrategies.HighLowWatermark?,
        childChannelInitializer: @escaping @Sendable (any Channel) -> EventLoopFuture<Output>
    ) async throws -> NIOAsyncChannel<Output, Never>
    /// The same at a Unix socket.
    func bind<Output: Sendable>(
        unixDomainSocketPath: String, cleanupExistingSocketFile: Bool,
        serverBackPressureStrategy: NIOAsyncSequenceProducerBackPressureStrategies.HighLowWatermark?,
        childChannelInitializer: @escaping @Sendable (any Channel) -> EventLoopFuture<Output>
    ) async throws -> NIOAsyncChannel<Output, Never>
}

extension ServerBootstrap: ServiceServerBootstrap {}
extension NativeServerBootstrap: ServiceServerBootstrap {}
