public import NIOCore
public import NIOPosix

/// What NIO's `ClientBootstrap` and ours both offer, for code that runs on either one's loops, or another's.
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

extension ClientBootstrap: ClientBootstrapping {}
extension NativeClientBootstrap: ClientBootstrapping {}
