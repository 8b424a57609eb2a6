import NIOConcurrencyHelpers
import NIOCore
import NIOPosix

/// Connecting.
enum ConnectingCases {
    static let cases: [NIOBatteryCase] = [
        NIOBatteryCase(
            "connect/refused", "ClientBootstrap.connect(to:): fails with the connect's IOError, the channel closes"
        ) {
            stage in
            let group = try stage.group()
            let address = try await unused(stage)
            let heard = StreamRecorder()
            let error = try await stage.host.clientBootstrap(group: group)
                .channelInitializer { $0.pipeline.addHandler(heard) }
                .connect(to: address).error("connect")
            try expectErrno(error, 111, what: "the error")
            let events = try await heard.wait(for: .removed)
            try expectEqual(events, [.added, .registered, .unregistered, .removed], "the events")
        },
        NIOBatteryCase("connect/by-host", "ClientBootstrap.connect(host:port:): resolves the host and connects") {
            stage in
            let farHeard = StreamRecorder()
            let server = try await stage.farServer(farHeard)
            for host in ["127.0.0.1", "localhost"] {
                let channel = try await stage.host.clientBootstrap(group: try stage.group())
                    .connect(host: host, port: server.localAddress?.port ?? 0).value("connect to \(host)")
                try expectEqual(channel.remoteAddress?.port, server.localAddress?.port, "the remote port")
                try expect(channel.isActive, "the channel was not active")
            }
        },
        NIOBatteryCase("connect/by-host-refused", "ClientBootstrap.connect(host:port:): fails if no address answers") {
            stage in
            let address = try await unused(stage)
            let error = try await stage.host.clientBootstrap(group: try stage.group())
                .connect(host: "127.0.0.1", port: address.port ?? 0).error("connect")
            try expect(
                "\(error)".contains("refused") || "\(error)".contains("111"), "the error does not say why: \(error)")
        },
        NIOBatteryCase("connect/own-resolver", "ClientBootstrap.resolver: the given resolver is asked instead") {
            stage in
            let farHeard = StreamRecorder()
            let server = try await stage.farServer(farHeard)
            let group = try stage.group()
            let resolver = FixedResolver(group.next(), v4: .success([try stage.address(server)]), v6: .success([]))
            let channel = try await stage.host.clientBootstrap(group: group).resolver(resolver)
                .connect(host: "battery.invalid", port: 1).value("connect")
            try expectEqual(channel.remoteAddress, server.localAddress, "the remote address")
            try expectEqual(resolver.asked.entries, ["battery.invalid:1", "battery.invalid:1"], "what was asked")
        },
        NIOBatteryCase(
            "connect/next-address-if-one-refuses", "ClientBootstrap.connect(host:port:): tries every address"
        ) {
            stage in
            let farHeard = StreamRecorder()
            let server = try await stage.farServer(farHeard)
            let group = try stage.group()
            let addresses = [try await unused(stage), try stage.address(server)]
            let resolver = FixedResolver(group.next(), v4: .success(addresses), v6: .failure(TestError.other))
            let channel = try await stage.host.clientBootstrap(group: group).resolver(resolver)
                .connect(host: "battery.invalid", port: 1).value("connect")
            try expectEqual(channel.remoteAddress, server.localAddress, "the remote address")
        },
        NIOBatteryCase(
            "connect/late-addresses",
            "ClientBootstrap.connect(host:port:): tries those that come while an attempt hangs"
        ) {
            stage in
            let farHeard = StreamRecorder()
            let server = try await stage.farServer(farHeard)
            let address = try stage.address(server)
            let full = try await fullListener(stage)
            let loop = try stage.group().next()
            let late = loop.makePromise(of: [SocketAddress].self)
            let resolver = FixedResolver(v4: late.futureResult, v6: loop.makeSucceededFuture([full]))
            let channels = Journal<any Channel>()
            let connecting: EventLoopFuture<any Channel> = stage.host.clientBootstrap(group: loop).resolver(resolver)
                .channelInitializer { channel in
                    channels.add(channel)
                    return channel.eventLoop.makeSucceededVoidFuture()
                }
                .connect(host: "battery.invalid", port: 1)
            // Longer than an attempt's head start (RFC 8305 section 8: 250 ms).
            loop.scheduleTask(in: .milliseconds(300)) { late.succeed([address]) }
            let channel = try await connecting.value("connect")
            try expectEqual(channel.remoteAddress, address, "the remote address")
            try expect(channels.entries.count == 2 && channels.entries[1] === channel, "another channel won")
            try await channels.entries[0].closeFuture.value("the loser's end")
        },
        NIOBatteryCase("connect/unresolved", "ClientBootstrap.connect(host:port:): fails if the name is not known") {
            stage in
            let group = try stage.group()
            let resolver = FixedResolver(
                group.next(), v4: .failure(TestError.expected), v6: .failure(TestError.expected))
            _ = try await stage.host.clientBootstrap(group: group).resolver(resolver)
                .connect(host: "battery.invalid", port: 1).error("connect")
        },
        NIOBatteryCase("connect/timeout", "ClientBootstrap.connectTimeout: ChannelError.connectTimeout with that time")
        { stage in
            let full = try await fullListener(stage)
            let heard = StreamRecorder()
            let error = try await stage.host.clientBootstrap(group: try stage.group())
                .channelInitializer { $0.pipeline.addHandler(heard) }
                .connectTimeout(.milliseconds(50))
                .connect(to: full).error("connect")
            try expectError(error, ChannelError.connectTimeout(.milliseconds(50)), "the error")
            try expectEqual(
                try await heard.wait(for: .removed), [.added, .registered, .unregistered, .removed], "the events")
        },
        NIOBatteryCase("connect/timeout-option", "ChannelOptions.connectTimeout: also when set as a channel's option") {
            stage in
            let full = try await fullListener(stage)
            let error = try await stage.host.clientBootstrap(group: try stage.group())
                .channelOption(.connectTimeout, value: .milliseconds(50))
                .connect(to: full).error("connect")
            try expectError(error, ChannelError.connectTimeout(.milliseconds(50)), "the error")
        },
        NIOBatteryCase(
            "connect/while-connecting", "ChannelError.connectPending: a second connect before the first is done"
        ) {
            stage in
            let full = try await fullListener(stage)
            let channels = Journal<any Channel>()
            let first: EventLoopFuture<any Channel> = stage.host.clientBootstrap(group: try stage.group())
                .channelInitializer { channel in
                    channels.add(channel)
                    return channel.eventLoop.makeSucceededVoidFuture()
                }
                .connect(to: full)
            let channel = try await channels.wait("the channel", count: 1)[0]
            try await settle(channel)
            try expectError(
                try await channel.connect(to: full).error("the second connect"), ChannelError.connectPending,
                "the error")
            try await channel.close().value("close")
            try expectError(try await first.error("the first connect"), ChannelError.ioOnClosedChannel, "the error")
        },
        NIOBatteryCase("connect/after-close", "ChannelError.ioOnClosedChannel: connect on a channel that is closed") {
            stage in
            let pair = try await stage.connected()
            let address = try stage.address(pair.server)
            try await pair.near.close().value("close")
            try expectError(
                try await pair.near.connect(to: address).error("connect"), ChannelError.ioOnClosedChannel, "the error")
        },
        NIOBatteryCase("connect/from-an-address", "ClientBootstrap.bind(to:): the local address to connect from") {
            stage in
            let farHeard = StreamRecorder()
            let server = try await stage.farServer(farHeard)
            let channel = try await stage.host.clientBootstrap(group: try stage.group())
                .bind(to: try SocketAddress(ipAddress: "127.0.0.3", port: 0))
                .connect(to: try stage.address(server)).value("connect")
            try expectEqual(channel.localAddress?.ipAddress, "127.0.0.3", "the local address")
            try await farHeard.wait(for: .active)
            try expectEqual(try farHeard.channel().remoteAddress, channel.localAddress, "what the far end sees")
        },
        NIOBatteryCase("connect/options-first", "ClientBootstrap.channelOption: set before the initializer is called") {
            stage in
            let farHeard = StreamRecorder()
            let server = try await stage.farServer(farHeard)
            let seen = Journal<Bool>()
            _ = try await stage.host.clientBootstrap(group: try stage.group())
                .channelOption(.autoRead, value: false)
                .channelInitializer { channel in
                    channel.getOption(.autoRead).map { seen.add(!$0 && channel.eventLoop.inEventLoop) }
                }
                .connect(to: try stage.address(server)).value("connect")
            try expectEqual(seen.entries, [true], "the option in the initializer, on the loop")
        },
        NIOBatteryCase("connect/one-bootstrap-twice", "ClientBootstrap: may connect several channels") { stage in
            let farHeard = StreamRecorder()
            let server = try await stage.farServer(farHeard)
            let address = try stage.address(server)
            let bootstrap = stage.host.clientBootstrap(group: try stage.group(2))
            let one = try await bootstrap.connect(to: address).value("connect")
            let two = try await bootstrap.connect(to: address).value("connect")
            try expect(one !== two, "the same channel twice")
            try expect(one.localAddress != two.localAddress, "the same address twice")
        },
        NIOBatteryCase("connect/close-in-the-promise", "Channel.close: in connect's callback, before channelActive") {
            stage in
            let heard = StreamRecorder()
            let farHeard = StreamRecorder()
            let server = try await stage.farServer(farHeard)
            let closed = Journal<String>()
            stage.host.clientBootstrap(group: try stage.group())
                .channelInitializer { $0.pipeline.addHandler(heard) }
                .connect(to: try stage.address(server)).whenSuccess { channel in
                    channel.close().whenComplete { _ in closed.add("closed") }
                }
            try await closed.wait("the close", count: 1)
            let events = try await heard.wait(for: .removed)
            try expectEqual(events.last, .removed, "the last event")
        },
        NIOBatteryCase("connect/to-a-connected-socket", "ClientBootstrap.withConnectedSocket: takes a socket over") {
            stage in
            let farHeard = StreamRecorder()
            let server = try await stage.farServer(farHeard)
            let descriptor = try RawSocket.connected(to: server.localAddress?.port ?? 0)
            let heard = StreamRecorder()
            let channel = try await stage.host.clientBootstrap(group: try stage.group())
                .channelInitializer { $0.pipeline.addHandler(heard) }
                .withConnectedSocket(descriptor).value("withConnectedSocket")
            try expect(channel.isActive, "the channel was not active")
            try expectEqual(channel.remoteAddress, server.localAddress, "the remote address")
            try await farHeard.wait(for: .active)
            try await farHeard.channel().writeAndFlush(ByteBuffer(string: "hello")).value("the far end's write")
            try await heard.wait(bytes: 5)
        },
        NIOBatteryCase(
            "connect/before-registration",
            "ChannelError.inappropriateOperationForState: connect on an unregistered channel"
        ) { stage in
            let farHeard = StreamRecorder()
            let server = try await stage.farServer(farHeard)
            let address = try stage.address(server)
            let errors = Journal<String>()
            _ = try await stage.host.clientBootstrap(group: try stage.group())
                .channelInitializer { channel in
                    channel.connect(to: address).whenFailure {
                        errors.add("\($0 as? ChannelError == .inappropriateOperationForState)")
                    }
                    channel.read()
                    channel.flush()
                    return channel.eventLoop.makeSucceededVoidFuture()
                }
                .connect(to: address).value("connect")
            try expectEqual(try await errors.wait("the failure", count: 1), ["true"], "inappropriateOperationForState")
        },
        NIOBatteryCase(
            "connect/closed-in-the-initializer", "Channel.close: before registration; connect fails, no events"
        ) {
            stage in
            let farHeard = StreamRecorder()
            let server = try await stage.farServer(farHeard)
            let heard = StreamRecorder()
            let future: EventLoopFuture<any Channel> = stage.host.clientBootstrap(group: try stage.group())
                .channelInitializer { channel in
                    channel.pipeline.addHandler(heard).flatMap { channel.close() }
                }
                .connect(to: try stage.address(server))
            try expectError(try await future.error("connect"), ChannelError.ioOnClosedChannel, "the error")
            let events = try await heard.wait(for: .removed)
            try expectEqual(events, [.added, .removed], "the events")
        },
        NIOBatteryCase("connect/universal-bootstrap", "NIOClientTCPBootstrap: one bootstrap for whatever transport") {
            stage in
            let farHeard = StreamRecorder()
            let server = try await stage.farServer(farHeard)
            let heard = StreamRecorder()
            let bootstrap = universal(stage.host.clientBootstrap(group: try stage.group()))
            let channel =
                try await bootstrap
                .channelInitializer { $0.pipeline.addHandler(heard) }
                .channelOption(.autoRead, value: true)
                .connectTimeout(.seconds(5))
                .connect(to: try stage.address(server)).value("connect")
            try await channel.writeAndFlush(ByteBuffer(string: "hello")).value("the write")
            try await farHeard.wait(bytes: 5)
        },
        NIOBatteryCase(
            "connect/convenience-options", "NIOClientTCPBootstrap.channelConvenienceOptions: short-hands for options"
        ) { stage in
            let farHeard = StreamRecorder()
            let server = try await stage.farServer(farHeard)
            let channel = try await universal(stage.host.clientBootstrap(group: try stage.group()))
                .channelConvenienceOptions([.disableAutoRead, .allowRemoteHalfClosure, .allowLocalEndpointReuse])
                .connect(host: "127.0.0.1", port: server.localAddress?.port ?? 0).value("connect")
            try expectEqual(try await channel.getOption(.autoRead).value("getOption"), false, "autoRead")
            try expectEqual(
                try await channel.getOption(.allowRemoteHalfClosure).value("getOption"), true, "allowRemoteHalfClosure")
            try expect(
                try await channel.getOption(.socketOption(.so_reuseaddr)).value("getOption") != 0,
                "so_reuseaddr was not set")
        },
    ]

