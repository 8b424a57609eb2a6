import AnyloopHarness
import NIOCore
import NIOHTTP1

/// Takes a connection over after an upgrade, and writes down what comes.
final class SurplusHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let log: TraceLog

    init(_ log: TraceLog) { self.log = log }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let buffer = unwrapInboundIn(data)
        log.record { $0.surplus(buffer.readableBytesUInt8Span) }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event as? ChannelEvent == .inputClosed { context.close(promise: nil) }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.fireErrorCaught(error)
        context.close(promise: nil)
    }
}

extension TraceLog {
    /// Fields, one event each, in their order and as their names were sent.
    func fields(_ headers: HTTPHeaders, as kind: TraceKind) {
        for (name, value) in headers { event(kind, name, value) }
    }
}

/// Which of the errors that NIO fires through a pipeline are none to HTTP.
enum HTTP1Errors {
    /// Whether `error` says nothing of a message: the connection went between two of them, or the application has closed
    /// it after the last.
    ///
    /// The decoder refuses what follows a last message if it comes in the same read; later it is closed and never sees it.
    /// To an application that has closed the connection neither matters.
    static func isNone(_ error: any Error, isWithinMessage: Bool, isClosing: Bool) -> Bool {
        isClosing || (error is IOError && !isWithinMessage)
    }
}
