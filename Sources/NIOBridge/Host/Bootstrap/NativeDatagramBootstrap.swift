public import NIOCore
public import NIOPosix

/// Datagram sockets on a `NativeEventLoopGroup`: NIO's `DatagramBootstrap`, method for method.
///
/// Channels take and give `AddressedEnvelope<ByteBuffer>`, connected ones bare `ByteBuffer`s as well. A group that is not
/// native has its futures fail with `EventLoopError.unsupportedOperation`.
public final class NativeDatagramBootstrap {
    private let group: any EventLoopGroup
    private var initializer: (@Sendable (any Channel) -> EventLoopFuture<Void>)?
    private var options = ChannelOptions.Storage()
    private var subtype = NIOBSDSocket.ProtocolSubtype.default

    /// A bootstrap whose channels are on the loops of `group`.
    public init(group: any EventLoopGroup) {
        self.group = group
    }

    /// A bootstrap; nil if the group's loops are not native.
    public convenience init?(validatingGroup group: any EventLoopGroup) {
        guard group.isNative else { return nil }
        self.init(group: group)
    }

    /// Runs `handler` for the channel before it is bound.
    public func channelInitializer(_ handler: @escaping @Sendable (any Channel) -> EventLoopFuture<Void>) -> Self {
        initializer = handler
        return self
    }

    /// Sets `option` of the channel.
    public func channelOption<Option: ChannelOption>(_ option: Option, value: Option.Value) -> Self {
        options.append(key: option, value: value)
        return self
    }

    /// The protocol among those of the socket's family; UDP unless set.
    public func protocolSubtype(_ subtype: NIOBSDSocket.ProtocolSubtype) -> Self {
        self.subtype = subtype
        return self
    }

    /// Takes over a bound socket, which the channel owns from here on.
    public func withBoundSocket(_ socket: NIOBSDSocket.Handle) -> EventLoopFuture<any Channel> {
        adopt(socket, Self.channelItself)
    }

    /// Binds to the first address of `host`; blocks while that is looked up, as NIO's does.
    public func bind(host: String, port: Int) -> EventLoopFuture<any Channel> {
        bind({ try SocketAddress.makeAddressResolvingHost(host, port: port) }, Self.channelItself)
    }

    /// Binds to `address`.
    public func bind(to address: SocketAddress) -> EventLoopFuture<any Channel> {
        bind({ address }, Self.channelItself)
    }

    /// Binds to the Unix socket at `unixDomainSocketPath`, which must not be there.
    public func bind(unixDomainSocketPath: String) -> EventLoopFuture<any Channel> {
        bind({ try SocketAddress(unixDomainSocketPath: unixDomainSocketPath) }, Self.channelItself)
    }

    /// Binds to the Unix socket at `unixDomainSocketPath`, removing one that is there if `cleanupExistingSocketFile`.
    public func bind(unixDomainSocketPath: String, cleanupExistingSocketFile: Bool) -> EventLoopFuture<any Channel> {
        bind(
            { try RawSocket.unixAddress(unixDomainSocketPath, removesFormer: cleanupExistingSocketFile) },
            Self.channelItself)
    }

    /// Connects to the first address of `host`; blocks while that is looked up, as NIO's does.
    public func connect(host: String, port: Int) -> EventLoopFuture<any Channel> {
        connect({ try SocketAddress.makeAddressResolvingHost(host, port: port) }, Self.channelItself)
    }

    /// Connects to `address`: only its datagrams are received, and writes need no address.
    public func connect(to address: SocketAddress) -> EventLoopFuture<any Channel> {
        connect({ address }, Self.channelItself)
    }

    /// Connects to the Unix socket at `unixDomainSocketPath`.
    public func connect(unixDomainSocketPath: String) -> EventLoopFuture<any Channel> {
        connect({ try SocketAddress(unixDomainSocketPath: unixDomainSocketPath) }, Self.channelItself)
    }

    // MARK: With an outcome of the application's

    /// As `withBoundSocket(_:)`; returns what `channelInitializer` made of the channel.
    public func withBoundSocket<Output: Sendable>(
        _ socket: NIOBSDSocket.Handle,
        channelInitializer: @escaping @Sendable (any Channel) -> EventLoopFuture<Output>
    ) async throws -> Output {
        try await adopt(socket, channelInitializer).get()
    }

    /// As `bind(host:port:)`; returns what `channelInitializer` made of the channel.
    public func bind<Output: Sendable>(
        host: String, port: Int,
        channelInitializer: @escaping @Sendable (any Channel) -> EventLoopFuture<Output>
    ) async throws -> Output {
        try await bind({ try SocketAddress.makeAddressResolvingHost(host, port: port) }, channelInitializer).get()
    }

