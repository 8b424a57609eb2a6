import NIOCore

/// The two directions of a stream, closed one at a time.
enum HalfClosureCases {
    private static var halfClosing: PairPlan {
        var plan = PairPlan()
        plan.childOptions = { $0.childChannelOption(.allowRemoteHalfClosure, value: true) }
        plan.clientOptions = { $0.channelOption(.allowRemoteHalfClosure, value: true) }
        return plan
    }

    static let own: [NIOBatteryCase] = [
        NIOBatteryCase("half/output", "CloseMode.output: ends the output; input goes on") {
            for pair in [try await $0.accepted(halfClosing), try await $0.connected(halfClosing)] {
                try await pair.near.close(mode: .output).value("close")
                try await pair.farHeard.wait(for: .inputClosed)
                try await pair.farSend("still heard")
                try await pair.heard.wait(bytes: 11)
                try expect(pair.near.isActive, "the channel was not active after half a close")
            }
        },
        NIOBatteryCase("half/output-event", "ChannelEvent.outputClosed: fired when the output was closed") {
            let pair = try await $0.accepted(halfClosing)
            try await pair.near.close(mode: .output).value("close")
            try await pair.heard.wait(for: .outputClosed)
            try expect(!pair.heard.events.contains(.inputClosed), "inputClosed came too")
        },
        NIOBatteryCase("half/output-after-pending-writes", "CloseMode.output: what was flushed before it is sent") {
            var plan = halfClosing
            plan.farReads = false
            plan.bufferSize = 8192
            let pair = try await $0.accepted(plan)
            let sent = pattern(4 << 20)
            let write: EventLoopFuture<Void> = pair.near.writeAndFlush(sent)
            let close: EventLoopFuture<Void> = pair.near.close(mode: .output)
            try await settle(pair.near)
            try expect(!pair.heard.events.contains(.outputClosed), "outputClosed came before the data was sent")
            try await pair.far.setOption(.autoRead, value: true).value("the far end's option")
            try await write.value("the write")
            try await close.value("close")
            try await pair.farHeard.wait(for: .inputClosed)
            try expectBytes(pair.farHeard.received, sent, "the data")
            try await pair.heard.wait(for: .outputClosed)
        },
        NIOBatteryCase("half/write-after-output", "ChannelError.outputClosed: a write after the output was closed") {
            let pair = try await $0.accepted(halfClosing)
            try await pair.near.close(mode: .output).value("close")
            let error = try await pair.near.writeAndFlush(ByteBuffer(string: "late")).error("the write")
            try expectError(error, ChannelError.outputClosed, "the error")
            try expect(pair.near.isActive, "the channel closed")
        },
        NIOBatteryCase("half/output-twice", "ChannelError.outputClosed: the output is closed already") {
            let pair = try await $0.accepted(halfClosing)
            try await pair.near.close(mode: .output).value("close")
            try expectError(
                try await pair.near.close(mode: .output).error("the second close"), ChannelError.outputClosed,
                "the error")
        },
        NIOBatteryCase("half/input", "CloseMode.input: closes the input; ChannelEvent.inputClosed; output goes on") {
            let pair = try await $0.accepted(halfClosing)
            try await pair.near.close(mode: .input).value("close")
            try await pair.heard.wait(for: .inputClosed)
            try expect(pair.near.isActive, "the channel was not active after half a close")
            try await pair.near.writeAndFlush(ByteBuffer(string: "still sent")).value("the write")
            try await pair.farHeard.wait(bytes: 10)
        },
        NIOBatteryCase("half/input-twice", "ChannelError.inputClosed: the input is closed already") {
            let pair = try await $0.accepted(halfClosing)
            try await pair.near.close(mode: .input).value("close")
            try expectError(
                try await pair.near.close(mode: .input).error("the second close"), ChannelError.inputClosed, "the error"
            )
        },
        NIOBatteryCase("half/no-data-after-input", "CloseMode.input: what arrives after it is not read") {
            let pair = try await $0.accepted(halfClosing)
            try await pair.near.close(mode: .input).value("close")
            try await pair.farSend("unheard")
            try await settle(pair.near)
            try expectEqual(pair.heard.received.readableBytes, 0, "bytes after the input was closed")
        },
        NIOBatteryCase("half/both-make-a-whole", "CloseMode: both halves closed, the channel closes") {
            for modes in [(CloseMode.input, CloseMode.output), (.output, .input)] {
                let pair = try await $0.accepted(halfClosing)
                try await pair.near.close(mode: modes.0).value("the first half")
                try await pair.near.close(mode: modes.1).value("the second half")
                let events = try await pair.heard.wait(for: .inactive)
                try expectEqual(
                    events.filter { $0 == .inputClosed || $0 == .outputClosed },
                    [modes.0 == .input ? .inputClosed : .outputClosed], "the events of the halves")
                try await pair.near.closeFuture.value("closeFuture")
            }
        },
        NIOBatteryCase("half/all-after-output", "CloseMode.all: closes what is left") {
            let pair = try await $0.accepted(halfClosing)
            try await pair.near.close(mode: .output).value("close")
            try await pair.near.close().value("the whole close")
            try await pair.heard.wait(for: .removed)
        },
        NIOBatteryCase(
            "half/only-streams", "ChannelError.operationUnsupported: half a close of a channel that is no stream"
        ) {
            let pair = try await $0.accepted()
            for mode in [CloseMode.input, .output] {
                try expectError(
                    try await pair.server.close(mode: mode).error("close"), ChannelError.operationUnsupported,
                    "the error")
            }
            try expect(pair.server.isActive, "the server closed")
        },
    ]

