import NIOCore

/// Options of channels.
enum OptionCases {
    static let cases: [NIOBatteryCase] = [
        NIOBatteryCase("option/set-and-get", "Channel.setOption, getOption: what was set is what one gets") { stage in
            let channel = try await stage.accepted().near
            try await check(channel, ChannelOptions.Types.AutoReadOption(), false)
            try await check(channel, ChannelOptions.Types.AutoReadOption(), true)
            try await check(channel, ChannelOptions.Types.MaxMessagesPerReadOption(), 7)
            try await check(channel, ChannelOptions.Types.WriteSpinOption(), 3)
            try await check(channel, ChannelOptions.Types.AllowRemoteHalfClosureOption(), true)
            try await check(channel, ChannelOptions.Types.ConnectTimeoutOption(), TimeAmount?.some(.seconds(3)))
        },
        NIOBatteryCase("option/defaults", "ChannelOptions: autoRead on, half-closure off, writeSpin 16") {
            for channel in [try await $0.accepted().near, try await $0.connected().near] {
                try expectEqual(try await channel.getOption(.autoRead).value("getOption"), true, "autoRead")
                try expectEqual(
                    try await channel.getOption(.allowRemoteHalfClosure).value("getOption"), false,
                    "allowRemoteHalfClosure")
                try expectEqual(try await channel.getOption(.writeSpin).value("getOption"), UInt(16), "writeSpin")
                try expectEqual(
                    try await channel.getOption(.maxMessagesPerRead).value("getOption"), UInt(4), "maxMessagesPerRead")
                try expectEqual(
                    try await channel.getOption(.connectTimeout).value("getOption"), nil, "connectTimeout")
                let allocator = try await channel.getOption(.recvAllocator).value("getOption")
                try expect(allocator is AdaptiveRecvByteBufferAllocator, "the recvAllocator was \(allocator)")
            }
        },
        NIOBatteryCase("option/sync-options", "Channel.syncOptions: the same options without futures, on the loop") {
            stage in
            for pair in [try await stage.accepted(), try await stage.connected()] {
                let values = try await pair.onLoop("the options") { channel -> [Bool] in
                    guard let options = channel.syncOptions else { throw NIOBatteryFailure("syncOptions was nil") }
                    let before = try options.getOption(.autoRead)
                    try options.setOption(.autoRead, value: false)
                    return [before, try options.getOption(.autoRead), try options.getOption(.allowRemoteHalfClosure)]
                }
                try expectEqual(values, [true, false, false], "the options")
            }
            let server = try await stage.serverBootstrap(try stage.group()).bind(host: "127.0.0.1", port: 0).value(
                "bind")
            let backlog = try await server.eventLoop.submit { () -> Int32 in
                guard let options = server.syncOptions else {
                    throw NIOBatteryFailure("a server's syncOptions was nil")
                }
                return try options.getOption(ChannelOptions.Types.BacklogOption())
            }.value("the backlog")
            try expectEqual(backlog, 128, "the backlog unless set")
        },
        NIOBatteryCase("option/after-close", "ChannelError.ioOnClosedChannel: options of a channel that is closed") {
            stage in
            let pair = try await stage.accepted()
            for channel in [pair.near, pair.server] {
                try await channel.close().value("close")
                try expectError(
                    try await channel.setOption(.autoRead, value: true).error("setOption"),
                    ChannelError.ioOnClosedChannel,
                    "the error")
                try expectError(
                    try await channel.getOption(.autoRead).error("getOption"), ChannelError.ioOnClosedChannel,
                    "the error")
                let error = try await channel.eventLoop.submit { try channel.syncOptions?.getOption(.autoRead) }
                    .error("the synchronous option")
                try expectError(error, ChannelError.ioOnClosedChannel, "the error")
            }
        },
        NIOBatteryCase("option/no-delay-is-on", "ClientBootstrap, ServerBootstrap: TCP_NODELAY is set on TCP channels")
        {
            for channel in [try await $0.accepted().near, try await $0.connected().near] {
                let value = try await channel.getOption(.tcpOption(.tcp_nodelay)).value("getOption")
                try expect(value != 0, "TCP_NODELAY was off")
                try await channel.setOption(.tcpOption(.tcp_nodelay), value: 0).value("setOption")
                try expectEqual(try await channel.getOption(.tcpOption(.tcp_nodelay)).value("getOption"), 0, "set to 0")
            }
        },
        NIOBatteryCase(
            "option/socket-options", "ChannelOptions.Types.SocketOption: any option of the socket, by level and name"
        ) {
            let channel = try await $0.connected().near
            try await channel.setOption(.socketOption(.so_keepalive), value: 1).value("setOption")
            try expect(
                try await channel.getOption(.socketOption(.so_keepalive)).value("getOption") != 0, "SO_KEEPALIVE")
            try await channel.setOption(.socketOption(.so_rcvbuf), value: 20_000).value("setOption")
            try expect(try await channel.getOption(.socketOption(.so_rcvbuf)).value("getOption") >= 20_000, "SO_RCVBUF")
            try expectEqual(try await channel.getOption(.socketOption(.so_error)).value("getOption"), 0, "SO_ERROR")
        },
        NIOBatteryCase(
            "option/two-of-one-type", "ChannelOptions.Storage: two socket options do not replace one another"
        ) {
            stage in
            let server = try await stage.serverBootstrap(try stage.group())
                .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
                .serverChannelOption(.socketOption(.so_keepalive), value: 1)
                .bind(host: "127.0.0.1", port: 0).value("bind")
            for option in [NIOBSDSocket.Option.so_reuseaddr, .so_keepalive] {
                try expect(
                    try await server.getOption(.socketOption(option)).value("getOption") != 0, "\(option) was off")
            }
        },
        NIOBatteryCase("option/last-of-one-wins", "ChannelOptions.Storage: an option set twice has the last value") {
            stage in
            let farHeard = StreamRecorder()
            let server = try await stage.farServer(farHeard)
            let channel = try await stage.host.clientBootstrap(group: try stage.group())
                .channelOption(.maxMessagesPerRead, value: 2)
                .channelOption(.maxMessagesPerRead, value: 9)
                .connect(to: try stage.address(server)).value("connect")
            try expectEqual(try await channel.getOption(.maxMessagesPerRead).value("getOption"), UInt(9), "the value")
        },
        NIOBatteryCase("option/bad-value", "IOError: a socket option's value that the system refuses") {
            let channel = try await $0.connected().near
            let error = try await channel.setOption(.ipOption(.ip_multicast_ttl), value: 100_000).error("setOption")
            try expectErrno(error, 22, what: "the error")
            try expect(channel.isActive, "the channel closed")
        },
        NIOBatteryCase("option/receive-allocator", "ChannelOptions.recvAllocator: may be changed while open") {
            let pair = try await $0.accepted()
            try await pair.near.setOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: 16))
                .value("setOption")
            try await pair.farSend("before")
            try await pair.heard.wait(bytes: 6)
            try await pair.far.writeAndFlush(pattern(100)).value("the far end's write")
            try await pair.heard.wait(bytes: 106)
            let largest = pair.heard.events.compactMap { if case .read(let count) = $0 { count } else { nil } }.max()
            try expectEqual(largest, 16, "the largest read")
            let allocator = try await pair.near.getOption(.recvAllocator).value("getOption")
            try expect(allocator is FixedSizeRecvByteBufferAllocator, "getOption gave \(allocator)")
        },
    ]

    private static func check<Option: ChannelOption>(
        _ channel: any Channel, _ option: Option, _ value: Option.Value
    ) async throws where Option.Value: Equatable & Sendable {
        try await channel.setOption(option, value: value).value("setOption")
        try expectEqual(try await channel.getOption(option).value("getOption"), value, "\(option)")
    }
}
