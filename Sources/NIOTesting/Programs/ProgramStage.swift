import CAnyloopSystem
import Dispatch
import Foundation
import NIOConcurrencyHelpers
import NIOCore

/// Where programs run on one host: a group of one loop, and what listens for their connections.
///
/// It belongs to one thread, which it blocks while it waits for the loop.
final class ProgramStage {
    /// How long a loop may take for anything, in seconds.
    private static let patience = 5.0

    let host: any EventLoopGroupHost
    private let group: any EventLoopGroup
    private let loop: any EventLoop
    private let current = NIOLockedValueBox<ProgramRun?>(nil)
    private var servers: [NIOProgram.Connection: any Channel] = [:]
    private var listeners: [NIOProgram.Connection: (descriptor: CInt, address: SocketAddress)] = [:]
    private var paths: [String] = []
    private var beacon: ProgramBeacon?
    /// The loop did not answer: it is not to be waited for again.
    private(set) var isStuck = false

    init(_ host: any EventLoopGroupHost) throws {
        self.host = host
        group = try host.makeGroup(threads: 1)
        loop = group.next()
    }

    /// Closes everything and shuts the group down.
    func tearDown() {
        beacon?.far.close()
        for server in servers.values { server.close(promise: nil) }
        for listener in listeners.values { _ = anyloop_close(listener.descriptor) }
        for path in paths { try? FileManager.default.removeItem(atPath: path) }
        let done = DispatchSemaphore(value: 0)
        group.shutdownGracefully(queue: .global()) { _ in done.signal() }
        if !isStuck { _ = done.wait(timeout: .now() + Self.patience) }
    }

    // MARK: Running

    /// What came of a program, in lines.
    ///
    /// - Parameter quiet: how many turns of the loop without anything new are a settle.
    func run(_ program: NIOProgram, quiet: Int) throws -> [String] {
        let run = ProgramRun(program)
        current.withLockedValue { $0 = run }
        defer {
            current.withLockedValue { $0 = nil }
            run.end()
        }
        try connect(run)
        try settle(run, quiet)
        var actions: [NIOProgram.Action] = []
        for step in program.steps + [.settle] {
            if case .act(let action) = step {
                actions.append(action)
                continue
            }
            try onLoop { [actions] in for action in actions { run.perform(action) } }
            actions = []
            try settle(run, quiet)
        }
        try onLoop { run.perform(.farResume) }
        try settle(run, quiet)
        try onLoop { run.channel?.close(promise: nil) }
        try settle(run, quiet)
        run.end()
        return run.entries
    }

    /// Waits until nothing more comes.
    private func settle(_ run: ProgramRun, _ quiet: Int) throws {
        let limit = Date(timeIntervalSinceNow: Self.patience)
        var rounds = 0
        while rounds < quiet, !run.isTooLong {
            let before = run.progress
            try onLoop { run.drainFar() }
            try poll()
            rounds = before == run.progress && !run.awaitsBigWrite ? rounds + 1 : 0
            guard Date() < limit else {
                run.hear("", nil, "did not come to rest")
                break
            }
        }
        try onLoop { run.endSegment() }
    }

    /// Waits until the loop has looked at its sockets once more: tasks alone may keep it from that.
    private func poll() throws {
        let used: ProgramBeacon
        if let beacon {
            used = beacon
        } else {
            var near: CInt = -1
            var far: CInt = -1
            try check(unsafe anyloop_socketpair(CInt(ANYLOOP_STREAM), &near, &far), "socketpair")
            used = ProgramBeacon(FarSocket(far))
            beacon = used
            let made = host.clientBootstrap(group: group).channelInitializer { $0.pipeline.addHandler(used) }
                .withConnectedSocket(near)
            _ = try value(made)
        }
        guard used.lit(within: Self.patience) else {
            isStuck = true
            throw NIOBatteryFailure("\(host.name) received nothing in \(Self.patience) s")
        }
        // What came by the same look is over before the next task.
        try onLoop {}
    }

    /// Runs `body` on the loop.
    private func onLoop(_ body: @escaping @Sendable () throws -> Void) throws {
        _ = try value(loop.submit(body))
    }

    /// Blocks until the future has its value.
    private func value<Value: Sendable>(_ future: EventLoopFuture<Value>) throws -> Value {
        let done = DispatchSemaphore(value: 0)
        let result = NIOLockedValueBox<Result<Value, any Error>?>(nil)
        future.whenComplete { outcome in
            result.withLockedValue { $0 = outcome }
            done.signal()
        }
        guard done.wait(timeout: .now() + Self.patience) == .success, let outcome = result.withLockedValue({ $0 })
        else {
            isStuck = true
            throw NIOBatteryFailure("the loop of \(host.name) did not answer in \(Self.patience) s")
        }
        return try outcome.get()
    }

    // MARK: Connections

    private func connect(_ run: ProgramRun) throws {
        switch run.program.connection {
        case .adopted: try adopt(run)
        case .acceptedUnix, .acceptedTCP: try accept(run)
        case .connectedUnix, .connectedTCP: try connectOut(run)
        case .boundUDP, .connectedUDP: try exchangeDatagrams(run)
        }
    }

    private func client(_ run: ProgramRun) -> any ClientBootstrapping {
        host.clientBootstrap(group: group)
            .channelOption(.socketOption(.so_sndbuf), value: SocketOptionValue(FarSocket.bufferSize))
            .channelInitializer { channel in channel.eventLoop.makeCompletedFuture { try run.begin(channel) } }
    }

    private func adopt(_ run: ProgramRun) throws {
        var near: CInt = -1
        var far: CInt = -1
        try check(unsafe anyloop_socketpair(CInt(ANYLOOP_STREAM), &near, &far), "socketpair")
        run.connect(FarSocket(far))
        tell(run, client(run).withConnectedSocket(near))
    }

