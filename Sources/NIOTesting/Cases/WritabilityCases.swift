import NIOCore

/// Writability: the watermarks, and what tells of them.
enum WritabilityCases {
    private static let marks = ChannelOptions.Types.WriteBufferWaterMark(low: 100, high: 200)

    /// A pair with low watermarks whose far end does not read.
    private static func plan(reading: Bool = true) -> PairPlan {
        var plan = PairPlan()
        plan.childOptions = { $0.childChannelOption(.writeBufferWaterMark, value: marks) }
        plan.clientOptions = { $0.channelOption(.writeBufferWaterMark, value: marks) }
        plan.farReads = reading
        if !reading { plan.bufferSize = 8192 }
        return plan
    }

    private static func changes(_ pair: StreamPair) -> [Heard] {
        pair.heard.events.filter { if case .writable = $0 { true } else { false } }
    }

    static let cases: [NIOBatteryCase] = [
        NIOBatteryCase("writable/at-first", "Channel.isWritable: true while fewer bytes than the high mark are pending")
        {
            for pair in [try await $0.accepted(), try await $0.connected()] {
                try expect(pair.near.isWritable, "a new channel was not writable")
                try expect(!pair.server.isWritable, "a listening channel was writable")
            }
        },
        NIOBatteryCase(
            "writable/false-above-the-high-mark", "WriteBufferWaterMark.high: beyond it the channel is not writable"
        ) {
            let pair = try await $0.accepted(plan())
            let states = try await pair.onLoop("writing") { channel in
                channel.write(pattern(200), promise: nil)
                let atMark = channel.isWritable
                channel.write(pattern(1), promise: nil)
                return [atMark, channel.isWritable]
            }
            try expectEqual(states, [true, false], "isWritable at the mark and one past")
            try await pair.heard.wait(for: .writable(false))
            try expect(!pair.near.isWritable, "isWritable off the loop")
        },
        NIOBatteryCase(
            "writable/true-again-below-the-low-mark", "channelWritabilityChanged: fires when isWritable has changed"
        ) {
            for pair in [try await $0.accepted(plan()), try await $0.connected(plan())] {
                try await pair.onLoop("writing") { $0.writeAndFlush(pattern(5000), promise: nil) }
                try await pair.heard.wait(for: .writable(true))
                try expectEqual(changes(pair), [.writable(false), .writable(true)], "the changes")
                try expect(pair.near.isWritable, "isWritable was false when all was sent")
            }
        },
        NIOBatteryCase("writable/no-change-for-little", "channelWritabilityChanged: not fired below the high mark") {
            let pair = try await $0.accepted(plan())
            for _ in 0..<10 { try await pair.near.writeAndFlush(pattern(150)).value("the write") }
            try await pair.farHeard.wait(bytes: 1500)
            try expectEqual(changes(pair), [], "the changes")
        },
        NIOBatteryCase("writable/unflushed-bytes-count", "WriteBufferWaterMark: pending bytes, flushed or not") {
            let pair = try await $0.accepted(plan())
            pair.near.write(pattern(300), promise: nil)
            try await pair.heard.wait(for: .writable(false))
            pair.near.flush()
            try await pair.heard.wait(for: .writable(true))
        },
        NIOBatteryCase(
            "writable/once-for-many-writes", "channelWritabilityChanged: once a change, however much is written"
        ) {
            let pair = try await $0.accepted(plan(reading: false))
            try await pair.onLoop("writing") { channel in
                for _ in 0..<50 { channel.writeAndFlush(pattern(100_000), promise: nil) }
            }
            try await pair.heard.wait(for: .writable(false))
            try await settle(pair.near)
            try expectEqual(changes(pair), [.writable(false)], "the changes while nobody reads")
            try await pair.far.setOption(.autoRead, value: true).value("the far end's option")
            try await pair.heard.wait(for: .writable(true))
            try expectEqual(changes(pair), [.writable(false), .writable(true)], "the changes")
        },
        NIOBatteryCase(
            "writable/again-once-the-peer-reads", "channelWritabilityChanged: true once little enough is pending"
        ) {
            let pair = try await $0.accepted(plan(reading: false))
            let write: EventLoopFuture<Void> = pair.near.writeAndFlush(pattern(8 << 20))
            try await pair.heard.wait(for: .writable(false))
            try await settle(pair.near)
            try expect(!pair.near.isWritable, "writable though nobody read")
            try await pair.far.setOption(.autoRead, value: true).value("the far end's option")
            try await pair.heard.wait(for: .writable(true))
            try await write.value("the write")
        },
        NIOBatteryCase("writable/write-in-the-change", "channelWritabilityChanged: a place to write on") {
            var plan = plan()
            plan.reaction = { event, context in
                if event == .writable(true) { context.channel.writeAndFlush(ByteBuffer(string: "more"), promise: nil) }
            }
            let pair = try await $0.accepted(plan)
            pair.near.writeAndFlush(pattern(1000), promise: nil)
            try await pair.farHeard.wait(bytes: 1004)
        },
        NIOBatteryCase("writable/marks-get-and-set", "ChannelOptions.writeBufferWaterMark: 32 and 64 KiB unless set") {
            let pair = try await $0.accepted()
            let first = try await pair.near.getOption(.writeBufferWaterMark).value("getOption")
            try expectEqual([first.low, first.high], [32 << 10, 64 << 10], "the default")
            try await pair.near.setOption(.writeBufferWaterMark, value: .init(low: 5, high: 10)).value("setOption")
            let second = try await pair.near.getOption(.writeBufferWaterMark).value("getOption")
            try expectEqual([second.low, second.high], [5, 10], "what was set")
            pair.near.write(pattern(11), promise: nil)
            try await pair.heard.wait(for: .writable(false))
        },
    ]
}
