import NIOCore

/// Turns datagrams into bytes and bytes into datagrams, so that handlers see the same of all channels.
final class ProgramEnvelopes: ChannelDuplexHandler, Sendable {
    typealias InboundIn = AddressedEnvelope<ByteBuffer>
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = AddressedEnvelope<ByteBuffer>

    /// Where datagrams go.
    private let address: SocketAddress

    init(_ address: SocketAddress) { self.address = address }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        context.fireChannelRead(wrapInboundOut(unwrapInboundIn(data).data))
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        let envelope = AddressedEnvelope(remoteAddress: address, data: unwrapOutboundIn(data))
        context.write(wrapOutboundOut(envelope), promise: promise)
    }
}

/// A handler that writes down all that goes through it, and lets its program react.
final class ProgramHandler: ChannelDuplexHandler, RemovableChannelHandler, Sendable {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = IOData
    typealias OutboundOut = IOData

    private let run: ProgramRun
    private let label: String

    init(_ run: ProgramRun, _ label: String) {
        self.run = run
        self.label = label
    }

    private func hear(_ trigger: NIOProgram.Trigger?, _ text: String? = nil) {
        run.hear(label, trigger, text ?? trigger?.rawValue ?? "")
    }

    func handlerAdded(context: ChannelHandlerContext) { hear(nil, "added") }

    func handlerRemoved(context: ChannelHandlerContext) { hear(.removed) }

    func channelRegistered(context: ChannelHandlerContext) {
        hear(.registered)
        context.fireChannelRegistered()
    }

    func channelUnregistered(context: ChannelHandlerContext) {
        hear(.unregistered)
        context.fireChannelUnregistered()
    }

    func channelActive(context: ChannelHandlerContext) {
        hear(.active)
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        hear(.inactive)
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var runs: [ByteRun] = []
        unsafe unwrapInboundIn(data).withUnsafeReadableBytes { unsafe ByteRun.add($0, to: &runs) }
        hear(.read, "read " + runs.map(\.description).joined(separator: ", "))
        context.fireChannelRead(data)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        run.withinReadComplete {
            hear(.readComplete)
            context.fireChannelReadComplete()
        }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        run.hearWritability(label, context.channel.isWritable)
        context.fireChannelWritabilityChanged()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event as? ChannelEvent {
        case .inputClosed: hear(.inputClosed)
        case .outputClosed: hear(.outputClosed)
        case nil: hear(.event)
        }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        hear(.error, "error \(ProgramRun.name(of: error))")
        context.fireErrorCaught(error)
    }

    func read(context: ChannelHandlerContext) {
        hear(nil, "asked to read")
        context.read()
    }
}
