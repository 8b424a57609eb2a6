import NIOCore

/// A handler whose channel only it closes, or SwiftNIO does as its loop is shut down.
///
/// A close that comes down the pipeline is therefore a shutdown's. It is put off until SwiftNIO has closed all of its
/// channels: the marker is one of them, whose close ends `NIOLoop`, so that protocols hear of that and not of an end that
/// no peer sent.
protocol NIOShutdownHandler: ChannelOutboundHandler {}

extension NIOShutdownHandler {
    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        guard mode == .all else { return context.close(mode: mode, promise: promise) }
        context.eventLoop.assumeIsolated().execute { context.close(mode: mode, promise: promise) }
    }
}

extension NIOStreamTransport: NIOShutdownHandler {
    typealias OutboundIn = IOData
}

extension NIODatagramTransport: NIOShutdownHandler {
    typealias OutboundIn = AddressedEnvelope<ByteBuffer>
}
