public import NIOCore

/// A server on a `NativeEventLoopGroup`: NIO's `ServerBootstrap`, method for method.
///
/// Accepted channels take `IOData` out and give `ByteBuffer`s. A group that is not native has its futures fail with
/// `EventLoopError.unsupportedOperation`.
public final class NativeServerBootstrap {
    let group: any EventLoopGroup
    let childGroup: any EventLoopGroup
    var serverInitializer: (@Sendable (any Channel) -> EventLoopFuture<Void>)?
    var childInitializer: (@Sendable (any Channel) -> EventLoopFuture<Void>)?
    var serverOptions = ChannelOptions.Storage()
    var childOptions = ChannelOptions.Storage()

    /// A bootstrap whose listening and accepted channels are on the loops of `group`.
    public convenience init(group: any EventLoopGroup) {
        self.init(group: group, childGroup: group)
    }

    /// A bootstrap whose accepted channels are on loops of their own group.
    public init(group: any EventLoopGroup, childGroup: any EventLoopGroup) {
        self.group = group
        self.childGroup = childGroup
        serverOptions.append(key: .tcpOption(.tcp_nodelay), value: 1)
    }

    /// A bootstrap; nil if a group's loops are not native.
    public convenience init?(validatingGroup group: any EventLoopGroup, childGroup: (any EventLoopGroup)? = nil) {
        guard group.isNative, childGroup?.isNative ?? true else { return nil }
        self.init(group: group, childGroup: childGroup ?? group)
    }

    /// Runs `initializer` for the listening channel before it is bound.
    public func serverChannelInitializer(
        _ initializer: @escaping @Sendable (any Channel) -> EventLoopFuture<Void>
    ) -> Self {
        serverInitializer = initializer
        return self
    }

    /// Runs `initializer` for every accepted channel, on that channel's loop, before it is active.
    public func childChannelInitializer(
        _ initializer: @escaping @Sendable (any Channel) -> EventLoopFuture<Void>
    ) -> Self {
        childInitializer = initializer
        return self
    }

    /// Sets `option` of the listening channel.
    public func serverChannelOption<Option: ChannelOption>(_ option: Option, value: Option.Value) -> Self {
        serverOptions.append(key: option, value: value)
        return self
    }

    /// Sets `option` of every accepted channel.
    public func childChannelOption<Option: ChannelOption>(_ option: Option, value: Option.Value) -> Self {
        childOptions.append(key: option, value: value)
        return self
    }

    /// Without effect, as NIO's: binding takes no time.
    public func bindTimeout(_ timeout: TimeAmount) -> Self { self }

    /// Binds to the first address of `host`; blocks while that is looked up, as NIO's does.
    public func bind(host: String, port: Int) -> EventLoopFuture<any Channel> {
        bind { try SocketAddress.makeAddressResolvingHost(host, port: port) }
    }

    /// Binds to `address` and accepts connections.
    public func bind(to address: SocketAddress) -> EventLoopFuture<any Channel> { bind { address } }

    /// Binds to the Unix socket at `unixDomainSocketPath`, which must not be there.
    public func bind(unixDomainSocketPath: String) -> EventLoopFuture<any Channel> {
        bind { try SocketAddress(unixDomainSocketPath: unixDomainSocketPath) }
    }

    /// Binds to the Unix socket at `unixDomainSocketPath`, removing one that is there if `cleanupExistingSocketFile`.
    public func bind(unixDomainSocketPath: String, cleanupExistingSocketFile: Bool) -> EventLoopFuture<any Channel> {
        bind {
            try RawSocket.unixAddress(unixDomainSocketPath, removesFormer: cleanupExistingSocketFile)
        }
    }

    /// Listens on a socket that is bound, which the channel owns from here on.
    public func withBoundSocket(_ socket: NIOBSDSocket.Handle) -> EventLoopFuture<any Channel> {
        bringUp(make: { try HostServerChannel(loop: $0, childGroup: $1, adopting: socket) }) { $0.registerAdopted() }
    }

    private func bind(_ makeAddress: () throws -> SocketAddress) -> EventLoopFuture<any Channel> {
        do {
            let address = try makeAddress()
            return bringUp(make: { try HostServerChannel(loop: $0, childGroup: $1, family: address.protocol) }) {
                $0.registerAndThen { $0.bind(to: address) }
            }
        } catch {
            return group.next().makeFailedFuture(error)
        }
    }

    private func bringUp(
        make: (NativeEventLoop, any EventLoopGroup) throws -> HostServerChannel,
        register: @escaping @Sendable (HostServerChannel) -> EventLoopFuture<Void>
    ) -> EventLoopFuture<any Channel> {
        bringUp(make: make, prepare: { _, _ in }, register: register).map { channel, _ in channel }
    }

    /// Makes the listening channel: options, initializer, accepting, what `prepare` adds, then `register`.
    func bringUp<Prepared: Sendable>(
        make: (NativeEventLoop, any EventLoopGroup) throws -> HostServerChannel,
        prepare: @escaping @Sendable (HostServerChannel, AcceptHandler) throws -> Prepared,
        register: @escaping @Sendable (HostServerChannel) -> EventLoopFuture<Void>
    ) -> EventLoopFuture<(HostServerChannel, Prepared)> {
        let next = group.next()
        let channel: HostServerChannel
        do { channel = try make(try next.native(), childGroup) } catch { return next.makeFailedFuture(error) }
        let (serverOptions, childOptions) = (serverOptions, childOptions)
        let (serverInitializer, childInitializer) = (serverInitializer, childInitializer)
        return channel.loop.flatSubmit {
            serverOptions.applyAllChannelOptions(to: channel).flatMap {
                serverInitializer?(channel) ?? channel.loop.makeSucceededVoidFuture()
            }.flatMap { () -> EventLoopFuture<(HostServerChannel, Prepared)> in
                do {
                    let handler = AcceptHandler(initializer: childInitializer, options: childOptions)
                    try channel.pipeline.syncOperations.addHandler(handler, name: "AcceptHandler")
                    let prepared = try prepare(channel, handler)
                    return register(channel).map { (channel, prepared) }
                } catch {
                    return channel.loop.makeFailedFuture(error)
                }
            }.flatMapErrorThrowing { error in
                channel.close0(error: error, mode: .all, promise: nil)
                throw error
            }
        }
    }
}

@available(*, unavailable)
extension NativeServerBootstrap: Sendable {}
