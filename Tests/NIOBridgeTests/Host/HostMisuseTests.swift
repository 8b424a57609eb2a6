import NIOBridge
import NIOConcurrencyHelpers
import NIOCore
import NIOPosix
import Testing

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// Mistakes of the program: the errors that NIO documents for them, and no trap.
@Suite struct HostMisuseTests {
    private func server(_ group: NativeEventLoopGroup) async throws -> any Channel {
        try await NativeServerBootstrap(group: group)
            .childChannelInitializer { $0.pipeline.addHandler(EchoHandler()) }
            .bindLocally()
    }

    @Test func aClosedChannelTakesNothing() async throws {
        try await withGroup { group in
            let server = try await server(group)
            let client = try await NativeClientBootstrap(group: group).connect(toServer: server)
            try await client.close().get()
            await #expect(throws: ChannelError.ioOnClosedChannel) {
                try await client.writeAndFlush(ByteBuffer(string: "late")).get()
            }
            await #expect(throws: ChannelError.alreadyClosed) { try await client.close().get() }
            await #expect(throws: ChannelError.ioOnClosedChannel) {
                try await client.setOption(.autoRead, value: false).get()
            }
            await #expect(throws: ChannelError.ioOnClosedChannel) { _ = try await client.getOption(.autoRead).get() }
            await #expect(throws: ChannelError.ioOnClosedChannel) { try await client.register().get() }
            #expect(!client.isActive)
            #expect(client.localAddress == nil)
            #expect(client.remoteAddress == nil)
        }
    }

    @Test func aSecondBindFails() async throws {
        try await withGroup { group in
            let server = try await server(group)
            let address = try #require(server.localAddress)
            // The address is taken, and the same channel has one.
            let taken = await #expect(throws: IOError.self) {
                try await NativeServerBootstrap(group: group).bind(to: address).get()
            }
            #expect(taken?.errnoCode == EADDRINUSE)
            let again = await #expect(throws: IOError.self) {
                try await server.bind(to: SocketAddress(ipAddress: "127.0.0.1", port: 0)).get()
            }
            #expect(again?.errnoCode == EINVAL)
            #expect(server.isActive)
        }
    }

    @Test func aSecondRegistrationFails() async throws {
        try await withGroup { group in
            let server = try await server(group)
            await #expect(throws: ChannelError.inappropriateOperationForState) { try await server.register().get() }
            #expect(server.isActive)
        }
    }

    @Test func serversNeitherConnectNorWrite() async throws {
        try await withGroup { group in
            let server = try await server(group)
            await #expect(throws: ChannelError.operationUnsupported) {
                try await server.writeAndFlush(ByteBuffer(string: "?")).get()
            }
            await #expect(throws: ChannelError.operationUnsupported) { try await server.close(mode: .output).get() }
            await #expect(throws: ChannelError.operationUnsupported) {
                try await server.triggerUserOutboundEvent("?").get()
            }
            #expect(!server.isWritable)
            await #expect(throws: ChannelError.operationUnsupported) {
                try await server.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).get()
            }
        }
    }

    @Test func optionsOfOtherChannelsAreRefused() async throws {
        try await withGroup { group in
            let server = try await server(group)
            await #expect(throws: ChannelError.operationUnsupported) {
                try await server.setOption(.allowRemoteHalfClosure, value: true).get()
            }
            let client = try await NativeClientBootstrap(group: group).connect(toServer: server)
            await #expect(throws: ChannelError.operationUnsupported) { _ = try await client.getOption(.backlog).get() }
            await #expect(throws: ChannelError.operationUnsupported) {
                try await client.setOption(.maxMessagesPerRead, value: 0).get()
            }
        }
    }

    /// What is for the loop's thread fails on others.
    @Test func otherThreadsAreRefused() async throws {
        try await withGroup { group in
            let server = try await server(group)
            let client = try await NativeClientBootstrap(group: group).connect(toServer: server)
            let options = try #require(client.syncOptions)
            #expect(throws: EventLoopError.unsupportedOperation) { try options.getOption(.autoRead) }
            #expect(throws: EventLoopError.unsupportedOperation) { try options.setOption(.autoRead, value: false) }
            #expect(throws: EventLoopError.unsupportedOperation) { try client._channelCore.localAddress0() }
            let core = client._channelCore
            let address = try #require(client.localAddress)
            for call in [
                { core.register0(promise: $0) }, { core.bind0(to: address, promise: $0) },
                { core.connect0(to: address, promise: $0) },
                { core.write0(NIOAny(ByteBuffer()), promise: $0) },
                { core.close0(error: ChannelError.eof, mode: .all, promise: $0) },
                { core.close0(error: ChannelError.eof, mode: .output, promise: $0) },
            ] as [(EventLoopPromise<Void>) -> Void] {
                let promise = client.eventLoop.makePromise(of: Void.self)
                call(promise)
                await #expect(throws: EventLoopError.unsupportedOperation) { try await promise.futureResult.get() }
            }
            core.flush0()
            core.read0()
            try await client.eventLoop.submit { #expect(client.isActive) }.get()
        }
    }

    @Test func otherGroupsAreRefused() async throws {
        let loop = MultiThreadedEventLoopGroup.singleton
        #expect(NativeServerBootstrap(validatingGroup: loop) == nil)
        #expect(NativeClientBootstrap(validatingGroup: loop) == nil)
        #expect(NativeDatagramBootstrap(validatingGroup: loop) == nil)
        await #expect(throws: EventLoopError.unsupportedOperation) {
            try await NativeServerBootstrap(group: loop).bindLocally()
        }
        await #expect(throws: EventLoopError.unsupportedOperation) {
            try await NativeClientBootstrap(group: loop).connect(host: "localhost", port: 1).get()
        }
        await #expect(throws: EventLoopError.unsupportedOperation) {
            try await NativeDatagramBootstrap(group: loop).bind(host: "127.0.0.1", port: 0).get()
        }
    }

    @Test func aRefusedConnectionTellsItsErrno() async throws {
        try await withGroup { group in
            let server = try await server(group)
            let address = try #require(server.localAddress)
            try await server.close().get()
            let error = await #expect(throws: IOError.self) {
                try await NativeClientBootstrap(group: group).connect(to: address).get()
            }
            #expect(error?.errnoCode == ECONNREFUSED)
            let port = try #require(address.port)
            let failure = await #expect(throws: NativeConnectionError.self) {
                try await NativeClientBootstrap(group: group).connect(host: "127.0.0.1", port: port).get()
            }
            #expect(failure?.connectionErrors.count == 1)
            let unknown = await #expect(throws: NativeConnectionError.self) {
                try await NativeClientBootstrap(group: group).connect(host: "no.such.host.invalid", port: port).get()
            }
            #expect(unknown?.dnsAError != nil)
        }
    }
}
