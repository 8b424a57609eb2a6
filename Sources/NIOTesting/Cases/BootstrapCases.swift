import NIOConcurrencyHelpers
import NIOCore
import NIOPosix

/// What bootstraps promise beyond binding and connecting.
enum BootstrapCases {
    static let cases: [NIOBatteryCase] = [
        NIOBatteryCase(
            "bootstrap/server-with-a-bound-socket", "ServerBootstrap.withBoundSocket: listens on a socket bound before"
        ) { stage in
            let (descriptor, port) = try RawSocket.bound(.stream)
            let heard = StreamRecorder()
            let server = try await stage.serverBootstrap(try stage.group())
                .childChannelInitializer { $0.pipeline.addHandler(heard) }
                .withBoundSocket(descriptor).value("withBoundSocket")
            try expectEqual(server.localAddress?.port, port, "the port")
            try expect(server.isActive, "the server was not active")
            _ = try await stage.farConnect(to: server)
            try await heard.wait(for: .active)
        },
        NIOBatteryCase(
            "bootstrap/datagrams-with-a-bound-socket",
            "DatagramBootstrap.withBoundSocket: reads from a socket bound before"
        ) { stage in
            let (descriptor, port) = try RawSocket.bound(.datagram)
            let heard = DatagramRecorder()
            let channel = try await stage.host.datagramBootstrap(group: try stage.group())
                .channelInitializer { $0.pipeline.addHandler(heard) }
                .withBoundSocket(descriptor).value("withBoundSocket")
            try expectEqual(channel.localAddress?.port, port, "the port")
            try await channel.writeAndFlush(
                AddressedEnvelope(remoteAddress: try stage.address(channel), data: ByteBuffer(string: "self"))
            ).value("the write")
            try await heard.wait(for: .datagram(4))
        },
        NIOBatteryCase(
            "bootstrap/protocol-handlers",
            "NIOClientTCPBootstrapProtocol.protocolHandlers: in front of the initializer's"
        ) { stage in
            let farHeard = StreamRecorder()
            let server = try await stage.farServer(farHeard)
            let order = Journal<String>()
            _ = try await stage.host.clientBootstrap(group: try stage.group())
                .protocolHandlers { [StreamRecorder { event, _ in if event == .active { order.add("protocol") } }] }
                .channelInitializer {
                    $0.pipeline.addHandler(
                        StreamRecorder { event, _ in if event == .active { order.add("initializer") } })
                }
                .connect(to: try stage.address(server)).value("connect")
            try expectEqual(
                try await order.wait("both", count: 2), ["protocol", "initializer"], "the order of the handlers")
        },
        NIOBatteryCase(
            "bootstrap/resolving-takes-too-long",
            "ClientBootstrap.connectTimeout: resolving counts; queries are cancelled"
        ) { stage in
            let group = try stage.group()
            let resolver = SilentResolver(group.next())
            let connecting: EventLoopFuture<any Channel> = stage.host.clientBootstrap(group: group)
                .resolver(resolver)
                .connectTimeout(.milliseconds(50))
                .connect(host: "battery.invalid", port: 1)
            try expectError(
                try await connecting.error("connect"), ChannelError.connectTimeout(.milliseconds(50)), "the error")
            try await resolver.cancelled.wait("the queries' cancellation", count: 1)
            resolver.answer()
        },
        NIOBatteryCase(
            "bootstrap/initializer-on-another-loop", "ClientBootstrap.channelInitializer: its future may be of any loop"
        ) { stage in
            let farHeard = StreamRecorder()
            let server = try await stage.farServer(farHeard)
            let other = try stage.loop()
            let channel = try await stage.host.clientBootstrap(group: try stage.group())
                .channelInitializer { _ in other.scheduleTask(in: .milliseconds(2)) {}.futureResult }
                .connect(to: try stage.address(server)).value("connect")
            try expect(channel.isActive, "the channel was not active")
        },
        NIOBatteryCase(
            "bootstrap/datagram-initializer-on-another-loop", "DatagramBootstrap.channelInitializer: likewise"
        ) {
            let other = try $0.loop()
            let channel = try await $0.host.datagramBootstrap(group: try $0.group())
                .channelInitializer { _ in other.scheduleTask(in: .milliseconds(2)) {}.futureResult }
                .bind(host: "127.0.0.1", port: 0).value("bind")
            try expect(channel.isActive, "the channel was not active")
        },
        NIOBatteryCase(
            "bootstrap/from-a-loop", "ClientBootstrap.connect: may be called on a loop, also of its own group"
        ) { stage in
            let farHeard = StreamRecorder()
            let server = try await stage.farServer(farHeard)
            let (group, address) = (try stage.group(), try stage.address(server))
            let host = stage.host
            let channel = try await group.next().flatSubmit { host.clientBootstrap(group: group).connect(to: address) }
                .value("connect")
            try expect(channel.eventLoop === group.next(), "the channel is on another loop")
        },
        NIOBatteryCase("bootstrap/on-one-loop", "EventLoop: a bootstrap takes a single loop as its group") { stage in
            let loops = try stage.group(2).makeIterator().map { $0 }
            let server = try await stage.host.serverBootstrap(group: loops[0], childGroup: loops[1])
                .childChannelInitializer { $0.eventLoop.makeSucceededVoidFuture() }
                .bind(host: "127.0.0.1", port: 0).value("bind")
            let client = try await stage.host.clientBootstrap(group: loops[1]).connect(to: try stage.address(server))
                .value("connect")
            try expect(server.eventLoop === loops[0] && client.eventLoop === loops[1], "a channel is on another loop")
        },
        NIOBatteryCase(
            "bootstrap/failed-option-fails-connect", "ClientBootstrap.channelOption: an option's failure is connect's"
        ) {
            stage in
            let farHeard = StreamRecorder()
            let server = try await stage.farServer(farHeard)
            let error = try await stage.host.clientBootstrap(group: try stage.group())
                .channelOption(.ipOption(.ip_multicast_ttl), value: 100_000)
                .connect(to: try stage.address(server)).error("connect")
            try expectErrno(error, 22, what: "the error")
        },
    ]

