import NIOConcurrencyHelpers
import NIOCore

/// Handlers that change things while an event passes through them.
enum HandlerCases {
    static let cases: [NIOBatteryCase] = [
        NIOBatteryCase(
            "handler/removes-itself-in-a-read", "RemovableChannelHandler: may be removed while it handles an event"
        ) { stage in
            for _ in 0..<5 {
                let leaving = Leaving(replacement: nil)
                var plan = PairPlan()
                plan.prepare = { try $0.pipeline.syncOperations.addHandler(leaving) }
                let pair = try await stage.accepted(plan)
                try await pair.farSend("one")
                try await pair.heard.wait(bytes: 3)
                try await pair.farSend("two")
                try await pair.heard.wait(bytes: 6)
                try expectEqual(leaving.journal.entries, ["read", "removed"], "what the handler heard")
            }
        },
        NIOBatteryCase(
            "handler/gives-way-to-another",
            "ChannelPipeline.syncOperations.addHandler: a new handler sees what comes after"
        ) { stage in
            let successor = StreamRecorder()
            let leaving = Leaving(replacement: successor)
            var plan = PairPlan()
            plan.prepare = { try $0.pipeline.syncOperations.addHandler(leaving) }
            let pair = try await stage.accepted(plan)
            try await pair.farSend("one")
            try await pair.heard.wait(bytes: 3)
            try await pair.farSend("two")
            try await successor.wait(bytes: 3)
            try expectBytes(successor.received, ByteBuffer(string: "two"), "what the new handler read")
            try expectBytes(
                try await pair.heard.wait(bytes: 6), ByteBuffer(string: "onetwo"), "what the last handler read")
        },
        NIOBatteryCase("handler/closes-in-read-complete", "Channel.close: from channelReadComplete") {
            var plan = PairPlan()
            plan.reaction = { event, context in if event == .readComplete { context.close(promise: nil) } }
            let pair = try await $0.accepted(plan)
            try await pair.farSend("hello")
            let events = try await pair.heard.wait(for: .removed)
            try expectEqual(
                Array(events.suffix(5)), [.read(5), .readComplete, .inactive, .unregistered, .removed],
                "the last events")
        },
        NIOBatteryCase("handler/closes-in-an-error", "Channel.close: from errorCaught, as NIOCloseOnErrorHandler does")
        {
            let pair = try await $0.accepted()
            try await pair.near.pipeline.addHandler(NIOCloseOnErrorHandler()).value("addHandler")
            pair.near.pipeline.fireErrorCaught(TestError.expected)
            try await pair.heard.wait(for: .removed)
        },
        NIOBatteryCase(
            "handler/closes-in-the-error-of-a-reset", "Channel.close: from errorCaught while the channel closes"
        ) {
            var plan = PairPlan()
            plan.reaction = { event, context in if case .error = event { context.close(promise: nil) } }
            let pair = try await $0.accepted(plan)
            try await pair.farReset()
            let events = try await pair.heard.wait(for: .removed)
            try expectEqual(events.filter { $0 == .inactive }.count, 1, "channelInactive")
        },
        NIOBatteryCase(
            "handler/closes-in-unregistered", "Channel.close: in channelUnregistered it fails with alreadyClosed"
        ) {
            stage in
            let journal = Journal<String>()
            var plan = PairPlan()
            plan.reaction = { event, context in
                guard event == .unregistered else { return }
                context.close().whenFailure { journal.add("\($0 as? ChannelError == .alreadyClosed)") }
            }
            let pair = try await stage.accepted(plan)
            try await pair.near.close().value("close")
            try expectEqual(try await journal.wait("the failure", count: 1), ["true"], "alreadyClosed")
        },
        NIOBatteryCase(
            "handler/pauses-in-a-read", "ChannelOptions.autoRead: off in channelRead, nothing comes after the cycle"
        ) {
            var plan = PairPlan()
            plan.childOptions = {
                $0.childChannelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: 1024))
                    .childChannelOption(.maxMessagesPerRead, value: 1)
            }
            plan.reaction = { event, context in
                if case .read = event { try? context.channel.syncOptions?.setOption(.autoRead, value: false) }
            }
            let pair = try await $0.accepted(plan)
            try await pair.far.writeAndFlush(pattern(10_000)).value("the far end's write")
            try await pair.heard.wait(for: .readComplete)
            try await settle(pair.near)
            try expectEqual(pair.heard.received.readableBytes, 1024, "bytes read")
            for turn in 2...4 {
                pair.near.read()
                try await pair.heard.wait(bytes: 1024 * turn)
            }
        },
        NIOBatteryCase(
            "handler/option-in-the-initializer", "Channel.syncOptions: in an initializer, before registration"
        ) {
            var plan = PairPlan()
            plan.prepare = { try $0.syncOptions?.setOption(.autoRead, value: false) }
            for pair in [try await $0.accepted(plan), try await $0.connected(plan)] {
                try await pair.farSend("hello")
                try await settle(pair.near)
                try expectEqual(pair.heard.received.readableBytes, 0, "bytes with autoRead off")
                pair.near.read()
                try await pair.heard.wait(bytes: 5)
            }
        },
        NIOBatteryCase("handler/read-twice", "Channel.read: asked for twice before data is ready, it reads once") {
            var plan = PairPlan()
            plan.childOptions = {
                $0.childChannelOption(.autoRead, value: false)
                    .childChannelOption(.maxMessagesPerRead, value: 1)
                    .childChannelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: 16))
            }
            let pair = try await $0.accepted(plan)
            pair.near.read()
            pair.near.read()
            try await settle(pair.near)
            try await pair.far.writeAndFlush(pattern(64)).value("the far end's write")
            try await pair.heard.wait(for: .readComplete)
            try await settle(pair.near)
            try expectEqual(pair.heard.received.readableBytes, 16, "bytes read")
        },
        NIOBatteryCase(
            "handler/decoder", "ByteToMessageHandler: messages, however the bytes arrive, and the rest at the end"
        ) {
            stage in
            let lines = Recorder<String>()
            var plan = PairPlan()
            plan.prepare = { channel in
                try channel.pipeline.syncOperations.addHandler(ByteToMessageHandler(LineDecoder()))
                try channel.pipeline.syncOperations.addHandler(lines)
                try channel.pipeline.syncOperations.addHandler(Sink())
            }
            let pair = try await stage.accepted(plan)
            for piece in ["on", "e\ntw", "o\nthree\n", "rest"] {
                try await pair.farSend(piece)
                try await settle(pair.near)
            }
            try await pair.farFinish()
            try await lines.wait(for: .removed)
            try expectEqual(lines.inbound, ["one", "two", "three", "rest"], "the lines")
        },
        NIOBatteryCase(
            "handler/between-two-loops", "Channel: written to from another channel's handler, on another loop"
        ) {
            stage in
            let target = try await stage.connected()
            var plan = PairPlan()
            let other = target.near
            plan.reaction = { event, context in
                guard case .read(let count) = event else { return }
                other.writeAndFlush(ByteBuffer(repeating: 7, count: count), promise: nil)
            }
            let pair = try await stage.accepted(plan)
            try expect(pair.near.eventLoop !== other.eventLoop, "both are on one loop")
            pair.far.writeAndFlush(pattern(200_000), promise: nil)
            try expectBytes(
                try await target.farHeard.wait(bytes: 200_000), ByteBuffer(repeating: 7, count: 200_000), "the data")
        },
        NIOBatteryCase("handler/both-ends-on-one-loop", "EventLoop: one loop serves any number of channels") { stage in
            let group = try stage.group()
            let (heard, answers) = (StreamRecorder(), StreamRecorder())
            let server = try await stage.serverBootstrap(group)
                .childChannelInitializer { $0.pipeline.addHandlers([heard, Echo()]) }
                .bind(host: "127.0.0.1", port: 0).value("bind")
            let client = try await stage.host.clientBootstrap(group: group)
                .channelInitializer { $0.pipeline.addHandler(answers) }
                .connect(to: try stage.address(server)).value("connect")
            let sent = pattern(3 << 20)
            client.writeAndFlush(sent, promise: nil)
            try expectBytes(try await answers.wait(bytes: sent.readableBytes), sent, "the echo")
        },
        NIOBatteryCase("handler/ping-pong-of-many", "EventLoopGroup: many channels at a time, each in its own order") {
            stage in
            let group = try stage.group(2)
            let server = try await stage.serverBootstrap(group)
                .childChannelInitializer { $0.pipeline.addHandler(Echo()) }
                .bind(host: "127.0.0.1", port: 0).value("bind")
            let done = Journal<Int>()
            for number in 0..<20 {
                _ = try await stage.host.clientBootstrap(group: group)
                    .channelInitializer { channel in
                        channel.pipeline.addHandler(PingPong(rounds: 100) { done.add(number) })
                    }
                    .connect(to: try stage.address(server)).value("connect")
            }
            try expectEqual(
                Set(try await done.wait("20 channels' rounds", count: 20)), Set(0..<20), "the channels that were done")
        },
        NIOBatteryCase(
            "handler/listener-closes-on-accept", "Channel.close: from a listener's channelReadComplete; the child lives"
        ) {
            stage in
            let heard = StreamRecorder()
            let accepting = ServerRecorder { event, context in if event == .readComplete { context.close(promise: nil) }
            }
            let server = try await stage.serverBootstrap(try stage.group())
                .serverChannelInitializer { $0.pipeline.addHandler(accepting) }
                .childChannelInitializer { $0.pipeline.addHandler(heard) }
                .bind(host: "127.0.0.1", port: 0).value("bind")
            let client = try await stage.farConnect(to: server)
            try await server.closeFuture.value("the server's end")
            try await client.channel.writeAndFlush(ByteBuffer(string: "hello")).value("the far end's write")
            try await heard.wait(bytes: 5)
        },
    ]
}

