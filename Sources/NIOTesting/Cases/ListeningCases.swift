import NIOCore

/// Binding and accepting.
enum ListeningCases {
    static let binding: [NIOBatteryCase] = [
        NIOBatteryCase(
            "bind/port-zero", "ServerBootstrap.bind(host:port:): port 0 gets a free port; localAddress tells it"
        ) {
            let group = try $0.group()
            let one = try await $0.serverBootstrap(group).bind(host: "127.0.0.1", port: 0).value("bind")
            let two = try await $0.serverBootstrap(group).bind(host: "127.0.0.1", port: 0).value("bind")
            try expect((one.localAddress?.port ?? 0) != 0, "the port was 0")
            try expect(one.localAddress?.port != two.localAddress?.port, "both got the same port")
            try expectEqual(one.localAddress?.ipAddress, "127.0.0.1", "the address")
            try expectEqual(one.remoteAddress, nil, "the remote address")
        },
        NIOBatteryCase("bind/to-an-address", "ServerBootstrap.bind(to:): IPv4 and IPv6") { stage in
            for host in ["127.0.0.1", "::1"] {
                let address = try SocketAddress(ipAddress: host, port: 0)
                let server = try await stage.serverBootstrap(try stage.group()).bind(to: address).value("bind")
                try expectEqual(server.localAddress?.ipAddress, host, "the address")
                _ = try await stage.farConnect(to: server)
            }
        },
        NIOBatteryCase("bind/by-name", "ServerBootstrap.bind(host:port:): resolves the host") {
            let server = try await $0.serverBootstrap(try $0.group()).bind(host: "localhost", port: 0).value("bind")
            _ = try await $0.farConnect(to: server)
        },
        NIOBatteryCase("bind/in-use", "IOError: EADDRINUSE from bind; the channel is closed") { stage in
            let group = try stage.group()
            let server = try await stage.serverBootstrap(group).bind(host: "127.0.0.1", port: 0).value("bind")
            let closed = Journal<String>()
            let error = try await stage.serverBootstrap(group)
                .serverChannelInitializer { channel in
                    channel.closeFuture.whenSuccess { closed.add("closed") }
                    return channel.eventLoop.makeSucceededVoidFuture()
                }
                .bind(to: try stage.address(server)).error("the second bind")
            try expectErrno(error, 98, what: "the error")
            try await closed.wait("the channel's close", count: 1)
            _ = try await stage.farConnect(to: server)
        },
        NIOBatteryCase("bind/twice-on-one-channel", "Channel.bind: fails on a channel that is bound; the channel stays")
        {
            let server = try await $0.serverBootstrap(try $0.group()).bind(host: "127.0.0.1", port: 0).value("bind")
            let error = try await server.bind(to: try SocketAddress(ipAddress: "127.0.0.1", port: 0)).error(
                "the second bind")
            try expectErrno(error, 22, what: "the error")
            _ = try await $0.farConnect(to: server)
        },
        NIOBatteryCase(
            "bind/before-registration", "ChannelError.inappropriateOperationForState: bind on an unregistered channel"
        ) { stage in
            let (errors, address) = (Journal<String>(), try SocketAddress(ipAddress: "127.0.0.1", port: 0))
            let server = try await stage.serverBootstrap(try stage.group())
                .serverChannelInitializer { channel in
                    channel.bind(to: address).whenFailure {
                        errors.add("\($0 as? ChannelError == .inappropriateOperationForState)")
                    }
                    return channel.eventLoop.makeSucceededVoidFuture()
                }
                .bind(host: "127.0.0.1", port: 0).value("bind")
            try expectEqual(try await errors.wait("the failure", count: 1), ["true"], "inappropriateOperationForState")
            _ = try await stage.farConnect(to: server)
        },
        NIOBatteryCase("bind/after-close", "ChannelError.ioOnClosedChannel: bind on a channel that is closed") {
            let server = try await $0.serverBootstrap(try $0.group()).bind(host: "127.0.0.1", port: 0).value("bind")
            try await server.close().value("close")
            let error = try await server.bind(to: try SocketAddress(ipAddress: "127.0.0.1", port: 0)).error("bind")
            try expectError(error, ChannelError.ioOnClosedChannel, "the error")
        },
        NIOBatteryCase("bind/not-our-address", "IOError: EADDRNOTAVAIL for an address that is not of this machine") {
            let error = try await $0.serverBootstrap(try $0.group()).bind(host: "192.0.2.1", port: 0).error("bind")
            try expectErrno(error, 99, what: "the error")
        },
        NIOBatteryCase("bind/freed-by-close", "Channel.close: the address is free again; connecting there is refused") {
            stage in
            let group = try stage.group()
            let server = try await stage.serverBootstrap(group).bind(host: "127.0.0.1", port: 0).value("bind")
            let address = try stage.address(server)
            try await server.close().value("close")
            let error = try await stage.host.clientBootstrap(group: group).connect(to: address).error("connect")
            try expectErrno(error, 111, what: "the error")
            _ = try await stage.serverBootstrap(group).serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
                .bind(to: address).value("bind again")
        },
        NIOBatteryCase("bind/one-bootstrap-twice", "ServerBootstrap: may bind several channels, one after another") {
            stage in
            let bootstrap = stage.serverBootstrap(try stage.group())
            let one = try await bootstrap.bind(host: "127.0.0.1", port: 0).value("bind")
            let two = try await bootstrap.bind(host: "127.0.0.1", port: 0).value("bind")
            _ = try await stage.farConnect(to: one)
            _ = try await stage.farConnect(to: two)
        },
        NIOBatteryCase(
            "bind/a-listener-does-not-write", "ChannelError.operationUnsupported: write on a listening channel"
        ) {
            let server = try await $0.serverBootstrap(try $0.group()).bind(host: "127.0.0.1", port: 0).value("bind")
            let error = try await server.writeAndFlush(ByteBuffer(string: "no")).error("the write")
            try expectError(error, ChannelError.operationUnsupported, "the error")
            try expect(server.isActive, "the server closed")
        },
        NIOBatteryCase(
            "bind/a-listener-does-not-connect", "ChannelError.operationUnsupported: connect on a listening channel"
        ) { stage in
            let server = try await stage.serverBootstrap(try stage.group()).bind(host: "127.0.0.1", port: 0).value(
                "bind")
            let error = try await server.connect(to: try stage.address(server)).error("connect")
            try expectError(error, ChannelError.operationUnsupported, "the error")
        },
    ]