    /// Writes down what came of connecting.
    private func tell(_ run: ProgramRun, _ future: EventLoopFuture<any Channel>) {
        // When a callback is called that is registered from another thread is up to the threads.
        let told = future.map { _ in run.hearUnordered("connected") }.flatMapErrorThrowing {
            run.hearUnordered("not connected: \(ProgramRun.name(of: $0))")
        }
        _ = try? value(told)
    }

    private func accept(_ run: ProgramRun) throws {
        let connection = run.program.connection
        let address = try address(of: connection)
        // On the loop, so that the far end is there before its connection is accepted.
        try onLoop {
            let descriptor = anyloop_raw_socket(address.protocol.rawValue, CInt(ANYLOOP_STREAM), 0)
            let code = unsafe address.withSockAddr { unsafe anyloop_raw_connect(descriptor, $0, UInt32($1)) }
            guard code == 0 || code == -EINPROGRESS else {
                throw NIOBatteryFailure("the far end could not connect: errno \(-code)")
            }
            run.connect(FarSocket(descriptor, isTCP: connection == .acceptedTCP))
        }
        let limit = Date(timeIntervalSinceNow: Self.patience)
        while run.channel == nil {
            try poll()
            guard Date() < limit else { throw NIOBatteryFailure("\(host.name) accepted no connection") }
        }
    }

    /// Where the group under test listens.
    private func address(of connection: NIOProgram.Connection) throws -> SocketAddress {
        if let address = servers[connection]?.localAddress { return address }
        let bootstrap = host.serverBootstrap(group: group, childGroup: group)
            .childChannelOption(.socketOption(.so_sndbuf), value: SocketOptionValue(FarSocket.bufferSize))
            .childChannelInitializer { [current] channel in
                channel.eventLoop.makeCompletedFuture { try current.withLockedValue { $0 }?.begin(channel) }
            }
        let bound =
            connection == .acceptedTCP
            ? bootstrap.bind(host: "127.0.0.1", port: 0) : bootstrap.bind(unixDomainSocketPath: path())
        let server = try value(bound)
        servers[connection] = server
        guard let address = server.localAddress else { throw NIOBatteryFailure("\(server) has no local address") }
        return address
    }

    private func connectOut(_ run: ProgramRun) throws {
        let isTCP = run.program.connection == .connectedTCP
        let listener = try listener(run.program.connection)
        // What an earlier program gave up before it was accepted.
        while let left = accepted(listener.descriptor) { _ = anyloop_close(left) }
        let connecting = client(run).connect(to: listener.address)
        tell(run, connecting)
        let isConnected = NIOLockedValueBox(false)
        connecting.whenSuccess { _ in isConnected.withLockedValue { $0 = true } }
        try onLoop {}
        let limit = Date(timeIntervalSinceNow: Self.patience)
        repeat {
            guard let far = accepted(listener.descriptor) else { continue }
            run.connect(FarSocket(far, isTCP: isTCP))
            return
        } while isConnected.withLockedValue { $0 } && Date() < limit
    }

    private func exchangeDatagrams(_ run: ProgramRun) throws {
        let (descriptor, port) = try RawSocket.bound(.datagram)
        try check(anyloop_set_non_blocking(descriptor), "fcntl")
        let far = try SocketAddress(ipAddress: "127.0.0.1", port: port)
        let bootstrap = host.datagramBootstrap(group: group)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try run.begin(channel, datagramsTo: far) }
            }
        let opening =
            run.program.connection == .boundUDP
            ? bootstrap.bind(host: "127.0.0.1", port: 0) : bootstrap.connect(to: far)
        tell(run, opening)
        try onLoop {
            guard let near = run.channel?.localAddress else {
                _ = anyloop_close(descriptor)
                return
            }
            _ = unsafe near.withSockAddr { unsafe anyloop_raw_connect(descriptor, $0, UInt32($1)) }
            run.connect(FarSocket(descriptor, isDatagram: true))
        }
    }

    private func accepted(_ listener: CInt) -> CInt? {
        var size: UInt32 = 0
        let descriptor = unsafe anyloop_raw_accept(listener, nil, &size)
        return descriptor >= 0 ? descriptor : nil
    }

    /// A plain socket that listens.
    private func listener(_ connection: NIOProgram.Connection) throws -> (descriptor: CInt, address: SocketAddress) {
        if let listener = listeners[connection] { return listener }
        let descriptor: CInt
        let address: SocketAddress
        if connection == .connectedTCP {
            let port: Int
            (descriptor, port) = try RawSocket.bound(.stream)
            address = try SocketAddress(ipAddress: "127.0.0.1", port: port)
            try check(anyloop_set_non_blocking(descriptor), "fcntl")
        } else {
            address = try SocketAddress(unixDomainSocketPath: path())
            descriptor = try check(
                anyloop_raw_socket(address.protocol.rawValue, CInt(ANYLOOP_STREAM), 0), "socket")
            try check(unsafe address.withSockAddr { unsafe anyloop_raw_bind(descriptor, $0, UInt32($1)) }, "bind")
        }
        try check(anyloop_listen(descriptor, 16), "listen")
        listeners[connection] = (descriptor, address)
        return (descriptor, address)
    }

    private func path() -> String {
        let path = FileManager.default.temporaryDirectory
            .appendingPathComponent("nio-program-\(UInt32.random(in: 0 ... .max))").path
        paths.append(path)
        return path
    }

    @discardableResult
    private func check(_ code: CInt, _ operation: String) throws -> CInt {
        guard code >= 0 else { throw NIOBatteryFailure("\(operation) failed: errno \(-code)") }
        return code
    }
}
