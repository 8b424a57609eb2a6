import NIOCore

/// Prepares accepted channels: their options, then the application's initializer, on the child's loop; then they go on
/// through the server's pipeline to be registered.
final class AcceptHandler: ChannelInboundHandler {
    typealias InboundIn = HostStreamChannel
    typealias InboundOut = HostStreamChannel

    private let initializer: (@Sendable (any Channel) -> EventLoopFuture<Void>)?
    private let options: ChannelOptions.Storage

    init(initializer: (@Sendable (any Channel) -> EventLoopFuture<Void>)?, options: ChannelOptions.Storage) {
        self.initializer = initializer
        self.options = options
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is ChannelShouldQuiesceEvent {
            let bound = context.loopBound
            context.channel.close().whenFailure { bound.value.fireErrorCaught($0) }
        }
        context.fireUserInboundEventTriggered(event)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let child = unwrapInboundIn(data)
        let initializer = initializer
        let options = options
        let prepare: @Sendable () -> EventLoopFuture<Void> = {
            let isSet = options.applyAllChannelOptions(to: child)
            guard let initializer else { return isSet }
            return isSet.flatMap { initializer(child) }
        }
        let isPrepared =
            child.loop === context.eventLoop ? prepare() : child.loop.flatSubmit(prepare).hop(to: context.eventLoop)
        isPrepared.assumeIsolated().whenComplete { result in
            switch result {
            case .success where context.channel.isActive: context.fireChannelRead(self.wrapInboundOut(child))
            case .success: self.drop(child, ChannelError.ioOnClosedChannel, context)
            case .failure(let error): self.drop(child, error, context)
            }
        }
    }

    private func drop(_ child: HostStreamChannel, _ error: any Error, _ context: ChannelHandlerContext) {
        child.close(promise: nil)
        context.fireErrorCaught(error)
    }
}
