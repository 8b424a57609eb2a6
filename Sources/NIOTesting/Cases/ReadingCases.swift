import Dispatch
import NIOCore

/// Reading: what arrives, in which pieces, and when it is asked for.
enum ReadingCases {
    static let cases: [NIOBatteryCase] = [
        NIOBatteryCase(
            "read/data-then-read-complete", "ChannelInboundHandler.channelReadComplete: after a cycle's channelReads"
        ) {
            let pair = try await $0.accepted()
            try await pair.farSend("hello")
            let events = try await pair.heard.wait(for: .readComplete)
            try expectEqual(Array(events.suffix(2)), [.read(5), .readComplete], "the events")
            try expectBytes(pair.heard.received, ByteBuffer(string: "hello"), "the data")
        },
        NIOBatteryCase("read/four-mebibytes", "ChannelInboundHandler.channelRead: every byte once, in order") {
            let pair = try await $0.accepted()
            let sent = pattern(4 << 20)
            pair.far.writeAndFlush(sent, promise: nil)
            try expectBytes(try await pair.heard.wait(bytes: sent.readableBytes), sent, "the data")
        },
        NIOBatteryCase(
            "read/four-mebibytes-on-a-client", "ChannelInboundHandler.channelRead: every byte once, in order"
        ) {
            let pair = try await $0.connected()
            let sent = pattern(4 << 20)
            pair.far.writeAndFlush(sent, promise: nil)
            try expectBytes(try await pair.heard.wait(bytes: sent.readableBytes), sent, "the data")
        },
        NIOBatteryCase("read/data-before-the-end", "ChannelInboundHandler.channelInactive: after all that was received")
        {
            let pair = try await $0.accepted()
            let sent = pattern(300_000)
            pair.far.writeAndFlush(sent, promise: nil)
            try await pair.farFinish()
            let events = try await pair.heard.wait(for: .inactive)
            try expectBytes(pair.heard.received, sent, "the data")
            guard let last = events.firstIndex(of: .inactive),
                let read = events.lastIndex(where: { if case .read = $0 { true } else { false } })
            else { throw NIOBatteryFailure("no data came: \(events)") }
            try expect(read < last, "data came after channelInactive")
        },
        NIOBatteryCase("read/none-before-active", "ChannelPipeline: channelRead never comes before channelActive") {
            stage in
            // The client's data is there before the child is accepted.
            let heard = StreamRecorder()
            let accepting = ServerRecorder()
            let server = try await stage.serverBootstrap(try stage.group())
                .serverChannelOption(.autoRead, value: false)
                .serverChannelInitializer { $0.pipeline.addHandler(accepting) }
                .childChannelInitializer { $0.pipeline.addHandler(heard) }
                .bind(host: "127.0.0.1", port: 0).value("bind")
            let client = try await stage.farConnect(to: server)
            try await client.channel.writeAndFlush(ByteBuffer(string: "early")).value("the far end's write")
            server.read()
            try await heard.wait(bytes: 5)
            try expectEqual(Array(heard.events.prefix(4)), [.added, .registered, .active, .read(5)], "the events")
        },
        NIOBatteryCase("read/auto-read-asks-through-the-pipeline", "ChannelOptions.autoRead: read is called by itself")
        {
            let pair = try await $0.accepted()
            try await pair.onLoop("a later task") { _ in }
            try expect(pair.heard.readRequests >= 1, "no read was asked for after channelActive")
            let before = pair.heard.readRequests
            try await pair.farSend("hello")
            try await pair.heard.wait(for: .readComplete)
            try await pair.onLoop("a later task") { _ in }
            try expectEqual(pair.heard.readRequests, before + 1, "requests after one read cycle")
        },
        NIOBatteryCase("read/a-handler-may-hold-reads-back", "ChannelOutboundHandler.read: may be delayed or swallowed")
        {
            var plan = PairPlan()
            plan.reaction = { _, _ in }
            let pair = try await $0.accepted(plan)
            pair.heard.passesReads = false
            // One read was asked for before; what comes after it waits.
            try await pair.farSend("one")
            try await pair.heard.wait(bytes: 3)
            try await pair.farSend("two")
            try await settle(pair.near)
            try expectEqual(pair.heard.received.readableBytes, 3, "bytes while reads were swallowed")
            pair.heard.passesReads = true
            pair.near.read()
            try await pair.heard.wait(bytes: 6)
        },
        NIOBatteryCase("read/without-auto-read-nothing-comes", "ChannelOptions.autoRead: if false, only read() reads") {
            var plan = PairPlan()
            plan.childOptions = { $0.childChannelOption(.autoRead, value: false) }
            let pair = try await $0.accepted(plan)
            try await pair.farSend("hello")
            try await settle(pair.near)
            try expectEqual(pair.heard.received.readableBytes, 0, "bytes before read()")
            pair.near.read()
            try await pair.heard.wait(bytes: 5)
            try await pair.farSend("again")
            try await settle(pair.near)
            try expectEqual(pair.heard.received.readableBytes, 5, "bytes before the second read()")
            pair.near.read()
            try await pair.heard.wait(bytes: 10)
        },
        NIOBatteryCase("read/auto-read-set-later", "ChannelOptions.autoRead: may be changed at any time") {
            let pair = try await $0.connected()
            try await pair.near.setOption(.autoRead, value: false).value("setOption")
            try await pair.farSend("hello")
            try await settle(pair.near)
            try expectEqual(pair.heard.received.readableBytes, 0, "bytes with autoRead off")
            try await pair.near.setOption(.autoRead, value: true).value("setOption")
            try await pair.heard.wait(bytes: 5)
        },
        NIOBatteryCase("read/read-before-the-data", "Channel.read: performs a read when data is ready") {
            var plan = PairPlan()
            plan.childOptions = { $0.childChannelOption(.autoRead, value: false) }
            let pair = try await $0.accepted(plan)
            pair.near.read()
            try await settle(pair.near)
            try await pair.farSend("hello")
            try await pair.heard.wait(bytes: 5)
        },
        NIOBatteryCase(
            "read/max-messages-per-read", "ChannelOptions.maxMessagesPerRead: how many channelReads before readComplete"
        ) { stage in
            for limit in [UInt(1), 3] {
                var plan = PairPlan()
                plan.childOptions = {
                    $0.childChannelOption(.autoRead, value: false)
                        .childChannelOption(.maxMessagesPerRead, value: limit)
                        .childChannelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: 16))
                }
                let pair = try await stage.accepted(plan)
                try await pair.far.writeAndFlush(pattern(160)).value("the far end's write")
                pair.near.read()
                let events = try await pair.heard.wait(for: .readComplete)
                let reads = events.filter { $0 == .read(16) }.count
                try expectEqual(reads, Int(limit), "reads before readComplete")
                try await settle(pair.near)
                try expectEqual(pair.heard.received.readableBytes, 16 * Int(limit), "bytes after one read()")
            }
        },
        NIOBatteryCase(
            "read/a-buffer-not-full-ends-the-cycle", "channelReadComplete: after a read that took all there was"
        ) { stage in
            let (begun, gate) = (Waiter<Void>(), DispatchSemaphore(value: 0))
            var plan = PairPlan()
            plan.reaction = { event, _ in
                guard event == .read(5) else { return }
                begun.finish(.success(()))
                gate.wait()
            }
            let pair = try await stage.accepted(plan)
            try await pair.farSend("hello")
            try await begun.value("the first read")
            do {
                defer { gate.signal() }
                try await pair.farSend("again!")
            }
            let events = try await pair.heard.wait(bytes: 11)
            try expectEqual(events.readableBytes, 11, "bytes")
            try expectEqual(
                Array(pair.heard.events.drop { $0 != .read(5) }.prefix(3)), [.read(5), .readComplete, .read(6)],
                "the events")
        },
        NIOBatteryCase("read/fixed-allocator", "FixedSizeRecvByteBufferAllocator: every buffer has the same capacity") {
            var plan = PairPlan()
            plan.childOptions = {
                $0.childChannelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: 128))
            }
            let pair = try await $0.accepted(plan)
            let sent = pattern(10_000)
            pair.far.writeAndFlush(sent, promise: nil)
            try expectBytes(try await pair.heard.wait(bytes: 10_000), sent, "the data")
            for event in pair.heard.events {
                guard case .read(let count) = event else { continue }
                try expect(count <= 128, "a read of \(count) bytes with buffers of 128")
            }
        },
        NIOBatteryCase(
            "read/adaptive-allocator-grows", "AdaptiveRecvByteBufferAllocator: buffers grow while they are filled"
        ) {
            var plan = PairPlan()
            plan.childOptions = {
                $0.childChannelOption(
                    .recvAllocator, value: AdaptiveRecvByteBufferAllocator(minimum: 64, initial: 128, maximum: 32768))
            }
            let pair = try await $0.accepted(plan)
            pair.far.writeAndFlush(pattern(1 << 20), promise: nil)
            try await pair.heard.wait(bytes: 1 << 20)
            let sizes = pair.heard.events.compactMap { if case .read(let count) = $0 { count } else { nil } }
            try expect((sizes.first ?? 0) <= 128, "the first buffer held \(sizes.first ?? 0) bytes instead of 128")
            try expect((sizes.max() ?? 0) > 1024, "the largest read was of \(sizes.max() ?? 0) bytes")
            try expect((sizes.max() ?? 0) <= 32768, "the largest read was of \(sizes.max() ?? 0) bytes")
        },
        NIOBatteryCase("read/close-in-channel-read", "Channel.close: from channelRead; no channelRead comes after it") {
            var plan = PairPlan()
            plan.childOptions = {
                $0.childChannelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: 8))
                    .childChannelOption(.maxMessagesPerRead, value: 16)
            }
            plan.reaction = { event, context in if event == .read(8) { context.close(promise: nil) } }
            let pair = try await $0.accepted(plan)
            pair.far.writeAndFlush(pattern(64), promise: nil)
            let events = try await pair.heard.wait(for: .removed)
            try expectEqual(events.filter { $0 == .read(8) }.count, 1, "reads")
            try expect(
                !events.dropFirst(events.firstIndex(of: .inactive) ?? 0).contains(.readComplete),
                "readComplete after the end")
        },
        NIOBatteryCase(
            "read/close-in-the-only-read", "Channel.close: from channelRead; no channelReadComplete comes after the end"
        ) {
            var plan = PairPlan()
            plan.reaction = { event, context in if event == .read(5) { context.close(promise: nil) } }
            let pair = try await $0.accepted(plan)
            try await pair.farSend("hello")
            let events = try await pair.heard.wait(for: .removed)
            try expectEqual(
                Array(events.dropFirst(3)), [.read(5), .inactive, .unregistered, .removed], "the events")
        },
        NIOBatteryCase(
            "read/auto-read-set-to-what-it-is", "ChannelOptions.autoRead: set to false again, a read asked for stays"
        ) {
            var plan = PairPlan()
            plan.childOptions = { $0.childChannelOption(.autoRead, value: false) }
            let pair = try await $0.accepted(plan)
            pair.near.read()
            try await pair.near.setOption(.autoRead, value: false).value("setOption")
            try await pair.farSend("hello")
            try await pair.heard.wait(bytes: 5)
        },
        NIOBatteryCase(
            "read/end-without-auto-read", "Channel: the end of the stream is noticed with autoRead off as well"
        ) {
            var plan = PairPlan()
            plan.childOptions = { $0.childChannelOption(.autoRead, value: false) }
            let pair = try await $0.accepted(plan)
            try await pair.far.close().value("the far end's close")
            try await pair.heard.wait(for: .inactive)
        },
        NIOBatteryCase("read/reset-without-auto-read", "Channel: a reset closes the channel with autoRead off as well")
        {
            var plan = PairPlan()
            plan.childOptions = { $0.childChannelOption(.autoRead, value: false) }
            let pair = try await $0.accepted(plan)
            try await pair.farReset()
            try await pair.heard.wait(for: .inactive)
        },
        NIOBatteryCase("read/read-after-close", "Channel.read: on a closed channel it does nothing") {
            let pair = try await $0.accepted()
            try await pair.near.close().value("close")
            pair.near.read()
            try await pair.onLoop("a later task") { _ in }
            try expect(!pair.heard.events.contains(.read(0)), "a read came")
        },
        NIOBatteryCase(
            "read/buffers-are-the-handlers", "ChannelInboundHandler.channelRead: a buffer kept does not change"
        ) {
            let pair = try await $0.accepted()
            let pieces = ["first", "second", "third"]
            for piece in pieces {
                let count = pair.heard.received.readableBytes + piece.utf8.count
                try await pair.farSend(piece)
                try await pair.heard.wait(bytes: count)
            }
            try expectEqual(pair.heard.inbound.map { String(buffer: $0) }, pieces, "the buffers kept")
        },
        NIOBatteryCase("read/echo", "ChannelHandlerContext.writeAndFlush: from channelRead") {
            var plan = PairPlan()
            let echo = pattern(5000)
            plan.reaction = { event, context in
                guard case .read = event,
                    let heard = try? context.pipeline.syncOperations.handler(type: StreamRecorder.self),
                    let last = heard.inbound.last
                else { return }
                context.channel.writeAndFlush(last, promise: nil)
            }
            let pair = try await $0.accepted(plan)
            pair.far.writeAndFlush(echo, promise: nil)
            try expectBytes(try await pair.farHeard.wait(bytes: 5000), echo, "the echo")
        },
    ]
}
