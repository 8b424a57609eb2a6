import NIOBridge
import NIOConcurrencyHelpers
import NIOCore

/// Runs `body` with a group that is shut down afterwards.
func withGroup<Result>(
    threads: Int = 1, _ body: (NativeEventLoopGroup) async throws -> Result
) async throws -> Result {
    let group = try NativeEventLoopGroup(numberOfThreads: threads)
    do {
        let result = try await body(group)
        try await group.shutdownGracefully()
        return result
    } catch {
        try await group.shutdownGracefully()
        throw error
    }
}

/// Sends back what comes.
final class EchoHandler: ChannelInboundHandler, Sendable {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    func channelRead(context: ChannelHandlerContext, data: NIOAny) { context.write(data, promise: nil) }

    func channelReadComplete(context: ChannelHandlerContext) { context.flush() }
}

/// Collects what comes, and the names of events in their order.
final class RecordingHandler: ChannelInboundHandler, Sendable {
    typealias InboundIn = ByteBuffer

    struct Record {
        var events: [String] = []
        var bytes: [UInt8] = []
        var errors: [any Error] = []
        var waiting: [String: CheckedContinuation<Void, Never>] = [:]
    }

    let record = NIOLockedValueBox(Record())

    var events: [String] { record.withLockedValue { $0.events } }
    var text: String { String(decoding: record.withLockedValue { $0.bytes }, as: UTF8.self) }

    private func note(_ event: String) {
        let waiting = record.withLockedValue { record in
            record.events.append(event)
            return record.waiting.removeValue(forKey: event)
        }
        waiting?.resume()
    }

    /// Returns once `event` was told.
    func wait(for event: String) async {
        await withCheckedContinuation { continuation in
            let isThere = record.withLockedValue { record in
                guard !record.events.contains(event) else { return true }
                record.waiting[event] = continuation
                return false
            }
            if isThere { continuation.resume() }
        }
    }

    func channelRegistered(context: ChannelHandlerContext) {
        note("registered")
        context.fireChannelRegistered()
    }

    func channelActive(context: ChannelHandlerContext) {
        note("active")
        context.fireChannelActive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let buffer = unwrapInboundIn(data)
        record.withLockedValue { $0.bytes += Array(buffer.readableBytesView) }
        context.fireChannelRead(data)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        note("\(event)")
        context.fireUserInboundEventTriggered(event)
    }

    func channelInactive(context: ChannelHandlerContext) {
        note("inactive")
        context.fireChannelInactive()
    }

    func channelUnregistered(context: ChannelHandlerContext) {
        note("unregistered")
        context.fireChannelUnregistered()
    }

    func handlerRemoved(context: ChannelHandlerContext) { note("removed") }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        record.withLockedValue { $0.errors.append(error) }
        note("error")
    }
}

extension NativeServerBootstrap {
    /// A server on a port of the system's choice.
    func bindLocally() async throws -> any Channel { try await bind(host: "127.0.0.1", port: 0).get() }
}

extension NativeClientBootstrap {
    func connect(toServer server: any Channel) async throws -> any Channel {
        guard let address = server.localAddress else { throw ChannelError.unknownLocalAddress }
        return try await connect(to: address).get()
    }
}
