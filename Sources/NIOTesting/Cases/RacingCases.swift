import NIOCore
import NIOPosix

/// Connecting to a host that has several addresses (RFC 8305).
enum RacingCases {
    static let cases: [NIOBatteryCase] = [
        NIOBatteryCase("race/ipv6-first", "ClientBootstrap.connect(host:port:): of both families IPv6 is tried first") {
            stage in
            let (v4, v6) = try await servers(stage)
            let group = try stage.group()
            let resolver = FixedResolver(
                group.next(), v4: .success([try stage.address(v4)]), v6: .success([try stage.address(v6)]))
            let channel = try await stage.host.clientBootstrap(group: group).resolver(resolver)
                .connect(host: "battery.invalid", port: 1).value("connect")
            try expectEqual(channel.remoteAddress, v6.localAddress, "the remote address")
        },
        NIOBatteryCase(
            "race/waits-a-moment-for-ipv6", "ClientBootstrap.connect(host:port:): RFC 8305's resolution delay"
        ) { stage in
            let (v4, v6) = try await servers(stage)
            let group = try stage.group()
            let loop = group.next()
            let (late, address) = (loop.makePromise(of: [SocketAddress].self), try stage.address(v6))
            let resolver = FixedResolver(
                v4: loop.makeSucceededFuture([try stage.address(v4)]), v6: late.futureResult)
            let host = stage.host
            let connecting = loop.flatSubmit {
                // After the tasks that ask and hear IPv4's answer, and before any timer.
                defer { loop.execute { loop.execute { late.succeed([address]) } } }
                return host.clientBootstrap(group: group).resolver(resolver).connect(host: "battery.invalid", port: 1)
            }
            try expectEqual(try await connecting.value("connect").remoteAddress, address, "the remote address")
        },
        NIOBatteryCase(
            "race/not-for-ever", "ClientBootstrap.connect(host:port:): without an answer for IPv6 it connects over IPv4"
        ) { stage in
            let (v4, _) = try await servers(stage)
            let group = try stage.group()
            let late = group.next().makePromise(of: [SocketAddress].self)
            let resolver = FixedResolver(
                v4: group.next().makeSucceededFuture([try stage.address(v4)]), v6: late.futureResult)
            let channel = try await stage.host.clientBootstrap(group: group).resolver(resolver)
                .connect(host: "battery.invalid", port: 1).value("connect")
            try expectEqual(channel.remoteAddress, v4.localAddress, "the remote address")
            late.succeed([])
        },
        NIOBatteryCase("race/its-time-is-over", "ClientBootstrap.connectTimeout: no more once the channel is connected")
        {
            stage in
            let server = try await stage.farServer(StreamRecorder())
            let address = try stage.address(server)
            let group = try stage.group()
            // A busy machine may take longer than the first of these.
            for milliseconds in [Int64(30), 300, 3000] {
                let connecting: EventLoopFuture<any Channel> = stage.host.clientBootstrap(group: group)
                    .connectTimeout(.milliseconds(milliseconds)).connect(to: address)
                guard let channel = try? await connecting.value("connect") else { continue }
                try await group.next().scheduleTask(in: .milliseconds(milliseconds)) {}.futureResult.value("the time")
                try await settle(channel)
                try expect(channel.isActive, "the channel was closed when its time to connect was over")
                return
            }
            throw NIOBatteryFailure("no connect was in time")
        },
        NIOBatteryCase(
            "race/one-channel-is-left", "ClientBootstrap.connect(host:port:): channels of failed attempts are closed"
        ) { stage in
            let (v4, _) = try await servers(stage)
            let (group, channels) = (try stage.group(), Journal<any Channel>())
            let refused = try await unusedV6(stage)
            let resolver = FixedResolver(
                group.next(), v4: .success([try stage.address(v4)]), v6: .success([refused]))
            let channel = try await stage.host.clientBootstrap(group: group).resolver(resolver)
                .channelInitializer { channel in
                    channels.add(channel)
                    return channel.eventLoop.makeSucceededVoidFuture()
                }
                .connect(host: "battery.invalid", port: 1).value("connect")
            try expectEqual(channel.remoteAddress, v4.localAddress, "the remote address")
            try expectEqual(channels.entries.count, 2, "channels made")
            try await channels.entries[0].closeFuture.value("the first channel's end")
            try expect(channel === channels.entries[1] && channel.isActive, "the second channel is not the one")
        },
    ]

    private static func servers(_ stage: NIOStage) async throws -> (v4: any Channel, v6: any Channel) {
        let v4 = try await stage.farServer(StreamRecorder())
        let v6 = try await ServerBootstrap(group: reference).bind(host: "::1", port: 0).value("the far end's bind")
        stage.keep(v6)
        return (v4, v6)
    }

    /// An address of this machine where nobody listens.
    private static func unusedV6(_ stage: NIOStage) async throws -> SocketAddress {
        let server = try await ServerBootstrap(group: reference).bind(host: "::1", port: 0).value("the far end's bind")
        let address = try stage.address(server)
        try await server.close().value("the far end's close")
        return address
    }
}

/// A resolver that knows what it will answer.
final class FixedResolver: Resolver, Sendable {
    let asked = Journal<String>()
    private let v4: EventLoopFuture<[SocketAddress]>
    private let v6: EventLoopFuture<[SocketAddress]>

    init(v4: EventLoopFuture<[SocketAddress]>, v6: EventLoopFuture<[SocketAddress]>) {
        self.v4 = v4
        self.v6 = v6
    }

    convenience init(
        _ loop: any EventLoop, v4: Result<[SocketAddress], any Error>, v6: Result<[SocketAddress], any Error>
    ) {
        self.init(v4: loop.makeCompletedFuture(v4), v6: loop.makeCompletedFuture(v6))
    }

    func initiateAQuery(host: String, port: Int) -> EventLoopFuture<[SocketAddress]> {
        asked.add("\(host):\(port)")
        return v4
    }

    func initiateAAAAQuery(host: String, port: Int) -> EventLoopFuture<[SocketAddress]> {
        asked.add("\(host):\(port)")
        return v6
    }

    func cancelQueries() {}
}
