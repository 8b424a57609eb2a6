import AnyloopCore
import AnyloopNativeLoop
import NIOCore

/// A datagram channel of SwiftNIO's as a transport of ours; the last handler of its pipeline.
final class NIODatagramTransport: ChannelInboundHandler, DatagramTransport, NIOResident {
    typealias InboundIn = AddressedEnvelope<ByteBuffer>
    typealias OutboundOut = AddressedEnvelope<ByteBuffer>

    private let nio: NIOLoop
    private(set) var datagramProtocol: (any DatagramProtocol)?
    private(set) var writeBufferSize = 0
    let socketName: AnyloopCore.SocketAddress?
    let peerName: AnyloopCore.SocketAddress?
    /// The peer's address as SwiftNIO has it.
    private let peer: NIOCore.SocketAddress?

    private var context: ChannelHandlerContext?
    private var phase = NIOStreamTransport.Phase.opening
    private var flow = WriteFlow()
    private var cause: TransportError?
    /// Datagrams that wait for the socket.
    private var waiting = 0

    init(
        nio: NIOLoop, protocol datagramProtocol: any DatagramProtocol, socket: AnyloopCore.SocketAddress?,
        peerName: AnyloopCore.SocketAddress?
    ) throws(TransportError) {
        self.nio = nio
        self.datagramProtocol = datagramProtocol
        socketName = socket
        self.peerName = peerName
        peer = try peerName?.forNIO()
        nio.enroll(self)
    }

    private var native: NativeLoop { nio.native }
    var loop: any Loop { nio }
    var isClosing: Bool { phase != .open && phase != .opening }
    var writeBufferLimits: WriteBufferLimits { flow.limits }
    var droppedWriteCount: Int { flow.droppedCount }

    // MARK: SwiftNIO's events

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func channelActive(context: ChannelHandlerContext) {
        guard phase == .opening else { return }
        nio.turns.noteActivity()
        phase = .open
        do { try datagramProtocol?.connectionMade(self) } catch {
            native.reportCallback("connection_made", error)
        }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard phase == .open else { return }
        nio.turns.noteActivity()
        let envelope = unwrapInboundIn(data)
        do {
            try datagramProtocol?.datagramReceived(
                envelope.data.readableBytesUInt8Span, from: AnyloopCore.SocketAddress(envelope.remoteAddress))
        } catch {
            native.reportCallback("datagram_received", error)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        nio.turns.noteActivity()
        guard let error = TransportError.fromNIO(error, "recvfrom") else { return }
        // What ends the channel comes here, too, and is its cause then.
        cause = error
        tellError(error)
    }

    func channelInactive(context: ChannelHandlerContext) {
        nio.turns.noteActivity()
        end(cause: cause)
    }

    // MARK: Sending

    func send(_ bytes: Span<UInt8>, to target: AnyloopCore.SocketAddress?) {
        guard accepts(target), let context else { return }
        let address: NIOCore.SocketAddress
        do throws(TransportError) {
            if let peer {
                address = peer
            } else if let target {
                address = try target.forNIO()
            } else {
                return
            }
        } catch {
            flow.refuse()
            return tellError(error)
        }
        guard waiting < native.options.datagramQueueLimit else {
            flow.refuse()
            return tellError(.system(Errno.noBuffers, "sendto"))
        }
        var buffer = context.channel.allocator.buffer(capacity: bytes.count)
        unsafe bytes.withUnsafeBytes { _ = unsafe buffer.writeBytes($0) }
        let count = bytes.count
        waiting += 1
        writeBufferSize += count
        let promise = context.eventLoop.makePromise(of: Void.self)
        promise.futureResult.assumeIsolated().whenComplete { [self] result in sent(count, result) }
        context.writeAndFlush(
            wrapOutboundOut(AddressedEnvelope(remoteAddress: address, data: buffer)), promise: promise)
        pauseIfFull()
    }

    private func sent(_ count: Int, _ result: Result<Void, any Error>) {
        waiting -= 1
        writeBufferSize -= count
        guard phase == .open || phase == .closing else { return }
        if case .failure(let error) = result, let error = TransportError.fromNIO(error, "sendto") { tellError(error) }
        if flow.resumes(at: writeBufferSize) {
            nio.turns.noteActivity()
            tell(.resume)
        }
        if phase == .closing, waiting == 0 { end(cause: nil) }
    }

    /// Whether a datagram to `target` may be sent now; otherwise it is dropped and counted.
    private func accepts(_ target: AnyloopCore.SocketAddress?) -> Bool {
        guard phase == .open else {
            flow.drop()
            return false
        }
        if let peerName, let target, target != peerName {
            refuse(.argument("Invalid address: must be None or \(peerName)"))
            return false
        }
        guard peerName == nil, target == nil else { return true }
        refuse("this endpoint has no peer; name an address to send to")
        return false
    }

    private func refuse(_ misuse: UsageError) {
        flow.refuse()
        tellError(.usage(misuse))
    }

    private func tellError(_ error: TransportError) {
        do { try datagramProtocol?.errorReceived(error) } catch {
            native.reportCallback("error_received", error)
        }
    }

    func setWriteBufferLimits(_ limits: WriteBufferLimits) {
        flow.limits = limits
        pauseIfFull()
    }

    private func pauseIfFull() {
        guard phase == .open || phase == .closing, flow.pauses(at: writeBufferSize) else { return }
        tell(.pause)
    }

    // MARK: Ending

    func close() {
        guard phase == .open else { return }
        guard waiting > 0 else { return end(cause: nil) }
        phase = .closing
    }

    func abort() { end(cause: nil) }

    private func end(cause: TransportError?) {
        guard phase != .ending, phase != .over else { return }
        // Who has not heard of the beginning hears of no end.
        if phase == .opening { datagramProtocol = nil }
        phase = .ending
        self.cause = cause
        context?.close(mode: .all, promise: nil)
        native.callSoon { [self] in finish() }
    }

    private func finish() {
        guard phase == .ending else { return }
        phase = .over
        do { try datagramProtocol?.connectionLost(cause) } catch {
            native.reportCallback("connection_lost", error)
        }
        datagramProtocol = nil
        nio.dismiss(self)
    }

    func loopCloses() {
        end(cause: .loopClosed)
        finish()
    }
}
