public import NIOCore
public import NIOPosix

/// What an event loop group must bring to be put through the battery: itself, and bootstraps for its channels.
///
/// One host may serve many cases, one after another; every case makes groups of its own and shuts them down.
public protocol EventLoopGroupHost: Sendable {
    /// What is being tested, for reports: `nio`, `native`.
    var name: String { get }

    /// A new group of that many loops, each on a thread of its own.
    func makeGroup(threads: Int) throws -> any EventLoopGroup

    /// A bootstrap for listening channels on loops of `group`, whose children are on loops of `childGroup`.
    func serverBootstrap(
        group: any EventLoopGroup, childGroup: any EventLoopGroup
    ) -> any ServerBootstrapping

    /// A bootstrap for connecting stream channels on loops of `group`.
    func clientBootstrap(group: any EventLoopGroup) -> any ClientBootstrapping

    /// A bootstrap for datagram channels on loops of `group`.
    func datagramBootstrap(group: any EventLoopGroup) -> any DatagramBootstrapping
}

/// What NIOPosix's `ServerBootstrap` offers, so that others may offer the same.
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

/// What NIOPosix's `ClientBootstrap` offers, so that others may offer the same.
///
/// Follows `ClientBootstrap`, method for method; `NIOClientTCPBootstrapProtocol` is the universal bootstrap's part.
public protocol ClientBootstrapping: NIOClientTCPBootstrapProtocol {
    /// Sets the address to connect from.
    func bind(to address: SocketAddress) -> Self

    /// Sets what resolves hosts' names; nil for the system's.
    func resolver(_ resolver: (any Resolver & Sendable)?) -> Self

    /// Takes over a connected socket.
    func withConnectedSocket(_ socket: NIOBSDSocket.Handle) -> EventLoopFuture<any Channel>

    /// Connects to a host; gives what `channelInitializer` gave.
    func connect<Output: Sendable>(
        host: String, port: Int,
        channelInitializer: @escaping @Sendable (any Channel) -> EventLoopFuture<Output>
    ) async throws -> Output

    /// Connects to an address; gives what `channelInitializer` gave.
    func connect<Output: Sendable>(
        to address: SocketAddress,
        channelInitializer: @escaping @Sendable (any Channel) -> EventLoopFuture<Output>
    ) async throws -> Output

    /// Connects to a path; gives what `channelInitializer` gave.
    func connect<Output: Sendable>(
        unixDomainSocketPath: String,
        channelInitializer: @escaping @Sendable (any Channel) -> EventLoopFuture<Output>
    ) async throws -> Output

    /// Takes over a connected socket; gives what `channelInitializer` gave.
    func withConnectedSocket<Output: Sendable>(
        _ socket: NIOBSDSocket.Handle,
        channelInitializer: @escaping @Sendable (any Channel) -> EventLoopFuture<Output>
    ) async throws -> Output
}

/// What NIOPosix's `DatagramBootstrap` offers, so that others may offer the same.
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
