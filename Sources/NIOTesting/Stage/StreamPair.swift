import Dispatch
import NIOCore
import NIOPosix

/// A connection: the near end belongs to the group under test, the far end to NIO's own loops.
struct StreamPair: Sendable {
    /// The channel under test.
    let near: any Channel
    /// The handler in its pipeline.
    let heard: StreamRecorder
    /// The far channel; it allows half-closure, so that it says `inputClosed` when the near end ends its stream.
    let far: any Channel
    /// The handler in the far pipeline.
    let farHeard: StreamRecorder
    /// What listens, on whichever side it is.
    let server: any Channel

    /// Sends text from the far end.
    func farSend(_ text: String) async throws {
        try await far.writeAndFlush(ByteBuffer(string: text)).value("the far end's write")
    }

    /// Ends the far end's stream.
    func farFinish() async throws {
        try await far.close(mode: .output).value("the far end's half-close")
    }

    /// Resets the connection from the far end.
    func farReset() async throws {
        guard let socket = far as? any SocketOptionProvider else {
            throw NIOBatteryFailure("the far end is no socket")
        }
        try await socket.setSoLinger(linger(l_onoff: 1, l_linger: 0)).value("the far end's linger option")
        try await far.close().value("the far end's close")
    }

    /// Runs `body` with the near channel on its loop.
    func onLoop<Value: Sendable>(
        _ what: String, _ body: @escaping @Sendable (any Channel) throws -> Value
    ) async throws -> Value {
        try await near.eventLoop.submit { [near] in try body(near) }.value(what)
    }

    /// Holds the near end's loop still during `meanwhile`: whatever that brings about is there at its next poll.
    func standingStill(_ meanwhile: () async throws -> Void) async throws {
        let (begun, gate) = (Waiter<Void>(), DispatchSemaphore(value: 0))
        near.eventLoop.execute {
            begun.finish(.success(()))
            gate.wait()
        }
        defer { gate.signal() }
        try await begun.value("the standstill")
        try await meanwhile()
    }

    /// Lets the far end read from here on.
    func farReads() async throws {
        try await far.setOption(.autoRead, value: true).value("the far end's option")
    }
}

/// What a case changes about a pair.
struct PairPlan: Sendable {
    typealias Reaction = StreamRecorder.Reaction

    /// What the near handler does at an event.
    var reaction: Reaction = { _, _ in }
    /// Prepares the near channel, before its handler is added.
    var prepare: @Sendable (any Channel) throws -> Void = { _ in }
    /// Options of an accepted near channel.
    var childOptions: @Sendable (any ServerBootstrapping) -> any ServerBootstrapping = { $0 }
    /// Options of a connecting near channel.
    var clientOptions: @Sendable (any ClientBootstrapping) -> any ClientBootstrapping = { $0 }
    /// Whether the far end reads by itself.
    var farReads = true
    /// The size of the far end's receive buffer in bytes, and of the near one's to send; nil for the system's.
    var bufferSize: Int?
    /// The group of the near end; a new one of one loop if nil.
    var group: (any EventLoopGroup)?
}

