import NIOBridge
import NIOConcurrencyHelpers
import NIOCore
import Testing

@Suite struct HostDatagramTests {
    /// Answers datagrams, and keeps the metadata of the last.
    private final class DatagramEcho: ChannelInboundHandler, Sendable {
        typealias InboundIn = AddressedEnvelope<ByteBuffer>
        typealias OutboundOut = AddressedEnvelope<ByteBuffer>

        let last = NIOLockedValueBox<AddressedEnvelope<ByteBuffer>.Metadata?>(nil)

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let envelope = unwrapInboundIn(data)
            last.withLockedValue { $0 = envelope.metadata }
            context.writeAndFlush(
                wrapOutboundOut(AddressedEnvelope(remoteAddress: envelope.remoteAddress, data: envelope.data)),
                promise: nil)
        }
    }

    private final class DatagramCollector: ChannelInboundHandler, Sendable {
        typealias InboundIn = AddressedEnvelope<ByteBuffer>

        let first: EventLoopPromise<String>

        init(_ first: EventLoopPromise<String>) {
            self.first = first
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            first.succeed(String(buffer: unwrapInboundIn(data).data))
        }
    }

    @Test(arguments: ["127.0.0.1", "::1"]) func echoesWithMetadata(host: String) async throws {
        try await withGroup { group in
            let echo = DatagramEcho()
            let server = try await NativeDatagramBootstrap(group: group)
                .channelInitializer { $0.pipeline.addHandler(echo) }
                .bind(host: host, port: 0).get()
            try await server.setOption(.explicitCongestionNotification, value: true).get()
            try await server.setOption(.receivePacketInfo, value: true).get()
            #expect(try await server.getOption(.explicitCongestionNotification).get())
            let answer = group.next().makePromise(of: String.self)
            let client = try await NativeDatagramBootstrap(group: group)
                .channelInitializer { $0.pipeline.addHandler(DatagramCollector(answer)) }
                .bind(host: host, port: 0).get()
            let target = try #require(server.localAddress)
            try await client.writeAndFlush(
                AddressedEnvelope(
                    remoteAddress: target, data: ByteBuffer(string: "ping"),
                    metadata: .init(ecnState: .transportCapableFlag0))
            ).get()
            #expect(try await answer.futureResult.get() == "ping")
            let metadata = try #require(echo.last.withLockedValue { $0 })
            #expect(metadata.ecnState == .transportCapableFlag0)
            #expect(metadata.packetInfo?.destinationAddress.ipAddress == host)
        }
    }

    @Test func connectedOnesNeedNoAddress() async throws {
        try await withGroup { group in
            let server = try await NativeDatagramBootstrap(group: group)
                .channelInitializer { $0.pipeline.addHandler(DatagramEcho()) }
                .bind(host: "127.0.0.1", port: 0).get()
            let target = try #require(server.localAddress)
            let answer = group.next().makePromise(of: String.self)
            let client = try await NativeDatagramBootstrap(group: group)
                .channelInitializer { $0.pipeline.addHandler(DatagramCollector(answer)) }
                .connect(to: target).get()
            #expect(client.remoteAddress == target)
            try await client.writeAndFlush(ByteBuffer(string: "bare")).get()
            #expect(try await answer.futureResult.get() == "bare")
            let other = try SocketAddress(ipAddress: "127.0.0.1", port: 9)
            await #expect(throws: DatagramChannelError.WriteOnConnectedSocketWithInvalidAddress.self) {
                try await client.writeAndFlush(AddressedEnvelope(remoteAddress: other, data: ByteBuffer())).get()
            }
        }
    }

    /// The largest datagram goes; one byte more is refused, and the channel stays.
    @Test func holdsToTheLargestDatagram() async throws {
        try await withGroup { group in
            let channel = try await NativeDatagramBootstrap(group: group).bind(host: "127.0.0.1", port: 0).get()
            let target = try #require(channel.localAddress)
            let largest = 65507
            try await channel.writeAndFlush(
                AddressedEnvelope(remoteAddress: target, data: ByteBuffer(repeating: 0, count: largest))
            ).get()
            await #expect(throws: ChannelError.writeMessageTooLarge) {
                try await channel.writeAndFlush(
                    AddressedEnvelope(remoteAddress: target, data: ByteBuffer(repeating: 0, count: largest + 1))
                ).get()
            }
            await #expect(throws: DatagramChannelError.WriteOnUnconnectedSocketWithoutAddress.self) {
                try await channel.writeAndFlush(ByteBuffer(string: "nowhere")).get()
            }
            #expect(channel.isActive)
        }
    }

    @Test func aSecondBindFails() async throws {
        try await withGroup { group in
            let channel = try await NativeDatagramBootstrap(group: group).bind(host: "127.0.0.1", port: 0).get()
            await #expect(throws: IOError.self) {
                try await channel.bind(to: SocketAddress(ipAddress: "127.0.0.1", port: 0)).get()
            }
            #expect(channel.isActive)
        }
    }

    @Test func multicastNeedsAGroup() async throws {
        try await withGroup { group in
            let channel = try await NativeDatagramBootstrap(group: group).bind(host: "127.0.0.1", port: 0).get()
            let multicast = try #require(channel as? any MulticastChannel)
            await #expect(throws: ChannelError.self) {
                try await multicast.joinGroup(SocketAddress(ipAddress: "127.0.0.1", port: 0)).get()
            }
            await #expect(throws: ChannelError.badMulticastGroupAddressFamily) {
                try await multicast.joinGroup(SocketAddress(ipAddress: "ff12::beeb", port: 0)).get()
            }
        }
    }
}