    static let providers: [NIOBatteryCase] = [
        NIOBatteryCase("provider/linger", "SocketOptionProvider: socket options that are no numbers") {
            for channel in [try await $0.accepted().near, try await $0.connected().near] {
                guard let socket = channel as? any SocketOptionProvider else {
                    throw NIOBatteryFailure("the channel is no SocketOptionProvider")
                }
                try await socket.setSoLinger(linger(l_onoff: 1, l_linger: 3)).value("setSoLinger")
                let value = try await socket.getSoLinger().map { [$0.l_onoff, $0.l_linger] }.value("getSoLinger")
                try expectEqual(value, [1, 3], "the value")
            }
        },
        NIOBatteryCase(
            "provider/reset-by-linger", "SocketOptionProvider.setSoLinger: a linger of 0 resets the peer at close"
        ) {
            let pair = try await $0.accepted()
            guard let socket = pair.near as? any SocketOptionProvider else {
                throw NIOBatteryFailure("the channel is no SocketOptionProvider")
            }
            try await socket.setSoLinger(linger(l_onoff: 1, l_linger: 0)).value("setSoLinger")
            try await pair.near.close().value("close")
            try await pair.farHeard.wait(for: .inactive)
            try expectErrno(pair.farHeard.errors.first ?? TestError.other, 104, what: "what the far end got")
        },
        NIOBatteryCase("provider/after-close", "SocketOptionProvider: socket options fail on a channel that is closed")
        {
            let channel = try await $0.accepted().near
            guard let socket = channel as? any SocketOptionProvider else {
                throw NIOBatteryFailure("the channel is no SocketOptionProvider")
            }
            try await channel.close().value("close")
            _ = try await socket.setSoLinger(linger(l_onoff: 0, l_linger: 0)).error("setSoLinger")
            _ = try await socket.getSoLinger().map { _ in }.error("getSoLinger")
        },
        NIOBatteryCase("provider/multicast", "MulticastChannel.joinGroup: datagrams to the group come until leaveGroup")
        { stage in
            let scene = try await DatagramCases.open(stage)
            guard let channel = scene.near as? any MulticastChannel else {
                throw NIOBatteryFailure("the channel is no MulticastChannel")
            }
            let notAGroup = try SocketAddress(ipAddress: "127.0.0.1", port: 0)
            let error = try await channel.joinGroup(notAGroup).error("joining an address that is no group")
            try expectError(error, ChannelError.illegalMulticastAddress(notAGroup), "the error")
            let wrongFamily = try SocketAddress(ipAddress: "ff12::beeb", port: 0)
            let other = try await channel.joinGroup(wrongFamily).error("joining a group of IPv6")
            try expectError(other, ChannelError.badMulticastGroupAddressFamily, "the error")
        },
        NIOBatteryCase(
            "provider/congestion", "ChannelOptions.explicitCongestionNotification: marks are sent and received"
        ) { stage in
            let scene = try await DatagramCases.open(stage) {
                $0.channelOption(.explicitCongestionNotification, value: true)
            }
            for (turn, mark) in [NIOExplicitCongestionNotificationState.transportCapableFlag0, .congestionExperienced]
                .enumerated()
            {
                let envelope = AddressedEnvelope(
                    remoteAddress: try stage.address(scene.near), data: ByteBuffer(string: "marked"),
                    metadata: .init(ecnState: mark))
                try await scene.near.writeAndFlush(envelope).value("the write")
                try await DatagramCases.wait(scene.heard, turn + 1)
                try expectEqual(scene.heard.inbound[turn].metadata?.ecnState, mark, "the mark")
            }
        },
        NIOBatteryCase("provider/packet-info", "ChannelOptions.receivePacketInfo: where a datagram was sent to") {
            stage in
            let scene = try await DatagramCases.open(stage) { $0.channelOption(.receivePacketInfo, value: true) }
            try await scene.farSend(ByteBuffer(string: "hello"))
            try await DatagramCases.wait(scene.heard, 1)
            let info = scene.heard.inbound[0].metadata?.packetInfo
            try expectEqual(info?.destinationAddress.ipAddress, "127.0.0.1", "the destination")
            try expect((info?.interfaceIndex ?? 0) > 0, "no interface")
        },
    ]
}

/// A resolver that answers only when told.
private final class SilentResolver: Resolver, Sendable {
    let cancelled = Journal<String>()
    private let promises: [EventLoopPromise<[SocketAddress]>]

    init(_ loop: any EventLoop) {
        promises = [loop.makePromise(), loop.makePromise()]
    }

    func initiateAQuery(host: String, port: Int) -> EventLoopFuture<[SocketAddress]> { promises[0].futureResult }
    func initiateAAAAQuery(host: String, port: Int) -> EventLoopFuture<[SocketAddress]> { promises[1].futureResult }
    func cancelQueries() { cancelled.add("cancelled") }

    /// No addresses.
    func answer() {
        for promise in promises { promise.succeed([]) }
    }
}
