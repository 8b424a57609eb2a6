import NIOCore
import NIOSSL

/// Sends what has been written before a connection is closed.
///
/// In a graceful shutdown Hummingbird's HTTP/2 closes the connection inside the write that ends its last stream, before
/// that is flushed, and a short response would be lost with it.
final class FlushBeforeClose: ChannelOutboundHandler {
    typealias OutboundIn = NIOAny
    typealias OutboundOut = NIOAny

    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        if mode == .all { context.flush() }
        context.close(mode: mode, promise: promise)
    }

    /// Puts one where HTTP/2's frames come by: above TLS, if there is any. On the channel's loop.
    static func add(to channel: any Channel) throws {
        let operations = channel.pipeline.syncOperations
        let tls = try? operations.handler(type: NIOSSLServerHandler.self)
        try operations.addHandler(FlushBeforeClose(), position: tls.map { .after($0) } ?? .first)
    }
}
