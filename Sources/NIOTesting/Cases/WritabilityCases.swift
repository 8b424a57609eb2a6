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
        NIOBatteryCase(
            "writable/not-again-at-the-low-mark", "WriteBufferWaterMark.low: writable again below it, not between both"
        ) { stage in
            // What stays behind unflushed holds the pending bytes at an exact number.
            for (rest, isAgain) in [(200, false), (101, false), (100, false), (99, true)] {
                let pair = try await stage.connected(plan(reading: false), overUnix: true)
                let flushed: EventLoopFuture<Void> = try await pair.onLoop("writing") { channel in
                    let flushed: EventLoopFuture<Void> = channel.writeAndFlush(pattern(1 << 20))
                    channel.write(pattern(rest), promise: nil)
                    return flushed
                }
                try await pair.farReads()
                try await flushed.value("the flushed write")
                let isWritable = try await pair.onLoop("a later task") { $0.isWritable }
                try expectEqual(isWritable, isAgain, "isWritable with \(rest) bytes pending")
                try expectEqual(
                    changes(pair), isAgain ? [.writable(false), .writable(true)] : [.writable(false)],
                    "the changes with \(rest) bytes pending")
                pair.near.flush()
                try await pair.heard.wait(for: .writable(true))
            }
        },
        NIOBatteryCase(
            "writable/after-the-promise", "channelWritabilityChanged: once the writes of the flush were told"
        ) { stage in
            let journal = Journal<String>()
            var plan = plan()
            plan.reaction = { event, _ in if case .writable = event { journal.add("\(event)") } }
            let pair = try await stage.accepted(plan)
            try await pair.onLoop("writing") { channel in
                channel.write(pattern(300)).whenSuccess { journal.add("written \(channel.isWritable)") }
                channel.flush()
            }
            try expectEqual(
                try await journal.wait("all three", count: 3), ["writable(false)", "written true", "writable(true)"],
                "the order")
        },
        NIOBatteryCase(
            "writable/marks-set-later", "ChannelOptions.writeBufferWaterMark: counts from the next write on"
        ) { stage in
            let pair = try await stage.accepted()
            let states = try await pair.onLoop("writing") { channel -> [Bool] in
                channel.write(pattern(300), promise: nil)
                try channel.syncOptions?.setOption(.writeBufferWaterMark, value: marks)
                let before = channel.isWritable
                channel.write(pattern(1), promise: nil)
                return [before, channel.isWritable]
            }
            try expectEqual(states, [true, false], "isWritable once the marks are set, and a write later")
            pair.near.flush()
            try await pair.heard.wait(for: .writable(true))
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