    /// A pair whose near end has more to send than the socket takes.
    private static func blocked(_ stage: NIOStage) async throws -> (StreamPair, EventLoopFuture<Void>) {
        var plan = halfClosing
        plan.farReads = false
        plan.bufferSize = 8192
        let pair = try await stage.connected(plan, overUnix: true)
        return (pair, pair.near.writeAndFlush(pattern(1 << 20)))
    }

    static let draining: [NIOBatteryCase] = [
        NIOBatteryCase("half/output-promise-first", "Channel.close(mode:): the promise is fulfilled, then the event") {
            stage in
            for mode in [CloseMode.output, .input] {
                let journal = Journal<String>()
                var plan = halfClosing
                plan.reaction = { event, _ in
                    if event == .outputClosed || event == .inputClosed { journal.add("event") }
                }
                let pair = try await stage.accepted(plan)
                try await pair.onLoop("closing") { channel in
                    let promise = channel.eventLoop.makePromise(of: Void.self)
                    promise.futureResult.whenSuccess { journal.add("promise") }
                    channel.close(mode: mode, promise: promise)
                    journal.add("close returns")
                }
                try expectEqual(
                    try await journal.wait("all three", count: 3), ["promise", "event", "close returns"],
                    "the order with \(mode)")
            }
        },
        NIOBatteryCase(
            "half/output-waits-for-what-is-not-flushed", "CloseMode.output: pending writes come first, flushed or not"
        ) { stage in
            let pair = try await stage.accepted(halfClosing)
            let closing: EventLoopFuture<Void> = try await pair.onLoop("writing") { channel in
                channel.write(ByteBuffer(string: "before "), promise: nil)
                let closing: EventLoopFuture<Void> = channel.close(mode: .output)
                channel.write(ByteBuffer(string: "after"), promise: nil)
                return closing
            }
            try await settle(pair.near)
            try expect(!pair.heard.events.contains(.outputClosed), "outputClosed came before the flush")
            pair.near.flush()
            try await closing.value("close")
            try await pair.farHeard.wait(for: .inputClosed)
            try expectBytes(pair.farHeard.received, ByteBuffer(string: "before after"), "the data")
        },
        NIOBatteryCase(
            "half/output-twice-while-it-waits", "Channel.close(mode: .output): all who asked are told at its end"
        ) { stage in
            let (pair, _) = try await blocked(stage)
            let journal = Journal<String>()
            let closings: [EventLoopFuture<Void>] = try await pair.onLoop("closing") { channel in
                (0..<3).map { number in
                    let closing: EventLoopFuture<Void> = channel.close(mode: .output)
                    closing.whenComplete { _ in journal.add("close \(number)") }
                    return closing
                }
            }
            try await settle(pair.near)
            try expectEqual(journal.entries, [], "what was told while writes are pending")
            try await pair.farReads()
            for closing in closings { try await closing.value("a close") }
            try expectEqual(journal.entries, ["close 0", "close 1", "close 2"], "the order")
            try expectEqual(pair.heard.events.filter { $0 == .outputClosed }.count, 1, "outputClosed")
        },
        NIOBatteryCase("half/all-while-output-waits", "CloseMode.all: fails a half-close that waits, and its writes") {
            stage in
            let (pair, write) = try await blocked(stage)
            let closing: EventLoopFuture<Void> = pair.near.close(mode: .output)
            try await pair.near.close().value("the whole close")
            try expectError(try await write.error("the write"), ChannelError.ioOnClosedChannel, "the write's error")
            try expectError(try await closing.error("the half-close"), ChannelError.ioOnClosedChannel, "its error")
            let events = try await pair.heard.wait(for: .removed)
            try expect(!events.contains(.outputClosed), "outputClosed came")
        },
        NIOBatteryCase(
            "half/input-while-output-waits", "CloseMode: the input closed, the output's end closes the channel"
        ) { stage in
            let (pair, write) = try await blocked(stage)
            pair.near.close(mode: .output, promise: nil)
            try await pair.near.close(mode: .input).value("the input's close")
            try await pair.heard.wait(for: .inputClosed)
            try expect(pair.near.isActive, "the channel closed before its data was sent")
            try await pair.farReads()
            try await write.value("the write")
            let events = try await pair.heard.wait(for: .removed)
            try expect(!events.contains(.outputClosed), "outputClosed came")
            try await pair.farHeard.wait(bytes: 1 << 20)
        },
        NIOBatteryCase(
            "half/output-with-the-input-closed", "CloseMode.output: after the input it closes all, pending writes fail"
        ) { stage in
            let (pair, write) = try await blocked(stage)
            try await pair.near.close(mode: .input).value("the input's close")
            try await pair.near.close(mode: .output).value("the output's close")
            try expectError(try await write.error("the write"), ChannelError.outputClosed, "the error")
            try await pair.heard.wait(for: .removed)
        },
        NIOBatteryCase("half/input-in-a-read", "CloseMode.input: from channelRead; no channelRead comes after it") {
            var plan = halfClosing
            plan.childOptions = {
                $0.childChannelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: 8))
                    .childChannelOption(.maxMessagesPerRead, value: 16)
                    .childChannelOption(.allowRemoteHalfClosure, value: true)
            }
            plan.reaction = { event, context in
                if event == .read(8) { context.close(mode: .input, promise: nil) }
            }
            let pair = try await $0.accepted(plan)
            try await pair.far.writeAndFlush(pattern(64)).value("the far end's write")
            try await pair.heard.wait(for: .inputClosed)
            try await settle(pair.near)
            try expectEqual(pair.heard.events.filter { $0 == .read(8) }.count, 1, "reads")
            try expect(pair.near.isActive, "the channel closed")
        },
        NIOBatteryCase(
            "half/not-decided-in-read-complete",
            "ChannelOptions.allowRemoteHalfClosure: counts as it is when the end is read"
        ) {
            var plan = PairPlan()
            plan.reaction = { event, context in
                if event == .readComplete {
                    try? context.channel.syncOptions?.setOption(.allowRemoteHalfClosure, value: true)
                }
            }
            let pair = try await $0.accepted(plan)
            try await pair.farFinish()
            let events = try await pair.heard.wait(for: .removed)
            try expect(!events.contains(.inputClosed), "inputClosed came")
        },
    ]

    static let remote: [NIOBatteryCase] = [
        NIOBatteryCase(
            "half/peer-ends", "ChannelOptions.allowRemoteHalfClosure: ChannelEvent.inputClosed instead of a close"
        ) {
            for pair in [try await $0.accepted(halfClosing), try await $0.connected(halfClosing)] {
                try await pair.farSend("before")
                try await pair.farFinish()
                try await pair.heard.wait(for: .inputClosed)
                try expectBytes(pair.heard.received, ByteBuffer(string: "before"), "the data")
                try expect(pair.near.isActive, "the channel closed")
                try await pair.near.writeAndFlush(ByteBuffer(string: "answer")).value("the write")
                try await pair.farHeard.wait(bytes: 6)
            }
        },
        NIOBatteryCase(
            "half/peer-ends-read-complete", "ChannelInboundHandler.channelReadComplete: comes before inputClosed"
        ) {
            let pair = try await $0.accepted(halfClosing)
            try await pair.farFinish()
            let events = try await pair.heard.wait(for: .inputClosed)
            try expectEqual(Array(events.suffix(2)), [.readComplete, .inputClosed], "the events")
        },
        NIOBatteryCase("half/peer-ends-once", "ChannelEvent.inputClosed: once, and nothing is read after it") {
            let pair = try await $0.accepted(halfClosing)
            try await pair.farFinish()
            try await pair.heard.wait(for: .inputClosed)
            pair.near.read()
            try await settle(pair.near)
            try expectEqual(pair.heard.events.filter { $0 == .inputClosed }.count, 1, "inputClosed")
            try expectEqual(pair.heard.events.last, .inputClosed, "the last event")
        },
        NIOBatteryCase(
            "half/output-after-the-peers-end", "CloseMode.output: after the input's end it closes the channel"
        ) {
            let pair = try await $0.accepted(halfClosing)
            try await pair.farFinish()
            try await pair.heard.wait(for: .inputClosed)
            try await pair.near.close(mode: .output).value("close")
            try await pair.heard.wait(for: .removed)
            try await pair.farHeard.wait("the end at the far side") {
                $0.contains(.inputClosed) || $0.contains(.inactive)
            }
        },
        NIOBatteryCase("half/peers-end-after-output", "Channel: the peer's end after our own output's closes the rest")
        {
            let pair = try await $0.accepted(halfClosing)
            try await pair.near.close(mode: .output).value("close")
            try await pair.farFinish()
            try await pair.heard.wait(for: .removed)
        },
        NIOBatteryCase("half/close-input-after-the-peers-end", "ChannelError.inputClosed: the peer closed it already") {
            let pair = try await $0.accepted(halfClosing)
            try await pair.farFinish()
            try await pair.heard.wait(for: .inputClosed)
            try expectError(
                try await pair.near.close(mode: .input).error("close"), ChannelError.inputClosed, "the error")
        },
        NIOBatteryCase("half/close-in-the-event", "Channel.close: may be called at ChannelEvent.inputClosed") {
            var plan = halfClosing
            plan.reaction = { event, context in if event == .inputClosed { context.close(promise: nil) } }
            let pair = try await $0.accepted(plan)
            try await pair.farFinish()
            let events = try await pair.heard.wait(for: .removed)
            try expectEqual(
                Array(events.suffix(4)), [.inputClosed, .inactive, .unregistered, .removed], "the last events")
        },
        NIOBatteryCase("half/reset-after-the-peers-end", "Channel: a reset after the input's end closes the channel") {
            let pair = try await $0.accepted(halfClosing)
            try await pair.farFinish()
            try await pair.heard.wait(for: .inputClosed)
            try await pair.farReset()
            try await pair.heard.wait(for: .removed)
        },
    ]
}
