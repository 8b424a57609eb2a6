import NIOConcurrencyHelpers
import NIOCore
import NIOPosix

extension DatagramCases {
    /// Options, states and orders of datagram channels.
    static let options: [NIOBatteryCase] = [
        NIOBatteryCase("datagram/defaults", "ChannelOptions: a datagram channel's, unless set") {
            let channel = try await open($0).near
            try expectEqual(try await channel.getOption(.autoRead).value("getOption"), true, "autoRead")
            try expectEqual(
                try await channel.getOption(.maxMessagesPerRead).value("getOption"), UInt(4), "maxMessagesPerRead")
            try expectEqual(try await channel.getOption(.writeSpin).value("getOption"), UInt(16), "writeSpin")
            let marks = try await channel.getOption(.writeBufferWaterMark).value("getOption")
            try expectEqual([marks.low, marks.high], [32 << 10, 64 << 10], "the watermarks")
            try expectEqual(
                try await channel.getOption(.datagramVectorReadMessageCount).value("getOption"), 0, "the vector's count"
            )
            try expectEqual(
                try await channel.getOption(.explicitCongestionNotification).value("getOption"), false, "congestion")
            try expectEqual(try await channel.getOption(.receivePacketInfo).value("getOption"), false, "packetInfo")
            let allocator = try await channel.getOption(.recvAllocator).value("getOption")
            try expectEqual((allocator as? FixedSizeRecvByteBufferAllocator)?.capacity, 2048, "the buffers' capacity")
        },
        NIOBatteryCase("datagram/set-and-get", "Channel.setOption, getOption: what was set is what one gets") { stage in
            for host in ["127.0.0.1", "::1"] {
                let channel = try await stage.host.datagramBootstrap(group: try stage.group())
                    .bind(host: host, port: 0).value("bind")
                try await channel.setOption(.datagramVectorReadMessageCount, value: 7).value("setOption")
                try expectEqual(
                    try await channel.getOption(.datagramVectorReadMessageCount).value("getOption"), 7,
                    "the vector's count")
                try await channel.setOption(.explicitCongestionNotification, value: true).value("setOption")
                try expectEqual(
                    try await channel.getOption(.explicitCongestionNotification).value("getOption"), true, "congestion")
                try await channel.setOption(.receivePacketInfo, value: true).value("setOption")
                try expectEqual(try await channel.getOption(.receivePacketInfo).value("getOption"), true, "packetInfo")
                try await channel.setOption(.receivePacketInfo, value: false).value("setOption")
                try expectEqual(try await channel.getOption(.receivePacketInfo).value("getOption"), false, "packetInfo")
            }
        },
        NIOBatteryCase(
            "datagram/not-over-unix", "ChannelError.operationUnsupported: options of IP on a Unix datagram socket"
        ) { stage in
            let channel = try await stage.host.datagramBootstrap(group: try stage.group())
                .bind(unixDomainSocketPath: stage.path()).value("bind")
            let errors = [
                try await channel.setOption(.explicitCongestionNotification, value: true).error("setOption"),
                try await channel.getOption(.receivePacketInfo).error("getOption"),
            ]
            for error in errors { try expectError(error, ChannelError.operationUnsupported, "the error") }
        },
        NIOBatteryCase("datagram/no-metadata-unless-asked", "AddressedEnvelope.metadata: nil unless an option asks") {
            let scene = try await open($0)
            try await scene.farSend(ByteBuffer(string: "plain"))
            try await wait(scene.heard, 1)
            try expect(scene.heard.inbound[0].metadata == nil, "there was metadata")
        },
        NIOBatteryCase(
            "datagram/metadata-of-ipv6", "AddressedEnvelope.Metadata: congestion marks and packet info over IPv6"
        ) { stage in
            let heard = DatagramRecorder()
            let channel = try await stage.host.datagramBootstrap(group: try stage.group())
                .channelOption(.explicitCongestionNotification, value: true)
                .channelOption(.receivePacketInfo, value: true)
                .channelInitializer { $0.pipeline.addHandler(heard) }
                .bind(host: "::1", port: 0).value("bind")
            try await channel.writeAndFlush(
                Envelope(
                    remoteAddress: try stage.address(channel), data: ByteBuffer(string: "marked"),
                    metadata: .init(ecnState: .transportCapableFlag1))
            ).value("the write")
            try await wait(heard, 1)
            let metadata = heard.inbound[0].metadata
            try expectEqual(metadata?.ecnState, .transportCapableFlag1, "the mark")
            try expectEqual(metadata?.packetInfo?.destinationAddress.ipAddress, "::1", "the destination")
            try expect((metadata?.packetInfo?.interfaceIndex ?? 0) > 0, "no interface")
        },
        NIOBatteryCase(
            "datagram/segments", "AddressedEnvelope.Metadata.segmentSize: one write, datagrams of that size, on Linux"
        ) { stage in
            guard System.supportsUDPSegmentationOffload else { return }
            let scene = try await open(stage)
            var envelope = try scene.envelope(pattern(25), to: scene.far)
            envelope.metadata = .init(ecnState: .transportNotCapable, packetInfo: nil, segmentSize: 10)
            try await scene.near.writeAndFlush(envelope).value("the write")
            try await wait(scene.farHeard, 3)
            try expectEqual(scene.farHeard.inbound.map(\.data.readableBytes), [10, 10, 5], "the sizes")
            try await scene.near.setOption(.datagramSegmentSize, value: 20).value("setOption")
            try expectEqual(
                try await scene.near.getOption(.datagramSegmentSize).value("getOption"), CInt(20), "segmentSize")
            try await scene.near.writeAndFlush(try scene.envelope(pattern(30), to: scene.far)).value("the write")
            try await wait(scene.farHeard, 5)
            try expectEqual(scene.farHeard.inbound.suffix(2).map(\.data.readableBytes), [20, 10], "the sizes")
        },
        NIOBatteryCase(
            "datagram/receive-offload", "ChannelOptions.datagramReceiveOffload: on and off; segment sizes are told"
        ) { stage in
            guard System.supportsUDPReceiveOffload else { return }
            let scene = try await open(stage) {
                $0.channelOption(.datagramReceiveOffload, value: true)
                    .channelOption(.datagramReceiveSegmentSize, value: true)
                    .channelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: 60_000))
            }
            try expectEqual(
                try await scene.near.getOption(.datagramReceiveOffload).value("getOption"), true, "the offload")
            try expectEqual(
                try await scene.near.getOption(.datagramReceiveSegmentSize).value("getOption"), true, "segment sizes")
            // The loopback interface delivers what was sent as one, in one.
            var envelope = try scene.envelope(pattern(2500), to: scene.near)
            envelope.metadata = .init(ecnState: .transportNotCapable, packetInfo: nil, segmentSize: 1000)
            try await scene.far.writeAndFlush(envelope).value("the far end's write")
            try await scene.heard.wait("2500 bytes") {
                $0.reduce(0) { if case .datagram(let count) = $1 { $0 + count } else { $0 } } == 2500
            }
            for envelope in scene.heard.inbound where envelope.data.readableBytes > 1000 {
                try expectEqual(envelope.metadata?.segmentSize, 1000, "the segments' size")
            }
            try await scene.near.setOption(.datagramReceiveOffload, value: false).value("setOption")
            try expectEqual(
                try await scene.near.getOption(.datagramReceiveOffload).value("getOption"), false, "the offload")
        },
        NIOBatteryCase(
            "datagram/buffered-bytes", "ChannelOptions.bufferedWritableBytes: bytes written and not yet sent"
        ) {
            let scene = try await open($0) {
                $0.channelOption(.writeBufferWaterMark, value: .init(low: 10, high: 20))
            }
            let (near, journal) = (scene.near, Journal<String>())
            let envelopes = [
                try scene.envelope(pattern(15), to: scene.far), try scene.envelope(pattern(6), to: scene.far),
            ]
            let before = try await near.eventLoop.submit { () -> Int in
                near.write(envelopes[0], promise: nil)
                near.write(envelopes[1]).whenSuccess {
                    let count = (try? near.syncOptions?.getOption(.bufferedWritableBytes)) ?? -1
                    journal.add("\(count) \(near.isWritable)")
                }
                return try near.syncOptions?.getOption(.bufferedWritableBytes) ?? -1
            }.value("writing")
            try expectEqual(before, 21, "before the flush")
            try expect(!near.isWritable, "writable above the high mark")
            near.flush()
            try expectEqual(try await journal.wait("the write", count: 1), ["0 true"], "bytes and isWritable when told")
            try await scene.heard.wait(for: .writable(true))
        },
        NIOBatteryCase(
            "datagram/vector-of-one-read",
            "ChannelOptions.datagramVectorReadMessageCount: so many for one of maxMessagesPerRead"
        ) {
            let scene = try await open($0) {
                $0.channelOption(.autoRead, value: false).channelOption(.maxMessagesPerRead, value: 2)
                    .channelOption(.datagramVectorReadMessageCount, value: 3)
            }
            for _ in 0..<8 { try await scene.farSend(ByteBuffer(string: "!")) }
            scene.near.read()
            let events = try await scene.heard.wait(for: .readComplete)
            try expectEqual(events.filter { $0 == .datagram(1) }.count, 6, "datagrams of one read")
            scene.near.read()
            try await wait(scene.heard, 8)
        },
        NIOBatteryCase("datagram/bind-twice", "IOError: EINVAL from bind on a bound channel, which stays") {
            let scene = try await open($0)
            let error = try await scene.near.bind(to: try SocketAddress(ipAddress: "127.0.0.1", port: 0)).error(
                "the second bind")
            try expectErrno(error, 22, what: "the error")
            try await scene.send("still").value("the write")
            try await wait(scene.farHeard, 1)
            try expectEqual(scene.heard.events.filter { $0 == .active }.count, 1, "times it became active")
        },
        NIOBatteryCase("datagram/reconnect", "Channel.connect: a connected datagram channel may be connected anew") {
            let (scene, other) = (try await openConnected($0), try await open($0))
            try await scene.near.connect(to: try $0.address(other.far)).value("the second connect")
            try expectEqual(scene.near.remoteAddress, other.far.localAddress, "the remote address")
            try await scene.near.writeAndFlush(ByteBuffer(string: "bare")).value("the write")
            try await wait(other.farHeard, 1)
            try expectEqual(scene.farHeard.inbound.count, 0, "datagrams to the first address")
            try expectEqual(scene.heard.events.filter { $0 == .active }.count, 1, "times it became active")
        },
        NIOBatteryCase("datagram/close-in-a-read", "Channel.close: from channelRead; no channelRead comes after it") {
            stage in
            for vector in [0, 4] {
                let heard = DatagramRecorder { event, context in
                    if case .datagram = event { context.close(promise: nil) }
                }
                let near = try await stage.host.datagramBootstrap(group: try stage.group())
                    .channelOption(.autoRead, value: false)
                    .channelOption(.datagramVectorReadMessageCount, value: vector)
                    .channelInitializer { $0.pipeline.addHandler(heard) }
                    .bind(host: "127.0.0.1", port: 0).value("bind")
                let scene = try await open(stage)
                for _ in 0..<3 {
                    try await scene.far.writeAndFlush(
                        Envelope(remoteAddress: try stage.address(near), data: ByteBuffer(string: "once"))
                    ).value("the far end's write")
                }
                near.read()
                let events = try await heard.wait(for: .removed)
                try expectEqual(
                    Array(events.dropFirst(3)), [.datagram(4), .inactive, .unregistered, .removed], "the events")
            }
        },
        NIOBatteryCase(
            "datagram/writes-fail-in-order",
            "Channel.close: pending writes fail in order, then its promise, then inactive"
        ) { stage in
            let journal = Journal<String>()
            let heard = DatagramRecorder { event, _ in if event == .inactive { journal.add("inactive") } }
            let near = try await stage.host.datagramBootstrap(group: try stage.group())
                .channelInitializer { $0.pipeline.addHandler(heard) }
                .bind(host: "127.0.0.1", port: 0).value("bind")
            let envelope = Envelope(remoteAddress: try stage.address(near), data: ByteBuffer(string: "self"))
            try await near.eventLoop.submit {
                for number in 0..<3 { near.write(envelope).whenFailure { _ in journal.add("write \(number)") } }
                let closing = near.eventLoop.makePromise(of: Void.self)
                closing.futureResult.whenSuccess { journal.add("closed") }
                near.close(promise: closing)
            }.value("closing")
            try expectEqual(
                try await journal.wait("all five", count: 5),
                ["write 0", "write 1", "write 2", "closed", "inactive"], "the order")
        },
    ]
}
