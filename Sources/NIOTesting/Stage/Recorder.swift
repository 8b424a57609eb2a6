import NIOConcurrencyHelpers
import NIOCore

/// What a handler heard, in order.
enum Heard: Equatable, Sendable {
    case added, registered, active
    /// So many bytes of a stream.
    case read(Int)
    /// A datagram of so many bytes.
    case datagram(Int)
    /// A channel that was accepted.
    case accepted
    case readComplete
    case writable(Bool)
    case inputClosed, outputClosed
    /// Another user event, by its description.
    case event(String)
    /// An error, by its description.
    case error(String)
    case inactive, unregistered, removed
}

/// A handler that writes down what it hears, passes everything on, and lets a case do something at an event.
final class Recorder<Inbound: Sendable>: ChannelDuplexHandler, Sendable {
    typealias InboundIn = Inbound
    typealias InboundOut = Inbound
    typealias OutboundIn = Never
    typealias OutboundOut = Never
    typealias Reaction = @Sendable (Heard, ChannelHandlerContext) -> Void

    private struct State {
        var channel: (any Channel)?
        var received = ByteBuffer()
        var inbound: [Inbound] = []
        var errors: [any Error] = []
        var readRequests = 0
        var offLoop = 0
        var passesReads = true
    }

    let journal = Journal<Heard>()
    private let state = NIOLockedValueBox(State())
    private let reaction: Reaction

    /// A recorder; `reaction` runs on the loop after each event was written down, before it is passed on.
    init(_ reaction: @escaping Reaction = { _, _ in }) {
        self.reaction = reaction
    }

    /// What was heard so far.
    var events: [Heard] { journal.entries }

    /// All bytes of a stream so far.
    var received: ByteBuffer { state.withLockedValue { $0.received } }

    /// Everything that was read.
    var inbound: [Inbound] { state.withLockedValue { $0.inbound } }

    /// The errors that came by `errorCaught`.
    var errors: [any Error] { state.withLockedValue { $0.errors } }

    /// How often a read was asked for through the pipeline.
    var readRequests: Int { state.withLockedValue { $0.readRequests } }

    /// How many events came on another thread than the loop's.
    var offLoop: Int { state.withLockedValue { $0.offLoop } }

    /// Whether requests to read are passed on; true at first.
    var passesReads: Bool {
        get { state.withLockedValue { $0.passesReads } }
        set { state.withLockedValue { $0.passesReads = newValue } }
    }

    /// The channel that the handler is or was in.
    func channel() throws -> any Channel {
        guard let channel = state.withLockedValue({ $0.channel }) else {
            throw NIOBatteryFailure("the handler was never added to a pipeline")
        }
        return channel
    }

    @discardableResult
    func wait(_ what: String, until holds: @escaping @Sendable ([Heard]) -> Bool) async throws -> [Heard] {
        try await journal.wait(what, until: holds)
    }

    /// Waits for one event.
    @discardableResult
    func wait(for event: Heard) async throws -> [Heard] {
        try await journal.wait("\(event)") { $0.contains(event) }
    }

    /// Waits for so many bytes.
    @discardableResult
    func wait(bytes: Int) async throws -> ByteBuffer {
        try await journal.wait("\(bytes) bytes") { entries in
            entries.reduce(0) { if case .read(let count) = $1 { $0 + count } else { $0 } } >= bytes
        }
        return received
    }

    private func hear(_ event: Heard, _ context: ChannelHandlerContext) {
        if !context.eventLoop.inEventLoop { state.withLockedValue { $0.offLoop += 1 } }
        journal.add(event)
        reaction(event, context)
    }

    func handlerAdded(context: ChannelHandlerContext) {
        let channel = context.channel
        state.withLockedValue { $0.channel = channel }
        hear(.added, context)
    }

    func handlerRemoved(context: ChannelHandlerContext) { hear(.removed, context) }

    func channelRegistered(context: ChannelHandlerContext) {
        hear(.registered, context)
        context.fireChannelRegistered()
    }

    func channelUnregistered(context: ChannelHandlerContext) {
        hear(.unregistered, context)
        context.fireChannelUnregistered()
    }

    func channelActive(context: ChannelHandlerContext) {
        hear(.active, context)
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        hear(.inactive, context)
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let inbound = unwrapInboundIn(data)
        state.withLockedValue { state in
            state.inbound.append(inbound)
            if var buffer = inbound as? ByteBuffer { state.received.writeBuffer(&buffer) }
        }
        switch inbound {
        case let buffer as ByteBuffer: hear(.read(buffer.readableBytes), context)
        case let envelope as AddressedEnvelope<ByteBuffer>: hear(.datagram(envelope.data.readableBytes), context)
        default: hear(.accepted, context)
        }
        context.fireChannelRead(data)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        hear(.readComplete, context)
        context.fireChannelReadComplete()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        hear(.writable(context.channel.isWritable), context)
        context.fireChannelWritabilityChanged()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event as? ChannelEvent {
        case .inputClosed: hear(.inputClosed, context)
        case .outputClosed: hear(.outputClosed, context)
        case nil: hear(.event("\(event)"), context)
        }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        state.withLockedValue { $0.errors.append(error) }
        hear(.error("\(error)"), context)
        context.fireErrorCaught(error)
    }

    func read(context: ChannelHandlerContext) {
        let passes = state.withLockedValue { state in
            state.readRequests += 1
            return state.passesReads
        }
        if passes { context.read() }
    }
}

typealias StreamRecorder = Recorder<ByteBuffer>
typealias ServerRecorder = Recorder<any Channel>
typealias DatagramRecorder = Recorder<AddressedEnvelope<ByteBuffer>>
