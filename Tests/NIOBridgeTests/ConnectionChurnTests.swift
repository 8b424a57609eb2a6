import AnyloopCore
import AnyloopTestHosts
import Foundation
import NIOBridge
import NIOCore
import Synchronization
import Testing

/// Connections that come and go leave nothing behind: no descriptor, no protocol or handler, no memory.
///
/// `ANYLOOP_CHURN` in the environment is how many there are each time; with it the memory is looked at, too.
@Suite struct ConnectionChurnTests {
    /// How a connection ends.
    enum Ending: UInt8, CaseIterable, Sendable {
        /// The client closes when it has its answer.
        case orderly
        /// It resets instead.
        case reset
        /// It ends its side first, and the server answers after that.
        case halfClosed
        /// The server drops it while the client's bytes wait.
        case dropped
        /// The client gives up while its own bytes wait.
        case givenUp
    }

    static let total = ProcessInfo.processInfo.environment["ANYLOOP_CHURN"].flatMap { Int($0) }
    /// Connections that are open at a time.
    static let width = 20
    /// More than the buffers of two new sockets hold.
    static let flood = [UInt8](repeating: 9, count: 3 << 20)

    @Test(arguments: Ending.allCases) func onSwiftNIOsLoop(_ ending: Ending) throws {
        let loop = try NIOLoop()
        defer { loop.closeLoop() }
        let tally = Tally()
        let server = try loop.createServer(on: [.loopback(port: 0)], options: ServerOptions()) { Guest(nil, tally) }
        let address = server.addresses[0]
        try check(tally) { count in
            let goal = tally.counts.withLock { $0.ended } + 2 * count
            var left = count
            func connectNext() {
                guard left > 0 else { return }
                left -= 1
                loop.createConnection(
                    to: .address(address), options: ConnectOptions(),
                    protocolFactory: {
                        Guest(ending, tally) { connectNext() }
                    }, completion: { if case .failure(let error) = $0 { Issue.record("\(error)") } })
            }
            for _ in 0..<Self.width { connectNext() }
            while tally.counts.withLock({ $0.ended }) < goal { try loop.runOnce(timeout: nil) }
            // What ended in the last turn is let go of in the next ones.
            for _ in 0..<3 { try loop.runOnce(timeout: .zero) }
        }
    }

    @Test(arguments: Ending.allCases) func onOurLoop(_ ending: Ending) throws {
        let group = try NativeEventLoopGroup(numberOfThreads: 1)
        defer { #expect(throws: Never.self) { try group.syncShutdownGracefully() } }
        let tally = Tally()
        let server = try NativeServerBootstrap(group: group)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(HostGuest(nil, tally))
                }
            }
            .bind(host: "127.0.0.1", port: 0).wait()
        let address = try #require(server.localAddress)
        try check(tally) { count in
            let goal = tally.counts.withLock { $0.ended } + 2 * count
            let done = group.next().makePromise(of: Void.self)
            tally.whenEnded(goal) { done.succeed(()) }
            let churn = HostChurn(group: group, address: address, ending: ending, tally: tally, left: count)
            for _ in 0..<Self.width { churn.connectNext() }
            try done.futureResult.wait()
            for _ in 0..<3 { try group.next().submit {}.wait() }
        }
        try server.close().wait()
    }

    /// Makes connections twice, and compares what there is afterwards.
    private func check(_ tally: Tally, _ run: (Int) throws -> Void) throws {
        let count = Self.total.map { $0 / 2 } ?? 20
        try run(count)
        let (descriptors, memory) = (try openDescriptors(), try residentBytes())
        try run(count)
        #expect(try openDescriptors() == descriptors)
        let counts = tally.counts.withLock { $0 }
        #expect(counts.made == counts.ended && counts.made >= 4 * count)
        #expect(counts.alive == 0)
        guard Self.total != nil else { return }
        let growth = try residentBytes() - memory
        print("memory after \(count) connections more: \(growth >> 10) KiB more than \(memory >> 10)")
        #expect(growth < 1 << 20)
    }

    /// In bytes, of pages of 4096.
    private func residentBytes() throws -> Int {
        let fields = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8).split(separator: " ")
        return try #require(Int(fields[1])) * 4096
    }
}

/// What there was of connections' ends, and what is left of them.
private final class Tally: Sendable {
    let counts = Mutex((made: 0, ended: 0, alive: 0))
    /// A structure: a closure that stood in the lock's value itself would be wrapped anew at each access.
    private struct Waiting {
        var goal = 0
        var callback: (@Sendable () -> Void)?
    }

    private let waiting = Mutex(Waiting())

    func whenEnded(_ goal: Int, _ callback: @escaping @Sendable () -> Void) {
        waiting.withLock { $0 = Waiting(goal: goal, callback: callback) }
    }

    func ended() {
        let count = counts.withLock {
            $0.ended += 1
            return $0.ended
        }
        let callback = waiting.withLock { $0.goal == count ? $0.callback : nil }
        callback?()
    }
}

