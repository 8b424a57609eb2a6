import NIOCore
import NIOExtras

extension Service {
    /// Lines (NIOExtras' `LineBasedFrameDecoder`) of at most `FramingLimit.line` bytes; "quit" ends the connection.
    static let lines = Service.pipeline("nio-lines") { _ in
        { channel in
            channel.eventLoop.makeCompletedFuture {
                try channel.pipeline.syncOperations.addHandlers([
                    BackPressureHandler(),
                    ByteToMessageHandler(LineBasedFrameDecoder(), maximumBufferSize: FramingLimit.line),
                    LineService(),
                ])
            }
        }
    }

    /// Frames with two bytes of length before them.
    static let lengthPrefixed = Service.pipeline("nio-length-field") { _ in
        { channel in
            channel.eventLoop.makeCompletedFuture {
                try channel.pipeline.syncOperations.addHandlers([
                    BackPressureHandler(),
                    ByteToMessageHandler(LengthFieldBasedFrameDecoder(lengthFieldBitLength: .twoBytes)),
                    LengthFieldPrepender(lengthFieldBitLength: .twoBytes),
                    FrameEcho(),
                ])
            }
        }
    }

    /// Frames of eight bytes each.
    static let fixedLength = Service.pipeline("nio-fixed-length") { _ in
        { channel in
            channel.eventLoop.makeCompletedFuture {
                try channel.pipeline.syncOperations.addHandlers([
                    ByteToMessageHandler(FixedLengthFrameDecoder(frameLength: FramingLimit.fixed)), FrameEcho(),
                ])
            }
        }
    }

    /// Messages behind a `Content-Length`, as JSON-RPC frames them for language servers.
    static let jsonRPC = Service.pipeline("nio-json-rpc") { _ in
        { channel in
            channel.eventLoop.makeCompletedFuture {
                try channel.pipeline.syncOperations.addHandlers([
                    ByteToMessageHandler(NIOJSONRPCFraming.ContentLengthHeaderFrameDecoder()),
                    NIOJSONRPCFraming.ContentLengthHeaderFrameEncoder(),
                    FrameEcho(),
                ])
            }
        }
    }
}

/// What the framings take.
enum FramingLimit {
    /// Bytes that wait for the end of their line.
    static let line = 4096
    /// Bytes of a frame of fixed length.
    static let fixed = 8
}

/// Sends each frame back, through whatever frames it again.
final class FrameEcho: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        context.write(wrapOutboundOut(unwrapInboundIn(data)), promise: nil)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        context.flush()
        context.fireChannelReadComplete()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }
}

/// Answers each line with its length and itself; says goodbye to "quit", and why it leaves where a line is too long.
final class LineService: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let line = String(buffer: unwrapInboundIn(data))
        guard line != "quit" else { return leave(context, "bye\n") }
        context.write(wrapOutboundOut(ByteBuffer(string: "\(line.utf8.count) \(line)\n")), promise: nil)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        context.flush()
        context.fireChannelReadComplete()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        leave(context, error is ByteToMessageDecoderError.PayloadTooLargeError ? "line too long\n" : "\(error)\n")
    }

    private func leave(_ context: ChannelHandlerContext, _ text: String) {
        let written = context.eventLoop.makePromise(of: Void.self)
        written.futureResult.assumeIsolated().whenComplete { _ in context.close(promise: nil) }
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: text)), promise: written)
    }
}