    private static func universal(_ bootstrap: some ClientBootstrapping) -> NIOClientTCPBootstrap {
        NIOClientTCPBootstrap(bootstrap, tls: NIOInsecureNoTLS())
    }

    /// An address of this machine where nobody listens.
    static func unused(_ stage: NIOStage) async throws -> SocketAddress {
        let server = try await ServerBootstrap(group: reference).bind(host: "127.0.0.1", port: 0).value(
            "the far end's bind")
        let address = try stage.address(server)
        try await server.close().value("the far end's close")
        return address
    }

    /// Where a connect is neither answered nor refused: a listener whose queue is full and that accepts none.
    static func fullListener(_ stage: NIOStage) async throws -> SocketAddress {
        let server = try await ServerBootstrap(group: reference)
            .serverChannelOption(.backlog, value: 0)
            .serverChannelOption(.autoRead, value: false)
            .bind(host: "127.0.0.1", port: 0).value("the far end's bind")
        stage.keep(server)
        let address = try stage.address(server)
        // The queue holds one more than it was told.
        for _ in 0..<4 {
            let connecting = ClientBootstrap(group: reference).connectTimeout(.milliseconds(100)).connect(to: address)
            connecting.whenSuccess { stage.keep($0) }
            if (try? await connecting.value("filling the queue")) == nil { return address }
        }
        throw NIOBatteryFailure("a listener that accepts none answered four connects")
    }
}
