import Foundation
import NIOCore
import NIOPosix

/// Stream sockets of the Unix domain.
enum UnixCases {
    static let cases: [NIOBatteryCase] = [
        NIOBatteryCase("unix/listen", "ServerBootstrap.bind(unixDomainSocketPath:): the socket's file is created") {
            stage in
            let (path, heard) = (stage.path(), StreamRecorder())
            let server = try await stage.serverBootstrap(try stage.group())
                .childChannelInitializer { $0.pipeline.addHandler(heard) }
                .bind(unixDomainSocketPath: path).value("bind")
            try expectEqual(server.localAddress?.pathname, path, "the path")
            try expect(FileManager.default.fileExists(atPath: path), "no file was created")
            let client = try await ClientBootstrap(group: reference).connect(unixDomainSocketPath: path)
                .value("the far end's connect")
            stage.keep(client)
            try await client.writeAndFlush(ByteBuffer(string: "hello")).value("the far end's write")
            try await heard.wait(bytes: 5)
        },
        NIOBatteryCase("unix/connect", "ClientBootstrap.connect(unixDomainSocketPath:)") { stage in
            let (path, farHeard) = (stage.path(), StreamRecorder())
            let server = try await ServerBootstrap(group: reference)
                .childChannelInitializer { $0.pipeline.addHandler(farHeard) }
                .bind(unixDomainSocketPath: path).value("the far end's bind")
            stage.keep(server)
            let channel = try await stage.host.clientBootstrap(group: try stage.group())
                .connect(unixDomainSocketPath: path).value("connect")
            try expectEqual(channel.remoteAddress?.pathname, path, "the remote path")
            try await channel.writeAndFlush(ByteBuffer(string: "hello")).value("the write")
            try await farHeard.wait(bytes: 5)
            try await channel.close().value("close")
        },
        NIOBatteryCase("unix/nobody-there", "ClientBootstrap.connect(unixDomainSocketPath:): ENOENT without a file") {
            stage in
            let error = try await stage.host.clientBootstrap(group: try stage.group())
                .connect(unixDomainSocketPath: stage.path()).error("connect")
            try expectErrno(error, 2, what: "the error")
        },
        NIOBatteryCase("unix/path-in-use", "ServerBootstrap.bind(unixDomainSocketPath:): the path must not exist") {
            stage in
            let (path, group) = (stage.path(), try stage.group())
            _ = try await stage.serverBootstrap(group).bind(unixDomainSocketPath: path).value("bind")
            let error = try await stage.serverBootstrap(group).bind(unixDomainSocketPath: path).error("the second bind")
            try expectErrno(error, 98, what: "the error")
        },
        NIOBatteryCase(
            "unix/clean-up",
            "ServerBootstrap.bind(…, cleanupExistingSocketFile:): removes a socket's file, nothing else"
        ) { stage in
            let (path, group) = (stage.path(), try stage.group())
            // What datagrams were bound to stays behind.
            let stale = try await DatagramBootstrap(group: reference).bind(unixDomainSocketPath: path).value(
                "the stale")
            try await stale.close().value("close")
            let second = try await stage.serverBootstrap(group)
                .bind(unixDomainSocketPath: path, cleanupExistingSocketFile: true).value("bind after a cleanup")
            try expect(second.isActive, "the server was not active")
            let file = stage.path()
            try Data("no socket".utf8).write(to: URL(fileURLWithPath: file))
            _ = try await stage.serverBootstrap(group)
                .bind(unixDomainSocketPath: file, cleanupExistingSocketFile: true).error("bind over a file")
            try expect(FileManager.default.fileExists(atPath: file), "a file that is no socket was removed")
        },
        NIOBatteryCase("unix/file-goes-with-the-server", "Channel.close: a listening channel's socket file is removed")
        {
            stage in
            let (path, group) = (stage.path(), try stage.group())
            for _ in 0..<2 {
                let server = try await stage.serverBootstrap(group).bind(unixDomainSocketPath: path).value("bind")
                try await server.close().value("close")
                try expect(!FileManager.default.fileExists(atPath: path), "the socket's file stayed")
            }
            let closed = try stage.group()
            _ = try await stage.serverBootstrap(closed).bind(unixDomainSocketPath: path).value("bind")
            try await stage.shutDown(closed)
            try expect(!FileManager.default.fileExists(atPath: path), "the socket's file outlived the shutdown")
        },
        NIOBatteryCase(
            "unix/file-of-another-stays", "Channel.close: fails if the path is no socket's any more; it stays"
        ) { stage in
            let path = stage.path()
            let server = try await stage.serverBootstrap(try stage.group()).bind(unixDomainSocketPath: path).value(
                "bind")
            try FileManager.default.removeItem(atPath: path)
            try Data("no socket".utf8).write(to: URL(fileURLWithPath: path))
            _ = try await server.close().error("close")
            try await server.closeFuture.value("closeFuture")
            try expect(FileManager.default.fileExists(atPath: path), "a file that is no socket was removed")
        },
        NIOBatteryCase("unix/file-of-datagrams-stays", "Channel.close: a datagram channel's socket file stays") {
            stage in
            let path = stage.path()
            let channel = try await stage.host.datagramBootstrap(group: try stage.group())
                .bind(unixDomainSocketPath: path).value("bind")
            try await channel.close().value("close")
            try expect(FileManager.default.fileExists(atPath: path), "the socket's file was removed")
        },
        NIOBatteryCase("unix/path-too-long", "SocketAddressError.unixDomainSocketPathTooLong: from bind and connect") {
            stage in
            let path = "/tmp/" + String(repeating: "x", count: 200)
            let group = try stage.group()
            let errors = [
                try await stage.serverBootstrap(group).bind(unixDomainSocketPath: path).error("bind"),
                try await stage.host.clientBootstrap(group: group).connect(unixDomainSocketPath: path).error("connect"),
            ]
            for error in errors {
                guard case .unixDomainSocketPathTooLong = error as? SocketAddressError else {
                    throw NIOBatteryFailure("the error was \(error)")
                }
            }
        },
        NIOBatteryCase(
            "unix/socket-options", "ServerBootstrap.serverChannelOption: socket options of a Unix socket too"
        ) { stage in
            let path = stage.path()
            let server = try await stage.serverBootstrap(try stage.group())
                .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
                .serverChannelOption(.backlog, value: 5)
                .childChannelOption(.socketOption(.so_sndbuf), value: 20_000)
                .bind(unixDomainSocketPath: path).value("bind")
            let client = try await stage.host.clientBootstrap(group: try stage.group())
                .channelOption(.socketOption(.so_rcvbuf), value: 20_000)
                .connect(unixDomainSocketPath: path).value("connect")
            try expect(server.isActive && client.isActive, "a channel was not active")
        },
        NIOBatteryCase("unix/four-mebibytes", "Channel: a Unix socket's channel is a stream as any other") { stage in
            let (path, farHeard) = (stage.path(), StreamRecorder())
            let server = try await ServerBootstrap(group: reference)
                .childChannelInitializer { $0.pipeline.addHandler(farHeard) }
                .bind(unixDomainSocketPath: path).value("the far end's bind")
            stage.keep(server)
            let channel = try await stage.host.clientBootstrap(group: try stage.group())
                .connect(unixDomainSocketPath: path).value("connect")
            let sent = pattern(4 << 20)
            try await channel.writeAndFlush(sent).value("the write")
            try expectBytes(try await farHeard.wait(bytes: sent.readableBytes), sent, "the data")
        },
    ]
}