/// One end of a connection on SwiftNIO's loop; the server's learns from the first byte how it ends.
private final class Guest: StreamProtocol {
    private var ending: ConnectionChurnTests.Ending?
    private let isClient: Bool
    private let tally: Tally
    private let next: (() -> Void)?
    private var transport: (any StreamTransport)?

    init(_ ending: ConnectionChurnTests.Ending?, _ tally: Tally, next: (() -> Void)? = nil) {
        (self.ending, self.tally, self.next) = (ending, tally, next)
        isClient = ending != nil
        tally.counts.withLock { $0.alive += 1 }
    }

    deinit { tally.counts.withLock { $0.alive -= 1 } }

    func connectionMade(_ transport: any StreamTransport) {
        self.transport = transport
        tally.counts.withLock { $0.made += 1 }
        guard let ending else { return }
        transport.write([ending.rawValue])
        switch ending {
        case .orderly, .reset: break
        case .halfClosed: transport.writeEOF()
        case .dropped: transport.write(ConnectionChurnTests.flood)
        case .givenUp:
            transport.write(ConnectionChurnTests.flood)
            transport.abort()
        }
    }

    func dataReceived(_ data: Span<UInt8>) {
        if isClient {
            if ending == .orderly { transport?.close() }
            if ending == .reset { transport?.reset() }
        } else {
            if ending == nil { ending = ConnectionChurnTests.Ending(rawValue: data[0]) }
            if ending == .orderly || ending == .reset { transport?.write(data) }
            if ending == .dropped { transport?.abort() }
        }
    }

    func eofReceived() -> Bool {
        if !isClient, ending == .halfClosed {
            transport?.write([0])
            transport?.close()
        }
        return false
    }

    func connectionLost(_ error: TransportError?) {
        transport = nil
        tally.ended()
        next?()
    }
}

/// Opens connections on our loop, the next one whenever one has ended.
private final class HostChurn: Sendable {
    private let group: NativeEventLoopGroup
    private let address: NIOCore.SocketAddress
    private let ending: ConnectionChurnTests.Ending
    private let tally: Tally
    private let left: Mutex<Int>

    init(
        group: NativeEventLoopGroup, address: NIOCore.SocketAddress, ending: ConnectionChurnTests.Ending, tally: Tally,
        left: Int
    ) {
        (self.group, self.address, self.ending, self.tally) = (group, address, ending, tally)
        self.left = Mutex(left)
    }

    func connectNext() {
        let hasMore = left.withLock {
            $0 -= 1
            return $0 >= 0
        }
        guard hasMore else { return }
        NativeClientBootstrap(group: group)
            .channelOption(.allowRemoteHalfClosure, value: true)
            .channelInitializer { [ending, tally] channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(HostGuest(ending, tally))
                }
            }
            .connect(to: address)
            .whenComplete { [self] result in
                switch result {
                case .success(let channel): channel.closeFuture.whenComplete { [self] _ in connectNext() }
                case .failure(let error): Issue.record("\(error)")
                }
            }
    }
}

/// The same as a handler on our loop.
private final class HostGuest: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private var ending: ConnectionChurnTests.Ending?
    private let isClient: Bool
    private let tally: Tally

    init(_ ending: ConnectionChurnTests.Ending?, _ tally: Tally) {
        (self.ending, self.tally) = (ending, tally)
        isClient = ending != nil
        tally.counts.withLock { $0.alive += 1 }
    }

    deinit { tally.counts.withLock { $0.alive -= 1 } }

    func channelActive(context: ChannelHandlerContext) {
        tally.counts.withLock { $0.made += 1 }
        guard let ending else { return }
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: [ending.rawValue])), promise: nil)
        switch ending {
        case .orderly, .reset: break
        case .halfClosed: context.close(mode: .output, promise: nil)
        case .dropped, .givenUp:
            context.writeAndFlush(
                wrapOutboundOut(ByteBuffer(bytes: ConnectionChurnTests.flood)), promise: nil)
            if ending == .givenUp { context.close(promise: nil) }
        }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if isClient {
            if ending == .reset {
                _ = (context.channel as? any SocketOptionProvider)?.setSoLinger(linger(l_onoff: 1, l_linger: 0))
            }
            if ending == .orderly || ending == .reset { context.close(promise: nil) }
        } else {
            if ending == nil {
                ending = unwrapInboundIn(data).getInteger(at: 0).flatMap { ConnectionChurnTests.Ending(rawValue: $0) }
            }
            if ending == .orderly || ending == .reset { context.writeAndFlush(data, promise: nil) }
            if ending == .dropped { context.close(promise: nil) }
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard let event = event as? ChannelEvent, event == .inputClosed else { return }
        if !isClient, ending == .halfClosed {
            context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: [0])), promise: nil)
        }
        context.close(promise: nil)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    func channelInactive(context: ChannelHandlerContext) { tally.ended() }
}
