public import NIOCore

extension NativeClientBootstrap {
    /// As `connect(host:port:)`; returns what `channelInitializer` made of the channel.
    ///
    /// - Throws: `NativeConnectionError`, `ChannelError.connectTimeout`; what the initializers failed with.
    public func connect<Output: Sendable>(
        host: String, port: Int,
        channelInitializer: @escaping @Sendable (any Channel) -> EventLoopFuture<Output>
    ) async throws -> Output {
        try await race(host, port, setUp(channelInitializer)).get()
    }

    /// As `connect(to:)`; returns what `channelInitializer` made of the channel.
    ///
    /// - Throws: `IOError`, `ChannelError.connectTimeout`; what the initializers failed with.
    public func connect<Output: Sendable>(
        to address: SocketAddress,
        channelInitializer: @escaping @Sendable (any Channel) -> EventLoopFuture<Output>
    ) async throws -> Output {
        try await setUp(channelInitializer).connect(on: group.next(), to: address, timeout: connectTimeout).get()
    }

    /// As `connect(unixDomainSocketPath:)`; returns what `channelInitializer` made of the channel.
    ///
    /// - Throws: as `connect(to:channelInitializer:)`.
    public func connect<Output: Sendable>(
        unixDomainSocketPath: String,
        channelInitializer: @escaping @Sendable (any Channel) -> EventLoopFuture<Output>
    ) async throws -> Output {
        try await connect(
            to: SocketAddress(unixDomainSocketPath: unixDomainSocketPath), channelInitializer: channelInitializer)
    }

    /// As `withConnectedSocket(_:)`; returns what `channelInitializer` made of the channel.
    ///
    /// - Throws: `IOError` if it is no stream socket; what the initializers failed with.
    public func withConnectedSocket<Output: Sendable>(
        _ socket: NIOBSDSocket.Handle,
        channelInitializer: @escaping @Sendable (any Channel) -> EventLoopFuture<Output>
    ) async throws -> Output {
        try await setUp(channelInitializer).adopt(on: group.next()) {
            try HostStreamChannel(loop: $0, adopting: socket)
        }.get()
    }
}
