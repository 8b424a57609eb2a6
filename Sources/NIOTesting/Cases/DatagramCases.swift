import NIOCore
import NIOPosix

/// Datagram channels.
enum DatagramCases {
    typealias Envelope = AddressedEnvelope<ByteBuffer>

    /// A channel under test with a recorder, and one of NIO's own loops.
    struct Scene: Sendable {
        let near: any Channel
        let heard: DatagramRecorder
        let far: any Channel
        let farHeard: DatagramRecorder

        func envelope(_ data: ByteBuffer, to channel: any Channel) throws -> Envelope {
            guard let address = channel.localAddress else {
                throw NIOBatteryFailure("the channel has no local address")
            }
            return Envelope(remoteAddress: address, data: data)
        }

        func send(_ text: String) -> EventLoopFuture<Void> {
            do {
                return near.writeAndFlush(try envelope(ByteBuffer(string: text), to: far))
            } catch {
                return near.eventLoop.makeFailedFuture(error)
            }
        }

        func farSend(_ data: ByteBuffer) async throws {
            try await far.writeAndFlush(try envelope(data, to: near)).value("the far end's write")
        }
    }

    static func open(
        _ stage: NIOStage, _ options: @Sendable (any DatagramBootstrapping) -> any DatagramBootstrapping = { $0 }
    ) async throws -> Scene {
        let (heard, farHeard) = (DatagramRecorder(), DatagramRecorder())
        let bootstrap = stage.host.datagramBootstrap(group: try stage.group())
            .channelInitializer { $0.pipeline.addHandler(heard) }
        let near = try await options(bootstrap).bind(host: "127.0.0.1", port: 0).value("bind")
        let far = try await DatagramBootstrap(group: reference)
            .channelInitializer { $0.pipeline.addHandler(farHeard) }
            .bind(host: "127.0.0.1", port: 0).value("the far end's bind")
        stage.keep(far)
        return Scene(near: near, heard: heard, far: far, farHeard: farHeard)
    }

    /// A channel under test that is connected to the far one.
    static func openConnected(_ stage: NIOStage) async throws -> Scene {
        let (heard, farHeard) = (DatagramRecorder(), DatagramRecorder())
        let far = try await DatagramBootstrap(group: reference)
            .channelInitializer { $0.pipeline.addHandler(farHeard) }
            .bind(host: "127.0.0.1", port: 0).value("the far end's bind")
        stage.keep(far)
        let near = try await stage.host.datagramBootstrap(group: try stage.group())
            .channelInitializer { $0.pipeline.addHandler(heard) }
            .connect(to: try stage.address(far)).value("connect")
        return Scene(near: near, heard: heard, far: far, farHeard: farHeard)
    }

    static func wait(_ heard: DatagramRecorder, _ count: Int) async throws {
        try await heard.wait("\(count) datagrams") {
            $0.filter { if case .datagram = $0 { true } else { false } }.count >= count
        }
    }

