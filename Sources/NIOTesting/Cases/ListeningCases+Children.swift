import NIOCore

extension ListeningCases {
    /// What becomes of accepted channels, and of those that are not.
    static let children: [NIOBatteryCase] = [
        NIOBatteryCase(
            "accept/quiescing", "ChannelShouldQuiesceEvent: a listening channel closes at it, its children stay"
        ) {
            let pair = try await $0.accepted()
            pair.server.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
            try await pair.server.closeFuture.value("the server's end")
            try await pair.farSend("alive")
            try await pair.heard.wait(bytes: 5)
        },
        NIOBatteryCase(
            "accept/failed-child-is-the-servers-error",
            "ServerBootstrap: a failed initializer's error, behind the server"
        ) { stage in
            let heard = ServerRecorder()
            let server = try await stage.serverBootstrap(try stage.group())
                .childChannelInitializer { $0.eventLoop.makeFailedFuture(TestError.expected) }
                .bind(host: "127.0.0.1", port: 0).value("bind")
            try await server.pipeline.addHandler(heard).value("addHandler")
            _ = try await stage.farConnect(to: server)
            try await heard.wait(for: .error("expected"))
            try expectEqual(heard.inbound.count, 0, "children passed on")
            try expect(server.isActive, "the server closed")
        },
        NIOBatteryCase(
            "accept/failed-child-option", "ServerBootstrap.childChannelOption: an option's failure closes the child"
        ) { stage in
            let initialized = Journal<String>()
            let server = try await stage.serverBootstrap(try stage.group())
                .childChannelOption(.ipOption(.ip_multicast_ttl), value: 100_000)
                .childChannelInitializer { channel in
                    initialized.add("initialized")
                    return channel.eventLoop.makeSucceededVoidFuture()
                }
                .bind(host: "127.0.0.1", port: 0).value("bind")
            let client = try await stage.farConnect(to: server)
            try await client.heard.wait("the end") { $0.contains(.inputClosed) || $0.contains(.inactive) }
            try expectEqual(initialized.entries, [], "initializers run")
            try expect(server.isActive, "the server closed")
        },
        NIOBatteryCase(
            "accept/closed-in-the-initializer",
            "ServerBootstrap.childChannelInitializer: may close the child; no events"
        ) { stage in
            let heard = StreamRecorder()
            let errors = ServerRecorder()
            let server = try await stage.serverBootstrap(try stage.group())
                .childChannelInitializer { channel in
                    channel.pipeline.addHandler(heard).flatMap { channel.close() }
                }
                .bind(host: "127.0.0.1", port: 0).value("bind")
            try await server.pipeline.addHandler(errors).value("addHandler")
            _ = try await stage.farConnect(to: server)
            try expectEqual(try await heard.wait(for: .removed), [.added, .removed], "the child's events")
            try await errors.wait(for: .readComplete)
            try await settle(server)
            try expectEqual(errors.errors.count, 0, "errors of the server's")
            try expect(server.isActive, "the server closed")
        },
        NIOBatteryCase(
            "accept/passed-on-when-ready", "ServerBootstrap: a child reaches handlers behind it once it is initialized"
        ) { stage in
            let (heard, gate) = (ServerRecorder(), try stage.loop().makePromise(of: Void.self))
            let server = try await stage.serverBootstrap(try stage.group())
                .childChannelInitializer { _ in gate.futureResult }
                .bind(host: "127.0.0.1", port: 0).value("bind")
            try await server.pipeline.addHandler(heard).value("addHandler")
            _ = try await stage.farConnect(to: server)
            try await heard.wait(for: .readComplete)
            try expectEqual(heard.events, [.added, .readComplete], "events before the initializer was done")
            gate.succeed(())
            try await heard.wait(for: .accepted)
        },
        NIOBatteryCase(
            "accept/dropped-with-the-server",
            "ServerBootstrap: a child that is not ready when its listener closes is closed"
        ) { stage in
            let (children, gate) = (Journal<any Channel>(), try stage.loop().makePromise(of: Void.self))
            let server = try await stage.serverBootstrap(try stage.group())
                .childChannelInitializer { channel in
                    children.add(channel)
                    return gate.futureResult
                }
                .bind(host: "127.0.0.1", port: 0).value("bind")
            _ = try await stage.farConnect(to: server)
            let child = try await children.wait("the child", count: 1)[0]
            try await server.close().value("the server's close")
            gate.succeed(())
            try await child.closeFuture.value("the child's end")
        },
        NIOBatteryCase(
            "accept/close-in-a-read", "Channel.close: from channelRead of a listener; none is accepted after"
        ) {
            stage in
            let heard = ServerRecorder { event, context in if event == .accepted { context.close(promise: nil) } }
            let server = try await stage.serverBootstrap(try stage.group())
                .serverChannelOption(.autoRead, value: false)
                .serverChannelInitializer { $0.pipeline.addHandler(heard) }
                .bind(host: "127.0.0.1", port: 0).value("bind")
            let clients = [try await stage.farConnect(to: server), try await stage.farConnect(to: server)]
            server.read()
            try expectEqual(
                try await heard.wait(for: .removed),
                [.added, .registered, .active, .accepted, .inactive, .unregistered, .removed], "the events")
            for client in clients {
                try await client.heard.wait("the end") { $0.contains(.inputClosed) || $0.contains(.inactive) }
            }
        },
        NIOBatteryCase("accept/backlog", "ChannelOptions.backlog: how many connections may wait; 128 unless set") {
            stage in
            #if os(Linux)
                let group = try stage.group()
                let bootstrap = stage.serverBootstrap(group)
                let usual = try await bootstrap.bind(host: "127.0.0.1", port: 0).value("bind")
                try expectEqual(try await backlog(usual), 128, "the backlog unless set")
                let own = try await bootstrap.serverChannelOption(.backlog, value: 17)
                    .bind(host: "127.0.0.1", port: 0).value("bind")
                try expectEqual(try await backlog(own), 17, "the backlog")
            #endif
        },
    ]

    #if os(Linux)
        /// The beginning of what Linux tells of a TCP socket (`TCP_INFO`).
        private struct ConnectionInfo: Sendable {
            var states: UInt64 = 0
            var times: (UInt32, UInt32) = (0, 0)
            var sizes: (UInt32, UInt32) = (0, 0)
            var waiting: UInt32 = 0
            /// Of a listening socket: how many connections may wait.
            var backlog: UInt32 = 0
        }

        private static func backlog(_ server: any Channel) async throws -> UInt32 {
            guard let socket = server as? any SocketOptionProvider else {
                throw NIOBatteryFailure("the server is no SocketOptionProvider")
            }
            // TCP_INFO of tcp(7), for which NIO has no public name.
            let name = NIOBSDSocket.Option(rawValue: 11)
            let info: EventLoopFuture<ConnectionInfo> = socket.unsafeGetSocketOption(level: .tcp, name: name)
            return try await info.map { $0.backlog }.value("the backlog")
        }
    #endif
}
