public import NIOCore
public import NIOPosix

/// What NIO's `DatagramBootstrap` and ours both offer, for code that runs on either one's loops, or another's.
///
/// Follows `DatagramBootstrap`, method for method.
public protocol DatagramBootstrapping {
    /// Sets what prepares the channel.
    func channelInitializer(_ initializer: @escaping @Sendable (any Channel) -> EventLoopFuture<Void>) -> Self

    /// Sets an option of the channel.
    func channelOption<Option: ChannelOption>(_ option: Option, value: Option.Value) -> Self

    /// Binds to a host's address.
    func bind(host: String, port: Int) -> EventLoopFuture<any Channel>

    /// Binds to an address.
    func bind(to address: SocketAddress) -> EventLoopFuture<any Channel>

    /// Binds to a path.
    func bind(unixDomainSocketPath: String) -> EventLoopFuture<any Channel>

    /// Connects to an address.
    func connect(to address: SocketAddress) -> EventLoopFuture<any Channel>

    /// Takes over a bound socket.
    func withBoundSocket(_ socket: NIOBSDSocket.Handle) -> EventLoopFuture<any Channel>

    /// Binds to an address; gives what `channelInitializer` gave.
    func bind<Output: Sendable>(
        to address: SocketAddress,
        channelInitializer: @escaping @Sendable (any Channel) -> EventLoopFuture<Output>
    ) async throws -> Output

    /// Connects to an address; gives what `channelInitializer` gave.
    func connect<Output: Sendable>(
        to address: SocketAddress,
        channelInitializer: @escaping @Sendable (any Channel) -> EventLoopFuture<Output>
    ) async throws -> Output
}

extension DatagramBootstrap: DatagramBootstrapping {}
extension NativeDatagramBootstrap: DatagramBootstrapping {}