/// Leaves the pipeline at its first read.
private final class Leaving: ChannelInboundHandler, RemovableChannelHandler, Sendable {
    typealias InboundIn = ByteBuffer
    let journal = Journal<String>()
    private let replacement: StreamRecorder?

    init(replacement: StreamRecorder?) {
        self.replacement = replacement
    }

    func handlerRemoved(context: ChannelHandlerContext) { journal.add("removed") }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        journal.add("read")
        // Behind the removal there is no next handler for it any more.
        context.fireChannelRead(data)
        if let replacement {
            try? context.pipeline.syncOperations.addHandler(replacement, position: .after(self))
        }
        context.pipeline.syncOperations.removeHandler(self, promise: nil)
    }
}

/// Ends what a pipeline reads.
private final class Sink: ChannelInboundHandler, Sendable {
    typealias InboundIn = String

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {}
}

/// Sends back what comes.
private final class Echo: ChannelInboundHandler, Sendable {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    func channelRead(context: ChannelHandlerContext, data: NIOAny) { context.write(data, promise: nil) }
    func channelReadComplete(context: ChannelHandlerContext) { context.flush() }
}

/// Sends a number, waits for it to come back, and sends the next.
private final class PingPong: ChannelInboundHandler, Sendable {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer
    private let state: NIOLockedValueBox<(next: UInt32, received: ByteBuffer)>
    private let rounds: UInt32
    private let done: @Sendable () -> Void

