public import NIOCore
public import NIOPosix

/// A client on a `NativeEventLoopGroup`: NIO's `ClientBootstrap`, method for method.
///
/// Connected channels take `IOData` out and give `ByteBuffer`s. A group that is not native has its futures fail with
/// `EventLoopError.unsupportedOperation`.
public final class NativeClientBootstrap: NIOClientTCPBootstrapProtocol {
    let group: any EventLoopGroup
    private var initializer: @Sendable (any Channel) -> EventLoopFuture<Void> = {
        $0.eventLoop.makeSucceededVoidFuture()
    }
    private var makeProtocolHandlers: (@Sendable () -> [any ChannelHandler])?
    private var options = ChannelOptions.Storage()
    var connectTimeout = TimeAmount.seconds(10)
    var resolver: (any Resolver & Sendable)?
    private var localAddress: SocketAddress?

    /// A bootstrap whose channels are on the loops of `group`.
    public init(group: any EventLoopGroup) {
        self.group = group
        options.append(key: .tcpOption(.tcp_nodelay), value: 1)
    }

    /// A bootstrap; nil if the group's loops are not native.
    public convenience init?(validatingGroup group: any EventLoopGroup) {
        guard group.isNative else { return nil }
        self.init(group: group)
    }

    /// Runs `handler` for the channel before it connects; for several channels if a host has several addresses.
    public func channelInitializer(_ handler: @escaping @Sendable (any Channel) -> EventLoopFuture<Void>) -> Self {
        initializer = handler
        return self
    }

    /// Adds `handlers` at the front of the pipeline after the initializer has run; once a bootstrap.
    public func protocolHandlers(_ handlers: @escaping @Sendable () -> [any ChannelHandler]) -> Self {
        precondition(makeProtocolHandlers == nil, "protocol handlers can only be set once")
        makeProtocolHandlers = handlers
        return self
    }

    /// Sets `option` of the channel.
    public func channelOption<Option: ChannelOption>(_ option: Option, value: Option.Value) -> Self {
        options.append(key: option, value: value)
        return self
    }

    /// How long connecting may take; 10 s unless set.
    public func connectTimeout(_ timeout: TimeAmount) -> Self {
        connectTimeout = timeout
        return self
    }

    /// Who looks names up; nil for the system.
    public func resolver(_ resolver: (any Resolver & Sendable)?) -> Self {
        self.resolver = resolver
        return self
    }

    /// Binds the channel to `address` before it connects.
    public func bind(to address: SocketAddress) -> NativeClientBootstrap {
        localAddress = address
        return self
    }

    /// Connects to `host`, whose addresses race (Happy Eyeballs, RFC 8305).
    ///
    /// The future fails with `NativeConnectionError`, or `ChannelError.connectTimeout`.
    public func connect(host: String, port: Int) -> EventLoopFuture<any Channel> {
        race(host, port, setUp)
    }

    /// Connects to `address`.
    public func connect(to address: SocketAddress) -> EventLoopFuture<any Channel> {
        setUp.connect(on: group.next(), to: address, timeout: connectTimeout)
    }

    /// Connects to the Unix socket at `unixDomainSocketPath`.
    public func connect(unixDomainSocketPath: String) -> EventLoopFuture<any Channel> {
        do { return connect(to: try SocketAddress(unixDomainSocketPath: unixDomainSocketPath)) } catch {
            return group.next().makeFailedFuture(error)
        }
    }

    /// Takes over a connected socket, which the channel owns from here on.
    public func withConnectedSocket(_ socket: NIOBSDSocket.Handle) -> EventLoopFuture<any Channel> {
        setUp.adopt(on: group.next()) { try HostStreamChannel(loop: $0, adopting: socket) }
    }

    func race<Output: Sendable>(_ host: String, _ port: Int, _ setUp: ChannelSetUp<Output>) -> EventLoopFuture<Output> {
        let next = group.next()
        do {
            let loop = try next.native()
            return HostConnector.connect(
                on: loop, resolver: resolver ?? HostResolver(loop: loop), host: host, port: port,
                timeout: connectTimeout, setUp: setUp)
        } catch {
            return next.makeFailedFuture(error)
        }
    }

    /// What a channel is brought up with.
    var setUp: ChannelSetUp<any Channel> {
        ChannelSetUp(
            options: options, localAddress: localAddress, initializer: fullInitializer,
            output: { $0.eventLoop.makeSucceededFuture($0) })
    }

    /// The same with the application's own outcome of a channel.
    func setUp<Output: Sendable>(
        _ output: @escaping @Sendable (any Channel) -> EventLoopFuture<Output>
    ) -> ChannelSetUp<Output> {
        ChannelSetUp(options: options, localAddress: localAddress, initializer: fullInitializer, output: output)
    }

    private var fullInitializer: @Sendable (any Channel) -> EventLoopFuture<Void> {
        guard let makeProtocolHandlers else { return initializer }
        let initializer = initializer
        return { channel in
            initializer(channel).hop(to: channel.eventLoop).flatMapThrowing {
                try channel.pipeline.syncOperations.addHandlers(makeProtocolHandlers(), position: .first)
            }
        }
    }
}

@available(*, unavailable)
extension NativeClientBootstrap: Sendable {}
