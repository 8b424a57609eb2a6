import NIOCore

/// How a channel of a client or of datagrams is made ready: options, address of their own, initializer, then what the application makes of it.
struct ChannelSetUp<Output: Sendable>: Sendable {
    let options: ChannelOptions.Storage
    let localAddress: SocketAddress?
    let initializer: @Sendable (any Channel) -> EventLoopFuture<Void>
    let output: @Sendable (any Channel) -> EventLoopFuture<Output>

    /// A channel that connects to `address` within `timeout`.
    func connect(on next: any EventLoop, to address: SocketAddress, timeout: TimeAmount) -> EventLoopFuture<Output> {
        bringUp(on: next, make: { try HostStreamChannel(loop: $0, family: address.protocol) }) { channel in
            channel.registerAndThen { Self.connect($0, to: address, timeout: timeout) }
        }.map { $0.1 }
    }

    /// A registered channel that is to connect by other means: `HostConnector`'s.
    func prepare(on next: any EventLoop, family: NIOBSDSocket.ProtocolFamily) -> EventLoopFuture<(any Channel, Output)>
    {
        bringUp(on: next, make: { try HostStreamChannel(loop: $0, family: family) }) { channel in
            channel.registerAndThen { $0.eventLoop.makeSucceededVoidFuture() }
        }.map { ($0.0, $0.1) }
    }

    /// A channel of a socket that is bound or connected already.
    func adopt(
        on next: any EventLoop, _ make: (NativeEventLoop) throws -> some HostChannel
    ) -> EventLoopFuture<Output> {
        bringUp(on: next, make: make) { $0.registerAdopted() }.map { $0.1 }
    }

    /// The channel that `make` makes, with options and initializers applied, then registered.
    func bringUp<Made: HostChannel>(
        on next: any EventLoop, make: (NativeEventLoop) throws -> Made,
        register: @escaping @Sendable (Made) -> EventLoopFuture<Void>
    ) -> EventLoopFuture<(Made, Output)> {
        let channel: Made
        do { channel = try make(try next.native()) } catch { return next.makeFailedFuture(error) }
        let start: @Sendable () -> EventLoopFuture<(Made, Output)> = {
            options.applyAllChannelOptions(to: channel).flatMap {
                localAddress.map { channel.bind(to: $0) } ?? channel.loop.makeSucceededVoidFuture()
            }.flatMap {
                initializer(channel)
            }.hop(to: channel.loop).flatMap {
                output(channel)
            }.hop(to: channel.loop).flatMap { output in
                register(channel).map { (channel, output) }
            }.flatMapErrorThrowing { error in
                channel.close0(error: error, mode: .all, promise: nil)
                throw error
            }
        }
        return channel.loop.inEventLoop ? start() : channel.loop.flatSubmit(start)
    }

    private static func connect(
        _ channel: HostChannel, to address: SocketAddress, timeout: TimeAmount
    ) -> EventLoopFuture<Void> {
        let promise = channel.loop.makePromise(of: Void.self)
        channel.connect(to: address, promise: promise)
        let timer = channel.loop.scheduleTask(in: timeout) {
            promise.fail(ChannelError.connectTimeout(timeout))
            channel.close(promise: nil)
        }
        promise.futureResult.whenComplete { _ in timer.cancel() }
        return promise.futureResult
    }
}
