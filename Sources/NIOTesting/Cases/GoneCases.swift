import NIOCore
import NIOPosix

/// Peers that are gone, and what is left once a channel is.
enum GoneCases {
    static let cases: [NIOBatteryCase] = [
        NIOBatteryCase("gone/writing-on", "IOError: from writes to a peer that is gone; no signal ends the process") {
            let pair = try await $0.accepted()
            try await pair.near.setOption(.autoRead, value: false).value("setOption")
            try await pair.farReset()
            let journal = Journal<String>()
            for _ in 0..<20 {
                let write: EventLoopFuture<Void> = pair.near.writeAndFlush(pattern(10_000))
                write.whenFailure { journal.add("\($0)") }
                try await settle(pair.near)
                if !journal.entries.isEmpty { break }
            }
            try await journal.wait("a failed write", count: 1)
            try await pair.heard.wait(for: .removed)
        },
        NIOBatteryCase("gone/sending-a-file", "IOError: from a file region to a peer that is gone; no signal") {
            stage in
            var plan = PairPlan()
            plan.farReads = false
            plan.bufferSize = 8192
            let pair = try await stage.accepted(plan)
            let handle = try stage.file(pattern(4 << 20))
            let region = try FileRegion(fileHandle: handle)
            let write: EventLoopFuture<Void> = pair.near.writeAndFlush(region)
            try await settle(pair.near)
            try await pair.farReset()
            _ = try await write.error("the write")
            try await pair.heard.wait(for: .removed)
            try handle.close()
        },
        NIOBatteryCase(
            "gone/what-came-before-a-failed-write", "Channel: what was received before a write failed is read first"
        ) {
            let pair = try await $0.accepted()
            try await pair.farSend("last words")
            try await pair.far.close().value("the far end's close")
            try await pair.heard.wait(for: .inactive)
            try expectBytes(pair.heard.received, ByteBuffer(string: "last words"), "the data")
        },
        NIOBatteryCase(
            "gone/what-came-before-a-reset", "Channel: what was received before a reset is read first, then the error"
        ) {
            var plan = PairPlan()
            plan.childOptions = { $0.childChannelOption(.autoRead, value: false) }
            let pair = try await $0.accepted(plan)
            try await pair.farSend("last words")
            try await pair.farReset()
            let events = try await pair.heard.wait(for: .removed)
            try expectBytes(pair.heard.received, ByteBuffer(string: "last words"), "the data")
            try expectErrno(pair.heard.errors.first ?? TestError.other, 104, what: "the error")
            let kinds = events.filter { if case .error = $0 { false } else { true } }
            try expectEqual(
                kinds.suffix(5), [.read(10), .readComplete, .inactive, .unregistered, .removed], "the last events")
        },
        NIOBatteryCase(
            "gone/read-when-a-write-fails", "Channel: a write that fails closes it once what was received is read"
        ) { stage in
            var plan = PairPlan()
            plan.childOptions = {
                $0.childChannelOption(.maxMessagesPerRead, value: 1)
                    .childChannelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: 128))
            }
            let pair = try await stage.accepted(plan)
            let failures = Journal<String>()
            try await pair.standingStill {
                // Behind the standstill, and before the loop polls: the write is the first to notice.
                pair.near.eventLoop.execute {
                    for _ in 0..<1000 where failures.entries.isEmpty {
                        pair.near.writeAndFlush(ByteBuffer(string: "anyone?")).whenFailure {
                            failures.add("\($0 is IOError)")
                        }
                    }
                }
                try await pair.far.writeAndFlush(pattern(1280)).value("the far end's write")
                try await pair.farReset()
            }
            try expectEqual(try await failures.wait("a failed write", count: 1)[0], "true", "an IOError")
            let events = try await pair.heard.wait(for: .removed)
            try expectBytes(pair.heard.received, pattern(1280), "the data")
            try expectEqual(
                events.suffix(5), [.read(128), .readComplete, .inactive, .unregistered, .removed], "the last events")
        },
        NIOBatteryCase(
            "gone/data-without-auto-read", "Channel: at the peer's end what it sent is read, also if nobody asked"
        ) {
            var plan = PairPlan()
            plan.childOptions = {
                $0.childChannelOption(.autoRead, value: false).childChannelOption(.maxMessagesPerRead, value: 1)
                    .childChannelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: 128))
            }
            let pair = try await $0.accepted(plan)
            try await pair.far.writeAndFlush(pattern(1280)).value("the far end's write")
            try await pair.far.close().value("the far end's close")
            let events = try await pair.heard.wait(for: .removed)
            try expectBytes(pair.heard.received, pattern(1280), "the data")
            try expectEqual(events.filter { $0 == .read(128) }.count, 10, "reads")
            try expectEqual(events.filter { $0 == .readComplete }.count, 11, "cycles, with that of the end")
        },
        NIOBatteryCase(
            "gone/read-complete-at-the-end", "channelReadComplete: fired at the end of the stream too, before inactive"
        ) {
            for pair in [try await $0.accepted(), try await $0.connected()] {
                try await pair.heard.wait(for: .active)
                try await pair.farFinish()
                let events = try await pair.heard.wait(for: .removed)
                try expectEqual(
                    Array(events.suffix(4)), [.readComplete, .inactive, .unregistered, .removed], "the last events")
            }
        },
        NIOBatteryCase(
            "gone/half-closed-without-auto-read", "ChannelEvent.inputClosed: comes with autoRead off as well"
        ) {
            var plan = PairPlan()
            plan.childOptions = {
                $0.childChannelOption(.autoRead, value: false).childChannelOption(.allowRemoteHalfClosure, value: true)
            }
            let pair = try await $0.accepted(plan)
            try await pair.farFinish()
            try await pair.heard.wait(for: .inputClosed)
            try expect(pair.near.isActive, "the channel closed")
        },
        NIOBatteryCase(
            "gone/connected-and-closed-at-once", "ClientBootstrap.connect: to a server that closes every connection"
        ) {
            stage in
            let server = try await ServerBootstrap(group: reference)
                .childChannelInitializer { channel in
                    channel.close(promise: nil)
                    return channel.eventLoop.makeSucceededVoidFuture()
                }
                .bind(host: "127.0.0.1", port: 0).value("the far end's bind")
            stage.keep(server)
            let heard = StreamRecorder()
            let address = try stage.address(server)
            for _ in 0..<10 {
                // The end may come before the connect is through with: either is told.
                let connecting: EventLoopFuture<any Channel> = stage.host.clientBootstrap(group: try stage.group())
                    .channelInitializer { $0.pipeline.addHandler(heard) }
                    .connect(to: address)
                if let channel = try? await connecting.value("connect") {
                    try await channel.closeFuture.value("the end")
                }
            }
            let events = try await heard.wait("ten ends") { $0.filter { $0 == .removed }.count == 10 }
            try expectEqual(
                events.filter { $0 == .active }.count, events.filter { $0 == .inactive }.count, "active and inactive")
        },
        NIOBatteryCase(
            "gone/no-addresses-after-the-end", "Channel.localAddress, remoteAddress: nil once closeFuture has fired"
        ) {
            let pair = try await $0.accepted()
            try await pair.near.close().value("close")
            try await pair.near.closeFuture.value("closeFuture")
            try await pair.onLoop("a later task") { _ in }
            try expectEqual(pair.near.localAddress, nil, "the local address")
            try expectEqual(pair.near.remoteAddress, nil, "the remote address")
        },
        NIOBatteryCase("gone/written-while-closing-output", "CloseMode.output: a write in the outputClosed event fails")
        { stage in
            let journal = Journal<String>()
            var plan = PairPlan()
            plan.childOptions = { $0.childChannelOption(.allowRemoteHalfClosure, value: true) }
            plan.reaction = { event, context in
                guard event == .outputClosed else { return }
                context.channel.writeAndFlush(ByteBuffer(string: "late")).whenFailure {
                    journal.add("\($0 as? ChannelError == .outputClosed)")
                }
            }
            let pair = try await stage.accepted(plan)
            try await pair.near.close(mode: .output).value("close")
            try expectEqual(try await journal.wait("the failure", count: 1), ["true"], "outputClosed")
        },
    ]
}
