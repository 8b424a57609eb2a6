import NIOCore
import NIOPosix

extension AsyncCases {
    static let servers: [NIOBatteryCase] = [
        NIOBatteryCase(
            "async/listen-and-echo", "ServerBootstrap.bind(host:port:…childChannelInitializer:): children as a sequence"
        ) {
            stage in
            let server = try await stage.serverBootstrap(try stage.group(2))
                .bind(host: "127.0.0.1", port: 0, serverBackPressureStrategy: nil, childChannelInitializer: wrap())
            let serving = echo(server)
            for _ in 0..<5 {
                let client = try await stage.farConnect(to: server.channel)
                try await client.channel.writeAndFlush(ByteBuffer(string: "hello")).value("the far end's write")
                try expectBytes(try await client.heard.wait(bytes: 5), ByteBuffer(string: "hello"), "the echo")
                try await client.channel.close().value("the far end's close")
            }
            serving.cancel()
            _ = await serving.result
            try await server.channel.closeFuture.value("the server's end")
        },
        NIOBatteryCase("async/the-children-end", "NIOAsyncChannel: a server's sequence ends when its channel is closed")
        {
            let server = try await $0.serverBootstrap(try $0.group())
                .bind(
                    to: try SocketAddress(ipAddress: "127.0.0.1", port: 0), serverBackPressureStrategy: nil,
                    childChannelInitializer: wrap())
            let channel = server.channel
            let count = try await server.executeThenClose { children in
                channel.close(promise: nil)
                var count = 0
                for try await _ in children { count += 1 }
                return count
            }
            try expectEqual(count, 0, "children")
        },
        NIOBatteryCase(
            "async/children-wait", "ServerBootstrap.bind(…serverBackPressureStrategy:): accepts as children are taken"
        ) {
            stage in
            let made = Journal<String>()
            let server = try await stage.serverBootstrap(try stage.group())
                .serverChannelOption(.maxMessagesPerRead, value: 1)
                .bind(host: "127.0.0.1", port: 0, serverBackPressureStrategy: .init(lowWatermark: 1, highWatermark: 1))
            {
                channel in
                made.add("child")
                return wrap()(channel)
            }
            var clients: [any Channel] = []
            for _ in 0..<8 { clients.append(try await stage.farConnect(to: server.channel).channel) }
            try await made.wait("a child", count: 1)
            try await settle(server.channel)
            try expect(made.entries.count < 8, "all children were made though nobody took them")
            let taken = try await server.executeThenClose { children in
                var taken = 0
                for try await child in children {
                    taken += 1
                    try await child.executeThenClose { _, _ in }
                    if taken == 8 { break }
                }
                return taken
            }
            try expectEqual(taken, 8, "children taken")
        },
        NIOBatteryCase(
            "async/nothing-is-lost", "NIOAsyncChannel.init(wrappingChannelSynchronously:): no reads are dropped"
        ) { stage in
            let server = try await stage.serverBootstrap(try stage.group(2))
                .bind(host: "127.0.0.1", port: 0, serverBackPressureStrategy: nil, childChannelInitializer: wrap())
            let sent = pattern(1 << 20)
            let client = try await stage.farConnect(to: server.channel)
            client.channel.writeAndFlush(sent, promise: nil)
            client.channel.close(mode: .output, promise: nil)
            let all = try await server.executeThenClose { children in
                for try await child in children {
                    return try await child.executeThenClose { inbound, _ in try await read(inbound, .max) }
                }
                throw NIOBatteryFailure("no child came")
            }
            try expectBytes(all, sent, "the data")
        },
        NIOBatteryCase("async/own-outputs", "ServerBootstrap.bind: the sequence is of what the initializer gives") {
            stage in
            let server = try await stage.serverBootstrap(try stage.group())
                .bind(host: "127.0.0.1", port: 0, serverBackPressureStrategy: nil) { channel in
                    channel.eventLoop.makeSucceededFuture(channel.remoteAddress?.port ?? 0)
                }
            let client = try await stage.farConnect(to: server.channel)
            let port = try await server.executeThenClose { ports in
                for try await port in ports { return port }
                return 0
            }
            try expectEqual(port, client.channel.localAddress?.port, "the client's port")
        },
        NIOBatteryCase("async/in-use", "ServerBootstrap.bind: throws what binding failed with") { stage in
            let group = try stage.group()
            let first = try await stage.serverBootstrap(group).bind(host: "127.0.0.1", port: 0).value("bind")
            do {
                _ = try await stage.serverBootstrap(group)
                    .bind(
                        to: try stage.address(first), serverBackPressureStrategy: nil, childChannelInitializer: wrap())
                throw NIOBatteryFailure("the second bind did not throw")
            } catch let error as IOError {
                try expectErrno(error, 98, what: "the error")
            }
        },
        NIOBatteryCase(
            "async/unix", "ServerBootstrap.bind(unixDomainSocketPath:…), ClientBootstrap.connect(…): async too"
        ) { stage in
            let path = stage.path()
            let server = try await stage.serverBootstrap(try stage.group())
                .bind(
                    unixDomainSocketPath: path, cleanupExistingSocketFile: true, serverBackPressureStrategy: nil,
                    childChannelInitializer: wrap())
            let serving = echo(server)
            let near = try await stage.host.clientBootstrap(group: try stage.group())
                .connect(unixDomainSocketPath: path, channelInitializer: wrap())
            try await near.executeThenClose { inbound, outbound in
                try await outbound.write(ByteBuffer(string: "hello"))
                try expectBytes(try await read(inbound, 5), ByteBuffer(string: "hello"), "the echo")
            }
            serving.cancel()
            _ = await serving.result
        },
        NIOBatteryCase(
            "async/datagrams", "DatagramBootstrap.bind, connect(to:channelInitializer:): envelopes as a sequence"
        ) {
            stage in
            typealias Envelope = AddressedEnvelope<ByteBuffer>
            let bound = try await stage.host.datagramBootstrap(group: try stage.group())
                .bind(to: try SocketAddress(ipAddress: "127.0.0.1", port: 0)) { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try NIOAsyncChannel<Envelope, Envelope>(wrappingChannelSynchronously: channel)
                    }
                }
            let connected = try await stage.host.datagramBootstrap(group: try stage.group())
                .connect(to: try stage.address(bound.channel)) { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try NIOAsyncChannel<Envelope, ByteBuffer>(wrappingChannelSynchronously: channel)
                    }
                }
            try await bound.executeThenClose { inbound, outbound in
                try await connected.executeThenClose { answers, questions in
                    try await questions.write(ByteBuffer(string: "ping"))
                    for try await envelope in inbound {
                        try expectEqual(envelope.remoteAddress, connected.channel.localAddress, "the sender")
                        try await outbound.write(Envelope(remoteAddress: envelope.remoteAddress, data: envelope.data))
                        break
                    }
                    for try await envelope in answers {
                        try expectBytes(envelope.data, ByteBuffer(string: "ping"), "the echo")
                        break
                    }
                }
            }
        },
    ]

    /// Serves children one after another until it is cancelled.
    private static func echo(_ server: NIOAsyncChannel<Bytes, Never>) -> Task<Void, any Error> {
        Task {
            try await server.executeThenClose { children in
                for try await child in children {
                    try await child.executeThenClose { inbound, outbound in
                        for try await piece in inbound { try await outbound.write(piece) }
                    }
                }
            }
        }
    }
}