    static let accepting: [NIOBatteryCase] = [
        NIOBatteryCase(
            "accept/read-gives-the-child", "ServerBootstrap: accepted channels come as the server's channelRead"
        ) {
            stage in
            let heard = ServerRecorder()
            let server = try await stage.serverBootstrap(try stage.group())
                .serverChannelInitializer { $0.pipeline.addHandler(heard) }
                .bind(host: "127.0.0.1", port: 0).value("bind")
            let client = try await stage.farConnect(to: server)
            let events = try await heard.wait(for: .readComplete)
            try expectEqual(Array(events.suffix(2)), [.accepted, .readComplete], "the events")
            try expectEqual(
                heard.inbound.first?.remoteAddress, client.channel.localAddress, "the child's remote address")
        },
        NIOBatteryCase("accept/fifty", "ServerBootstrap: every connection gets a channel of its own") { stage in
            let active = Journal<ObjectIdentifier>()
            let server = try await stage.serverBootstrap(try stage.group(2))
                .childChannelInitializer { channel in
                    channel.pipeline.addHandler(
                        StreamRecorder { event, context in
                            if event == .active { active.add(ObjectIdentifier(context.channel)) }
                        })
                }
                .bind(host: "127.0.0.1", port: 0).value("bind")
            for _ in 0..<50 { _ = try await stage.farConnect(to: server) }
            try expectEqual(Set(try await active.wait("50 channels", count: 50)).count, 50, "different channels")
        },
        NIOBatteryCase(
            "accept/children-on-the-child-group", "ServerBootstrap.init(group:childGroup:): children's loops"
        ) {
            stage in
            let (parents, children) = (try stage.group(), try stage.group(2))
            let loops = Journal<ObjectIdentifier>()
            let server = try await stage.host.serverBootstrap(group: parents, childGroup: children)
                .childChannelInitializer { channel in
                    loops.add(ObjectIdentifier(channel.eventLoop))
                    return channel.eventLoop.inEventLoop
                        ? channel.eventLoop.makeSucceededVoidFuture()
                        : channel.eventLoop.makeFailedFuture(TestError.other)
                }
                .bind(host: "127.0.0.1", port: 0).value("bind")
            for _ in 0..<4 { _ = try await stage.farConnect(to: server) }
            let used = Set(try await loops.wait("four children", count: 4))
            try expectEqual(used, Set(children.makeIterator().map { ObjectIdentifier($0) }), "the children's loops")
            try expect(server.eventLoop === parents.next(), "the server's loop is not of its group")
        },
        NIOBatteryCase("accept/only-on-read", "ChannelOptions.autoRead: a listening channel's reads accept") { stage in
            let heard = ServerRecorder()
            let server = try await stage.serverBootstrap(try stage.group())
                .serverChannelOption(.autoRead, value: false)
                .serverChannelOption(.maxMessagesPerRead, value: 1)
                .serverChannelInitializer { $0.pipeline.addHandler(heard) }
                .bind(host: "127.0.0.1", port: 0).value("bind")
            _ = try await stage.farConnect(to: server)
            _ = try await stage.farConnect(to: server)
            try await settle(server)
            try expectEqual(heard.inbound.count, 0, "children before read()")
            server.read()
            try await heard.wait(for: .readComplete)
            try await settle(server)
            try expectEqual(heard.inbound.count, 1, "children after one read()")
            server.read()
            try await heard.wait("the second child") { $0.filter { $0 == .accepted }.count == 2 }
        },
        NIOBatteryCase("accept/child-options", "ServerBootstrap.childChannelOption: set before the child initializer") {
            stage in
            let seen = Journal<Bool>()
            let server = try await stage.serverBootstrap(try stage.group())
                .childChannelOption(.autoRead, value: false)
                .childChannelOption(.allowRemoteHalfClosure, value: true)
                .childChannelInitializer { channel in
                    channel.getOption(.allowRemoteHalfClosure).and(channel.getOption(.autoRead)).map {
                        seen.add($0.0 && !$0.1)
                    }
                }
                .bind(host: "127.0.0.1", port: 0).value("bind")
            _ = try await stage.farConnect(to: server)
            try expectEqual(try await seen.wait("the child", count: 1), [true], "the options in the initializer")
        },
        NIOBatteryCase("accept/server-options-first", "ServerBootstrap.serverChannelOption: set before the initializer")
        {
            stage in
            let seen = Journal<Bool>()
            _ = try await stage.serverBootstrap(try stage.group())
                .serverChannelOption(.autoRead, value: false)
                .serverChannelOption(.backlog, value: 17)
                .serverChannelInitializer { channel in
                    channel.getOption(.autoRead).and(channel.getOption(.backlog)).map { seen.add(!$0.0 && $0.1 == 17) }
                }
                .bind(host: "127.0.0.1", port: 0).value("bind")
            try expectEqual(seen.entries, [true], "the options in the initializer")
        },
        NIOBatteryCase("accept/children-outlive-the-server", "Channel.close: closing the listener leaves its children")
        {
            let pair = try await $0.accepted()
            try await pair.server.close().value("the server's close")
            try await pair.farSend("alive")
            try await pair.heard.wait(bytes: 5)
            try await pair.near.writeAndFlush(ByteBuffer(string: "too")).value("the write")
            try await pair.farHeard.wait(bytes: 3)
        },
        NIOBatteryCase(
            "accept/initializer-may-take-its-time", "ServerBootstrap.childChannelInitializer: active once it is done"
        ) {
            stage in
            let (heard, gate) = (StreamRecorder(), try stage.group().next().makePromise(of: Void.self))
            let server = try await stage.serverBootstrap(try stage.group())
                .childChannelInitializer { channel in
                    // From another loop, which bootstraps tolerate.
                    channel.pipeline.addHandler(heard).flatMap { gate.futureResult }
                }
                .bind(host: "127.0.0.1", port: 0).value("bind")
            let client = try await stage.farConnect(to: server)
            client.channel.writeAndFlush(ByteBuffer(string: "early"), promise: nil)
            try await heard.wait(for: .added)
            try await settle(server)
            try expectEqual(heard.events, [.added], "events before the initializer was done")
            gate.succeed(())
            try await heard.wait(bytes: 5)
            try expectEqual(Array(heard.events.prefix(4)), [.added, .registered, .active, .read(5)], "the events")
        },
        NIOBatteryCase("accept/peer-gone-already", "ServerBootstrap: a connection that ended before it was accepted") {
            stage in
            let heard = ServerRecorder()
            let server = try await stage.serverBootstrap(try stage.group())
                .serverChannelOption(.autoRead, value: false)
                .serverChannelInitializer { $0.pipeline.addHandler(heard) }
                .bind(host: "127.0.0.1", port: 0).value("bind")
            let client = try await stage.farConnect(to: server)
            try await client.channel.close().value("the far end's close")
            try await server.setOption(.autoRead, value: true).value("setOption")
            try await heard.wait(for: .accepted)
            try await heard.inbound[0].closeFuture.value("the child's end")
            _ = try await stage.farConnect(to: server)
            try await heard.wait("the next child") { $0.filter { $0 == .accepted }.count == 2 }
        },
        NIOBatteryCase(
            "accept/a-handler-may-refuse", "ChannelInboundHandler.channelRead: a child not passed on is not served"
        ) {
            stage in
            let served = Journal<String>()
            let server = try await stage.serverBootstrap(try stage.group())
                .serverChannelInitializer { $0.pipeline.addHandler(Refuser()) }
                .childChannelInitializer { channel in
                    served.add("served")
                    return channel.eventLoop.makeSucceededVoidFuture()
                }
                .bind(host: "127.0.0.1", port: 0).value("bind")
            let client = try await stage.farConnect(to: server)
            try await client.heard.wait("the end") { $0.contains(.inputClosed) || $0.contains(.inactive) }
            try expectEqual(served.entries, [], "children served")
        },
    ]
}

/// Closes every accepted channel instead of passing it on.
private final class Refuser: ChannelInboundHandler, Sendable {
    typealias InboundIn = any Channel

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        unwrapInboundIn(data).close(promise: nil)
    }
}