    static let bound: [NIOBatteryCase] = [
        NIOBatteryCase("datagram/bind", "DatagramBootstrap.bind: registered, then active, with a local address only") {
            let scene = try await open($0)
            try expectEqual(Array(scene.heard.events.prefix(3)), [.added, .registered, .active], "the first events")
            try expect((scene.near.localAddress?.port ?? 0) != 0, "the port was 0")
            try expectEqual(scene.near.remoteAddress, nil, "the remote address")
            try expect(scene.near.isWritable, "a new channel was not writable")
        },
        NIOBatteryCase("datagram/there-and-back", "AddressedEnvelope: where a datagram goes, and where it came from") {
            let scene = try await open($0)
            try await scene.send("ping").value("the write")
            try await wait(scene.farHeard, 1)
            try expectEqual(scene.farHeard.inbound[0].remoteAddress, scene.near.localAddress, "the sender")
            try await scene.farSend(ByteBuffer(string: "pong"))
            try await wait(scene.heard, 1)
            try expectEqual(scene.heard.inbound[0].remoteAddress, scene.far.localAddress, "the sender")
            try expectBytes(scene.heard.inbound[0].data, ByteBuffer(string: "pong"), "the data")
            try await scene.heard.wait(for: .readComplete)
        },
        NIOBatteryCase("datagram/empty", "DatagramBootstrap: a datagram may be empty, and ends nothing") {
            let scene = try await open($0)
            try await scene.farSend(ByteBuffer())
            try await wait(scene.heard, 1)
            try await scene.send("").value("the empty write")
            try await wait(scene.farHeard, 1)
            try await scene.farSend(ByteBuffer(string: "next"))
            try await wait(scene.heard, 2)
            try expectEqual(scene.heard.inbound.map(\.data.readableBytes), [0, 4], "the sizes")
            try expect(scene.near.isActive, "the channel closed")
        },
        NIOBatteryCase("datagram/many-at-once", "ChannelOutboundInvoker.flush: every datagram on its own, in order") {
            let scene = try await open($0)
            let envelopes = try (0..<100).map { try scene.envelope(ByteBuffer(string: "\($0)"), to: scene.far) }
            let near = scene.near
            let writes = try await near.eventLoop.submit {
                let writes = envelopes.map { near.write($0) }
                near.flush()
                return writes
            }.value("writing")
            for write in writes { try await write.value("a write") }
            try await wait(scene.farHeard, 100)
            try expectEqual(
                scene.farHeard.inbound.map { String(buffer: $0.data) }, (0..<100).map { "\($0)" }, "the data")
        },
        NIOBatteryCase("datagram/to-several", "AddressedEnvelope: one channel writes to many addresses in one flush") {
            stage in
            let (one, two) = (try await open(stage), try await open(stage))
            one.near.write(try one.envelope(ByteBuffer(string: "a"), to: one.far), promise: nil)
            one.near.write(try two.envelope(ByteBuffer(string: "b"), to: two.far), promise: nil)
            one.near.flush()
            try await wait(one.farHeard, 1)
            try await wait(two.farHeard, 1)
            try expectEqual(String(buffer: two.farHeard.inbound[0].data), "b", "the data")
        },
        NIOBatteryCase("datagram/too-large", "ChannelError.writeMessageTooLarge: nothing is written, the channel stays")
        {
            let scene = try await open($0)
            let near = scene.near
            let envelopes = [
                try scene.envelope(ByteBuffer(string: "before"), to: scene.far),
                try scene.envelope(pattern(100_000), to: scene.far),
                try scene.envelope(ByteBuffer(string: "after"), to: scene.far),
            ]
            let writes = try await near.eventLoop.submit {
                let writes = envelopes.map { near.write($0) }
                near.flush()
                return writes
            }.value("writing")
            try await writes[0].value("the first write")
            try expectError(
                try await writes[1].error("the large write"), ChannelError.writeMessageTooLarge, "the error")
            try await writes[2].value("the third write")
            try await wait(scene.farHeard, 2)
            try expectEqual(scene.farHeard.inbound.map { String(buffer: $0.data) }, ["before", "after"], "the data")
        },
        NIOBatteryCase("datagram/too-large-alone", "ChannelError.writeMessageTooLarge: a single write of that size") {
            let scene = try await open($0)
            let write: EventLoopFuture<Void> = scene.near.writeAndFlush(
                try scene.envelope(pattern(70_000), to: scene.far))
            try expectError(try await write.error("the write"), ChannelError.writeMessageTooLarge, "the error")
            try expect(scene.near.isActive, "the channel closed")
        },
        NIOBatteryCase("datagram/largest", "DatagramBootstrap: 65507 bytes fit in one datagram of IPv4") {
            let scene = try await open($0) {
                $0.channelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: 70_000))
            }
            let data = pattern(65_507)
            try await scene.farSend(data)
            try await wait(scene.heard, 1)
            try expectBytes(scene.heard.inbound[0].data, data, "the data")
        },
        NIOBatteryCase("datagram/cut-to-the-buffer", "ChannelOptions.recvAllocator: what does not fit is cut off") {
            let scene = try await open($0) {
                $0.channelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: 16))
            }
            try await scene.farSend(pattern(25))
            try await scene.farSend(pattern(5))
            try await wait(scene.heard, 2)
            try expectEqual(scene.heard.inbound.map(\.data.readableBytes), [16, 5], "the sizes")
        },
        NIOBatteryCase(
            "datagram/max-messages-per-read", "ChannelOptions.maxMessagesPerRead: datagrams before readComplete"
        ) {
            let scene = try await open($0) {
                $0.channelOption(.autoRead, value: false).channelOption(.maxMessagesPerRead, value: 2)
            }
            for number in 0..<3 { try await scene.farSend(ByteBuffer(string: "\(number)")) }
            try await settle(scene.near)
            try expectEqual(scene.heard.inbound.count, 0, "datagrams before read()")
            scene.near.read()
            try await scene.heard.wait(for: .readComplete)
            try await settle(scene.near)
            try expectEqual(scene.heard.inbound.count, 2, "datagrams after one read()")
            scene.near.read()
            try await wait(scene.heard, 3)
        },
        NIOBatteryCase(
            "datagram/vector-reads", "ChannelOptions.datagramVectorReadMessageCount: several at once, each by itself"
        ) {
            let scene = try await open($0) {
                $0.channelOption(.datagramVectorReadMessageCount, value: 4)
                    .channelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: 4096))
            }
            for number in 0..<10 { try await scene.farSend(ByteBuffer(string: "\(number)")) }
            try await wait(scene.heard, 10)
            try expectEqual(scene.heard.inbound.map { String(buffer: $0.data) }, (0..<10).map { "\($0)" }, "the data")
        },
        NIOBatteryCase(
            "datagram/without-an-address", "DatagramChannelError.WriteOnUnconnectedSocketWithoutAddress: a bare buffer"
        ) {
            let scene = try await open($0)
            let write: EventLoopFuture<Void> = scene.near.writeAndFlush(ByteBuffer(string: "whither"))
            let error = try await write.error("the write")
            try expect(error is DatagramChannelError.WriteOnUnconnectedSocketWithoutAddress, "the error was \(error)")
            try expect(scene.near.isActive, "the channel closed")
        },
        NIOBatteryCase("datagram/after-close", "ChannelError.ioOnClosedChannel: writes and options of a closed channel")
        {
            let scene = try await open($0)
            let pending = scene.near.write(try scene.envelope(ByteBuffer(string: "pending"), to: scene.far))
            try await scene.near.close().value("close")
            try expectError(try await pending.error("the pending write"), ChannelError.ioOnClosedChannel, "the error")
            try expectError(
                try await scene.send("late").error("a late write"), ChannelError.ioOnClosedChannel, "the error")
            try expectError(
                try await scene.near.getOption(.autoRead).error("getOption"), ChannelError.ioOnClosedChannel,
                "the error")
            let events = try await scene.heard.wait(for: .removed)
            try expectEqual(Array(events.suffix(3)), [.inactive, .unregistered, .removed], "the last events")
        },
        NIOBatteryCase("datagram/writability", "Channel.isWritable: a datagram channel has watermarks as well") {
            let scene = try await open($0) {
                $0.channelOption(.writeBufferWaterMark, value: .init(low: 10, high: 20))
            }
            let envelope = try scene.envelope(pattern(21), to: scene.far)
            scene.near.write(envelope, promise: nil)
            try await scene.heard.wait(for: .writable(false))
            scene.near.flush()
            try await scene.heard.wait(for: .writable(true))
            try await wait(scene.farHeard, 1)
        },
        NIOBatteryCase("datagram/in-use", "IOError: EADDRINUSE from bind") { stage in
            let scene = try await open(stage)
            let error = try await stage.host.datagramBootstrap(group: try stage.group())
                .bind(to: try stage.address(scene.near)).error("the second bind")
            try expectErrno(error, 98, what: "the error")
        },
        NIOBatteryCase("datagram/no-halves", "ChannelError.operationUnsupported: half a close, an unknown event") {
            let scene = try await open($0)
            for mode in [CloseMode.input, .output] {
                try expectError(
                    try await scene.near.close(mode: mode).error("close"), ChannelError.operationUnsupported,
                    "the error")
            }
            try expectError(
                try await scene.near.triggerUserOutboundEvent("unknown").error("the event"),
                ChannelError.operationUnsupported, "the error")
            try expect(scene.near.isActive, "the channel closed")
        },
        NIOBatteryCase("datagram/ipv6", "DatagramBootstrap.bind(to:): IPv6") { stage in
            let heard = DatagramRecorder()
            let near = try await stage.host.datagramBootstrap(group: try stage.group())
                .channelInitializer { $0.pipeline.addHandler(heard) }
                .bind(host: "::1", port: 0).value("bind")
            try await near.writeAndFlush(
                Envelope(remoteAddress: try stage.address(near), data: ByteBuffer(string: "self"))
            )
            .value("the write")
            try await wait(heard, 1)
            try expectEqual(heard.inbound[0].remoteAddress, near.localAddress, "the sender")
        },
        NIOBatteryCase("datagram/unix", "DatagramBootstrap.bind(unixDomainSocketPath:)") { stage in
            let (heard, group) = (DatagramRecorder(), try stage.group())
            let near = try await stage.host.datagramBootstrap(group: group)
                .channelInitializer { $0.pipeline.addHandler(heard) }
                .bind(unixDomainSocketPath: stage.path()).value("bind")
            let other = try await stage.host.datagramBootstrap(group: group)
                .bind(unixDomainSocketPath: stage.path()).value("the other bind")
            try await other.writeAndFlush(
                Envelope(remoteAddress: try stage.address(near), data: ByteBuffer(string: "hello"))
            )
            .value("the write")
            try await wait(heard, 1)
            try expectEqual(heard.inbound[0].remoteAddress, other.localAddress, "the sender")
        },
    ]

    static let connected: [NIOBatteryCase] = [
        NIOBatteryCase("datagram/connect", "DatagramBootstrap.connect(to:): active, with both addresses") {
            let scene = try await openConnected($0)
            try expectEqual(scene.near.remoteAddress, scene.far.localAddress, "the remote address")
            try expect(scene.near.isActive, "the channel was not active")
            try await scene.near.writeAndFlush(ByteBuffer(string: "bare")).value("the write")
            try await wait(scene.farHeard, 1)
            try expectEqual(scene.farHeard.inbound[0].remoteAddress, scene.near.localAddress, "the sender")
            try await scene.farSend(ByteBuffer(string: "answer"))
            try await wait(scene.heard, 1)
            try expectEqual(scene.heard.inbound[0].remoteAddress, scene.far.localAddress, "the sender")
        },
        NIOBatteryCase("datagram/connected-envelope", "DatagramChannel: an envelope to the connected address is sent") {
            let scene = try await openConnected($0)
            try await scene.send("enveloped").value("the write")
            try await wait(scene.farHeard, 1)
        },
        NIOBatteryCase(
            "datagram/connected-elsewhere",
            "DatagramChannelError.WriteOnConnectedSocketWithInvalidAddress: another address"
        ) {
            let scene = try await openConnected($0)
            let write: EventLoopFuture<Void> = scene.near.writeAndFlush(
                Envelope(
                    remoteAddress: try SocketAddress(ipAddress: "127.0.0.1", port: 9), data: ByteBuffer(string: "x")))
            let error = try await write.error("the write")
            try expect(error is DatagramChannelError.WriteOnConnectedSocketWithInvalidAddress, "the error was \(error)")
            try expect(scene.near.isActive, "the channel closed")
        },
        NIOBatteryCase("datagram/connect-later", "Channel.connect: a bound datagram channel may be connected") {
            let scene = try await open($0)
            try await scene.near.connect(to: try $0.address(scene.far)).value("connect")
            try expectEqual(scene.near.remoteAddress, scene.far.localAddress, "the remote address")
            try await scene.near.writeAndFlush(ByteBuffer(string: "bare")).value("the write")
            try await wait(scene.farHeard, 1)
            try expectEqual(scene.heard.events.filter { $0 == .active }.count, 1, "times it became active")
        },
        NIOBatteryCase(
            "datagram/connect-fails-what-is-buffered", "Channel.connect: unflushed envelopes fail with EISCONN"
        ) {
            let scene = try await open($0)
            let pending = scene.near.write(try scene.envelope(ByteBuffer(string: "pending"), to: scene.far))
            try await scene.near.connect(to: try $0.address(scene.far)).value("connect")
            try expectErrno(try await pending.error("the pending write"), 106, what: "the error")
        },
        NIOBatteryCase(
            "datagram/unreachable", "IOError: ECONNREFUSED comes by errorCaught and does not close the channel"
        ) {
            let scene = try await openConnected($0)
            try await scene.far.close().value("the far end's close")
            try await scene.near.writeAndFlush(ByteBuffer(string: "anyone?")).value("the write")
            try await scene.heard.wait("the error") { $0.contains { if case .error = $0 { true } else { false } } }
            try expectErrno(scene.heard.errors[0], 111, what: "the error")
            try expect(scene.near.isActive, "the channel closed")
            try await scene.near.close().value("close")
        },
    ]
}