    /// As `bind(to:)`; returns what `channelInitializer` made of the channel.
    public func bind<Output: Sendable>(
        to address: SocketAddress,
        channelInitializer: @escaping @Sendable (any Channel) -> EventLoopFuture<Output>
    ) async throws -> Output {
        try await bind({ address }, channelInitializer).get()
    }

    /// As `bind(unixDomainSocketPath:cleanupExistingSocketFile:)`; returns what `channelInitializer` made of the channel.
    public func bind<Output: Sendable>(
        unixDomainSocketPath: String, cleanupExistingSocketFile: Bool = false,
        channelInitializer: @escaping @Sendable (any Channel) -> EventLoopFuture<Output>
    ) async throws -> Output {
        try await bind(
            { try RawSocket.unixAddress(unixDomainSocketPath, removesFormer: cleanupExistingSocketFile) },
            channelInitializer
        ).get()
    }

    /// As `connect(host:port:)`; returns what `channelInitializer` made of the channel.
    public func connect<Output: Sendable>(
        host: String, port: Int,
        channelInitializer: @escaping @Sendable (any Channel) -> EventLoopFuture<Output>
    ) async throws -> Output {
        try await connect({ try SocketAddress.makeAddressResolvingHost(host, port: port) }, channelInitializer).get()
    }

    /// As `connect(to:)`; returns what `channelInitializer` made of the channel.
    public func connect<Output: Sendable>(
        to address: SocketAddress,
        channelInitializer: @escaping @Sendable (any Channel) -> EventLoopFuture<Output>
    ) async throws -> Output {
        try await connect({ address }, channelInitializer).get()
    }

    /// As `connect(unixDomainSocketPath:)`; returns what `channelInitializer` made of the channel.
    public func connect<Output: Sendable>(
        unixDomainSocketPath: String,
        channelInitializer: @escaping @Sendable (any Channel) -> EventLoopFuture<Output>
    ) async throws -> Output {
        try await connect({ try SocketAddress(unixDomainSocketPath: unixDomainSocketPath) }, channelInitializer).get()
    }

    // MARK: Bringing up

    private static let channelItself: @Sendable (any Channel) -> EventLoopFuture<any Channel> = {
        $0.eventLoop.makeSucceededFuture($0)
    }

    private func bind<Output: Sendable>(
        _ makeAddress: () throws -> SocketAddress,
        _ output: @escaping @Sendable (any Channel) -> EventLoopFuture<Output>
    ) -> EventLoopFuture<Output> {
        open(makeAddress, output) { channel, address in channel.registerAndThen { $0.bind(to: address) } }
    }

    private func connect<Output: Sendable>(
        _ makeAddress: () throws -> SocketAddress,
        _ output: @escaping @Sendable (any Channel) -> EventLoopFuture<Output>
    ) -> EventLoopFuture<Output> {
        open(makeAddress, output) { channel, address in channel.registerAndThen { $0.connect(to: address) } }
    }

    private func open<Output: Sendable>(
        _ makeAddress: () throws -> SocketAddress,
        _ output: @escaping @Sendable (any Channel) -> EventLoopFuture<Output>,
        _ start: @escaping @Sendable (HostDatagramChannel, SocketAddress) -> EventLoopFuture<Void>
    ) -> EventLoopFuture<Output> {
        do {
            let address = try makeAddress()
            let subtype = subtype
            return setUp(output).bringUp(
                on: group.next(),
                make: { try HostDatagramChannel(loop: $0, family: address.protocol, subtype: subtype) },
                register: { start($0, address) }
            ).map { $0.1 }
        } catch {
            return group.next().makeFailedFuture(error)
        }
    }

    private func adopt<Output: Sendable>(
        _ socket: NIOBSDSocket.Handle, _ output: @escaping @Sendable (any Channel) -> EventLoopFuture<Output>
    ) -> EventLoopFuture<Output> {
        setUp(output).adopt(on: group.next()) { try HostDatagramChannel(loop: $0, adopting: socket) }
    }

    private func setUp<Output: Sendable>(
        _ output: @escaping @Sendable (any Channel) -> EventLoopFuture<Output>
    ) -> ChannelSetUp<Output> {
        ChannelSetUp(
            options: options, localAddress: nil,
            initializer: initializer ?? { $0.eventLoop.makeSucceededVoidFuture() }, output: output)
    }
}

@available(*, unavailable)
extension NativeDatagramBootstrap: Sendable {}
