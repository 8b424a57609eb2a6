public import NIOCore
public import NIOPosix

/// What NIO's `ServerBootstrap` and ours both offer, for code that runs on either one's loops, or another's.
///
/// Follows `ServerBootstrap`, method for method.
public protocol ServerBootstrapping {
    /// Sets what prepares the listening channel.
    func serverChannelInitializer(_ initializer: @escaping @Sendable (any Channel) -> EventLoopFuture<Void>) -> Self

    /// Sets what prepares every accepted channel.
    func childChannelInitializer(_ initializer: @escaping @Sendable (any Channel) -> EventLoopFuture<Void>) -> Self

    /// Sets an option of the listening channel.
    func serverChannelOption<Option: ChannelOption>(_ option: Option, value: Option.Value) -> Self

    /// Sets an option of every accepted channel.
    func childChannelOption<Option: ChannelOption>(_ option: Option, value: Option.Value) -> Self

    /// Listens at a host's address.
    func bind(host: String, port: Int) -> EventLoopFuture<any Channel>

    /// Listens at an address.
    func bind(to address: SocketAddress) -> EventLoopFuture<any Channel>

    /// Listens at a path.
    func bind(unixDomainSocketPath: String) -> EventLoopFuture<any Channel>

    /// Listens at a path, removing a socket's file there if asked.
    func bind(unixDomainSocketPath: String, cleanupExistingSocketFile: Bool) -> EventLoopFuture<any Channel>

    /// Listens on a bound socket, which it takes over.
    func withBoundSocket(_ socket: NIOBSDSocket.Handle) -> EventLoopFuture<any Channel>

    /// Listens at a host's address; accepted channels come as a sequence.
    func bind<Output: Sendable>(
        host: String, port: Int,
        serverBackPressureStrategy: NIOAsyncSequenceProducerBackPressureStrategies.HighLowWatermark?,
        childChannelInitializer: @escaping @Sendable (any Channel) -> EventLoopFuture<Output>
    ) async throws -> NIOAsyncChannel<Output, Never>

    /// Listens at an address; accepted channels come as a sequence.
    func bind<Output: Sendable>(
        to address: SocketAddress,
        serverBackPressureStrategy: NIOAsyncSequenceProducerBackPressureStrategies.HighLowWatermark?,
        childChannelInitializer: @escaping @Sendable (any Channel) -> EventLoopFuture<Output>
    ) async throws -> NIOAsyncChannel<Output, Never>

    /// Listens at a path; accepted channels come as a sequence.
    func bind<Output: Sendable>(
        unixDomainSocketPath: String, cleanupExistingSocketFile: Bool,
        serverBackPressureStrategy: NIOAsyncSequenceProducerBackPressureStrategies.HighLowWatermark?,
        childChannelInitializer: @escaping @Sendable (any Channel) -> EventLoopFuture<Output>
    ) async throws -> NIOAsyncChannel<Output, Never>
}

extension ServerBootstrap: ServerBootstrapping {}
extension NativeServerBootstrap: ServerBootstrapping {}