extension NIOStage {
    /// A connection that the group under test accepted.
    func accepted(_ plan: PairPlan = PairPlan()) async throws -> StreamPair {
        let group = try plan.group ?? self.group()
        let heard = StreamRecorder(plan.reaction)
        var bootstrap = serverBootstrap(group)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try plan.prepare(channel)
                    try channel.pipeline.syncOperations.addHandler(heard)
                }
            }
        if let size = plan.bufferSize {
            bootstrap = bootstrap.childChannelOption(.socketOption(.so_sndbuf), value: size)
        }
        let server = try await plan.childOptions(bootstrap).bind(host: "127.0.0.1", port: 0).value("bind")
        let farHeard = StreamRecorder()
        let far = try await farClient(plan, farHeard).connect(to: try address(server)).value("the far end's connect")
        keep(far)
        try await heard.wait(for: .active)
        // What follows channelActive on the loop, a read for one, has been asked for as well.
        try await heard.channel().eventLoop.submit {}.value("the end of the activation")
        return StreamPair(near: try heard.channel(), heard: heard, far: far, farHeard: farHeard, server: server)
    }

    /// A connection that the group under test made; over a Unix socket, what the far end has read makes room at once.
    func connected(_ plan: PairPlan = PairPlan(), overUnix: Bool = false) async throws -> StreamPair {
        let group = try plan.group ?? self.group()
        let farHeard = StreamRecorder()
        let server = try await farServer(farHeard, plan, path: overUnix ? path() : nil)
        let heard = StreamRecorder(plan.reaction)
        var bootstrap = host.clientBootstrap(group: group)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try plan.prepare(channel)
                    try channel.pipeline.syncOperations.addHandler(heard)
                }
            }
        if let size = plan.bufferSize { bootstrap = bootstrap.channelOption(.socketOption(.so_sndbuf), value: size) }
        let near = try await plan.clientOptions(bootstrap).connect(to: try address(server)).value("connect")
        try await farHeard.wait(for: .active)
        return StreamPair(
            near: near, heard: heard, far: try farHeard.channel(), farHeard: farHeard, server: server)
    }

    /// A listening channel of NIO's own loops; its children get the one handler.
    func farServer(
        _ farHeard: StreamRecorder, _ plan: PairPlan = PairPlan(), path: String? = nil
    ) async throws -> any Channel {
        var bootstrap = ServerBootstrap(group: reference)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelOption(.autoRead, value: plan.farReads)
            .childChannelInitializer { channel in
                self.keep(channel)
                return channel.pipeline.addHandler(farHeard)
            }
        if let size = plan.bufferSize {
            bootstrap = bootstrap.serverChannelOption(.socketOption(.so_rcvbuf), value: size)
        }
        let binding: EventLoopFuture<any Channel> =
            if let path { bootstrap.bind(unixDomainSocketPath: path) } else {
                bootstrap.bind(host: "127.0.0.1", port: 0)
            }
        let server = try await binding.value("the far end's bind")
        keep(server)
        return server
    }

    private func farClient(_ plan: PairPlan, _ farHeard: StreamRecorder) -> ClientBootstrap {
        var bootstrap = ClientBootstrap(group: reference)
            .channelOption(.allowRemoteHalfClosure, value: true)
            .channelOption(.autoRead, value: plan.farReads)
            .channelInitializer { $0.pipeline.addHandler(farHeard) }
        if let size = plan.bufferSize { bootstrap = bootstrap.channelOption(.socketOption(.so_rcvbuf), value: size) }
        return bootstrap
    }

    /// A client of NIO's own loops, connected to a server under test.
    func farConnect(to server: any Channel) async throws -> (channel: any Channel, heard: StreamRecorder) {
        let heard = StreamRecorder()
        let channel = try await farClient(PairPlan(), heard).connect(to: try address(server))
            .value("the far end's connect")
        keep(channel)
        return (channel, heard)
    }

    /// Where a channel is bound.
    func address(_ channel: any Channel) throws -> SocketAddress {
        guard let address = channel.localAddress else { throw NIOBatteryFailure("\(channel) has no local address") }
        return address
    }
}

/// So many bytes, no two pieces of 251 alike at the same distance from a power of two.
func pattern(_ count: Int) -> ByteBuffer {
    var buffer = ByteBuffer()
    buffer.reserveCapacity(count)
    let piece = (0..<min(count, 251)).map { UInt8($0) }
    while buffer.readableBytes + piece.count <= count, !piece.isEmpty { buffer.writeBytes(piece) }
    buffer.writeBytes(piece.prefix(count - buffer.readableBytes))
    return buffer
}

/// Lets a channel's loop poll a few times: whatever was ready would have come.
func settle(_ channel: any Channel) async throws {
    for _ in 0..<5 { try await channel.eventLoop.scheduleTask(in: .milliseconds(2)) {}.futureResult.value("a turn") }
}
