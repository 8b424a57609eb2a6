public import NIOCore

extension NativeServerBootstrap {
    /// Binds to the first address of `host`; the connections come from the channel's inbound, as what
    /// `childChannelInitializer` made of them.
    ///
    /// - Throws: `IOError`, `SocketAddressError`; `EventLoopError.unsupportedOperation` for a group that is not native.
    public func bind<Output: Sendable>(
        host: String, port: Int,
        serverBackPressureStrategy: NIOAsyncSequenceProducerBackPressureStrategies.HighLowWatermark? = nil,
        childChannelInitializer: @escaping @Sendable (any Channel) -> EventLoopFuture<Output>
    ) async throws -> NIOAsyncChannel<Output, Never> {
        try await bind(
            to: SocketAddress.makeAddressResolvingHost(host, port: port),
            serverBackPressureStrategy: serverBackPressureStrategy, childChannelInitializer: childChannelInitializer)
    }

    /// Binds to `address`; otherwise as `bind(host:port:serverBackPressureStrategy:childChannelInitializer:)`.
    public func bind<Output: Sendable>(
        to address: SocketAddress,
        serverBackPressureStrategy: NIOAsyncSequenceProducerBackPressureStrategies.HighLowWatermark? = nil,
        childChannelInitializer: @escaping @Sendable (any Channel) -> EventLoopFuture<Output>
    ) async throws -> NIOAsyncChannel<Output, Never> {
        try await listen(
            { try HostServerChannel(loop: $0, childGroup: $1, family: address.protocol) },
            serverBackPressureStrategy, childChannelInitializer
        ) { $0.registerAndThen { $0.bind(to: address) } }
    }

    /// Binds to a Unix socket; otherwise as `bind(host:port:serverBackPressureStrategy:childChannelInitializer:)`.
    public func bind<Output: Sendable>(
        unixDomainSocketPath: String, cleanupExistingSocketFile: Bool = false,
        serverBackPressureStrategy: NIOAsyncSequenceProducerBackPressureStrategies.HighLowWatermark? = nil,
        childChannelInitializer: @escaping @Sendable (any Channel) -> EventLoopFuture<Output>
    ) async throws -> NIOAsyncChannel<Output, Never> {
        try await bind(
            to: RawSocket.unixAddress(unixDomainSocketPath, removesFormer: cleanupExistingSocketFile),
            serverBackPressureStrategy: serverBackPressureStrategy, childChannelInitializer: childChannelInitializer)
    }

    /// Listens on a socket that is bound, which the channel owns from here on; otherwise as
    /// `bind(host:port:serverBackPressureStrategy:childChannelInitializer:)`.
    public func bind<Output: Sendable>(
        _ socket: NIOBSDSocket.Handle, cleanupExistingSocketFile: Bool = false,
        serverBackPressureStrategy: NIOAsyncSequenceProducerBackPressureStrategies.HighLowWatermark? = nil,
        childChannelInitializer: @escaping @Sendable (any Channel) -> EventLoopFuture<Output>
    ) async throws -> NIOAsyncChannel<Output, Never> {
        try await listen(
            { try HostServerChannel(loop: $0, childGroup: $1, adopting: socket) },
            serverBackPressureStrategy, childChannelInitializer
        ) { $0.registerAdopted() }
    }

    private func listen<Output: Sendable>(
        _ make: (NativeEventLoop, any EventLoopGroup) throws -> HostServerChannel,
        _ strategy: NIOAsyncSequenceProducerBackPressureStrategies.HighLowWatermark?,
        _ initializer: @escaping @Sendable (any Channel) -> EventLoopFuture<Output>,
        _ register: @escaping @Sendable (HostServerChannel) -> EventLoopFuture<Void>
    ) async throws -> NIOAsyncChannel<Output, Never> {
        try await bringUp(
            make: make,
            prepare: { channel, accepting in
                // An accept that fails for want of descriptors is tried again later; nobody hears of it here.
                try channel.pipeline.syncOperations.addHandler(
                    AcceptBackoffHandler(shouldForwardIOErrorCaught: false), name: "AcceptBackOffHandler",
                    position: .before(accepting))
                // Not a stable interface, but NIO has no other way to initialise a child on its own loop.
                return try NIOAsyncChannel<Output, Never>._wrapAsyncChannelWithTransformations(
                    wrappingChannelSynchronously: channel, backPressureStrategy: strategy,
                    channelReadTransformation: { child in child.eventLoop.flatSubmit { initializer(child) } })
            }, register: register
        ).get().1
    }
}