    init(rounds: UInt32, _ done: @escaping @Sendable () -> Void) {
        self.rounds = rounds
        self.done = done
        state = NIOLockedValueBox((0, ByteBuffer()))
    }

    func channelActive(context: ChannelHandlerContext) {
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(integer: UInt32(0))), promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var buffer = unwrapInboundIn(data)
        let next = state.withLockedValue { state -> UInt32? in
            state.received.writeBuffer(&buffer)
            guard let number = state.received.readInteger(as: UInt32.self), number == state.next else { return nil }
            state.next += 1
            return state.next
        }
        guard let next else { return }
        if next == rounds {
            done()
        } else {
            context.writeAndFlush(wrapOutboundOut(ByteBuffer(integer: next)), promise: nil)
        }
    }
}

/// Lines, and what is left when the stream ends.
private struct LineDecoder: ByteToMessageDecoder {
    typealias InboundOut = String

    func decode(context: ChannelHandlerContext, buffer: inout ByteBuffer) -> DecodingState {
        guard let end = buffer.readableBytesView.firstIndex(of: UInt8(ascii: "\n")),
            let line = buffer.readString(length: end - buffer.readerIndex)
        else { return .needMoreData }
        buffer.moveReaderIndex(forwardBy: 1)
        context.fireChannelRead(wrapInboundOut(line))
        return .continue
    }

    func decodeLast(context: ChannelHandlerContext, buffer: inout ByteBuffer, seenEOF: Bool) -> DecodingState {
        while decode(context: context, buffer: &buffer) == .continue {}
        if let rest = buffer.readString(length: buffer.readableBytes), !rest.isEmpty {
            context.fireChannelRead(wrapInboundOut(rest))
        }
        return .needMoreData
    }
}
