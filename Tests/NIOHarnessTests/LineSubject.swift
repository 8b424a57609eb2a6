// What Documentation/nio.md shows, compiled and run here.

// begin: nio-subject
import AnyloopHarness
import NIOCore
import NIOHarness

/// Takes lines off the stream: the handler that is to be verified.
struct LineDecoder: ByteToMessageDecoder {
    typealias InboundOut = ByteBuffer

    func decode(context: ChannelHandlerContext, buffer: inout ByteBuffer) -> DecodingState {
        guard let end = buffer.readableBytesView.firstIndex(of: UInt8(ascii: "\n")) else { return .needMoreData }
        let line = buffer.readSlice(length: end - buffer.readerIndex)
        buffer.moveReaderIndex(forwardBy: 1)
        if let line { context.fireChannelRead(Self.wrapInboundOut(line)) }
        return .continue
    }

    func decodeLast(context: ChannelHandlerContext, buffer: inout ByteBuffer, seenEOF: Bool) throws -> DecodingState {
        while decode(context: context, buffer: &buffer) == .continue {}
        if buffer.readableBytes > 0 { throw ByteToMessageDecoderError.leftoverDataWhenDone(buffer) }
        return .needMoreData
    }
}

/// Writes down what comes out of it, and answers.
final class LineRecorder: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer
    let log: TraceLog

    init(_ log: TraceLog) { self.log = log }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let line = String(buffer: unwrapInboundIn(data))
        log.event(.head, line)
        log.event(.end)
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: "\(line.count)\n")), promise: nil)
    }
}

extension Subject {
    /// The two in a pipeline, to be judged by the fixtures whose first tag is `lines`.
    static let lines = Subject.pipeline(name: "line-decoder", side: .server, tags: ["lines"]) { channel, conversation in
        try channel.pipeline.syncOperations.addHandlers(
            ByteToMessageHandler(LineDecoder()), LineRecorder(conversation.log))
    }
}
// end: nio-subject
