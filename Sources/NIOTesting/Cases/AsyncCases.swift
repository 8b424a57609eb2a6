import NIOCore
import NIOPosix

/// Channels as async sequences and writers.
enum AsyncCases {
    typealias Bytes = NIOAsyncChannel<ByteBuffer, ByteBuffer>

    /// What wraps a channel.
    static func wrap(
        halfClosing: Bool = false, high: Int = 10
    ) -> @Sendable (any Channel) -> EventLoopFuture<Bytes> {
        { channel in
            channel.eventLoop.makeCompletedFuture {
                try Bytes(
                    wrappingChannelSynchronously: channel,
                    configuration: .init(
                        backPressureStrategy: .init(lowWatermark: 1, highWatermark: high),
                        isOutboundHalfClosureEnabled: halfClosing))
            }
        }
    }

    /// A connecting channel under test, wrapped, and the far end.
    private static func connect(
        _ stage: NIOStage, _ plan: PairPlan = PairPlan(), halfClosing: Bool = false, high: Int = 10
    ) async throws -> (near: Bytes, farHeard: StreamRecorder) {
        let farHeard = StreamRecorder()
        let server = try await stage.farServer(farHeard, plan)
        let address = try stage.address(server)
        let bootstrap = plan.clientOptions(stage.host.clientBootstrap(group: try stage.group()))
        let near = try await bootstrap.connect(
            to: address, channelInitializer: wrap(halfClosing: halfClosing, high: high))
        try await farHeard.wait(for: .active)
        return (near, farHeard)
    }

    static func read(
        _ inbound: NIOAsyncChannelInboundStream<ByteBuffer>, _ count: Int
    ) async throws -> ByteBuffer {
        var all = ByteBuffer()
        for try await var piece in inbound {
            all.writeBuffer(&piece)
            if all.readableBytes >= count { break }
        }
        return all
    }

    static let clients: [NIOBatteryCase] = [
        NIOBatteryCase(
            "async/connect", "ClientBootstrap.connect(to:channelInitializer:): gives what the initializer gave"
        ) {
            stage in
            let (near, farHeard) = try await connect(stage)
            try await near.executeThenClose { inbound, outbound in
                try await outbound.write(ByteBuffer(string: "hello"))
                try await farHeard.wait(bytes: 5)
                farHeard.say("answer")
                try expectBytes(try await read(inbound, 6), ByteBuffer(string: "answer"), "the data")
            }
        },
        NIOBatteryCase("async/then-close", "NIOAsyncChannel.executeThenClose: after it returned the channel is closed")
        {
            let (near, farHeard) = try await connect($0)
            let value = try await near.executeThenClose { _, _ in "value" }
            try expectEqual(value, "value", "what the body gave")
            try expect(!near.channel.isActive, "the channel was active")
            try await near.channel.closeFuture.value("closeFuture")
            try await farHeard.wait(for: .inputClosed)
        },
        NIOBatteryCase(
            "async/then-close-after-an-error", "NIOAsyncChannel.executeThenClose: closed, and the body's error thrown"
        ) {
            let (near, farHeard) = try await connect($0)
            do {
                try await near.executeThenClose { _, _ in throw TestError.expected }
                throw NIOBatteryFailure("executeThenClose did not throw")
            } catch let error as TestError {
                try expectEqual(error, .expected, "the error")
            }
            try await farHeard.wait(for: .inputClosed)
        },
        NIOBatteryCase(
            "async/the-stream-ends", "NIOAsyncChannelInboundStream: ends when the peer ends, after all its data"
        ) {
            let (near, farHeard) = try await connect($0)
            let far = try farHeard.channel()
            far.writeAndFlush(pattern(100_000), promise: nil)
            far.close(mode: .output, promise: nil)
            let all = try await near.executeThenClose { inbound, _ in try await read(inbound, .max) }
            try expectBytes(all, pattern(100_000), "the data")
        },
        NIOBatteryCase("async/a-reset-throws", "NIOAsyncChannelInboundStream: throws the error that closed the channel")
        {
            let (near, farHeard) = try await connect($0)
            let far = try farHeard.channel()
            let pair = StreamPair(near: near.channel, heard: farHeard, far: far, farHeard: farHeard, server: far)
            try await pair.farReset()
            do {
                _ = try await near.executeThenClose { inbound, _ in try await read(inbound, 1) }
                throw NIOBatteryFailure("the stream ended instead of throwing")
            } catch let error as IOError {
                try expectErrno(error, 104, what: "the error")
            }
        },
        NIOBatteryCase(
            "async/finish-half-closes", "NIOAsyncChannelOutboundWriter.finish: half a close if it is configured so"
        ) {
            var plan = PairPlan()
            plan.clientOptions = { $0.channelOption(.allowRemoteHalfClosure, value: true) }
            let (near, farHeard) = try await connect($0, plan, halfClosing: true)
            try await near.executeThenClose { inbound, outbound in
                try await outbound.write(ByteBuffer(string: "last"))
                outbound.finish()
                try await farHeard.wait(for: .inputClosed)
                farHeard.say("still")
                try expectBytes(try await read(inbound, 5), ByteBuffer(string: "still"), "the data")
            }
            try expectBytes(farHeard.received, ByteBuffer(string: "last"), "the data at the far end")
        },
        NIOBatteryCase(
            "async/input-ends-output-goes-on", "ChannelOptions.allowRemoteHalfClosure: writing after the stream's end"
        ) {
            var plan = PairPlan()
            plan.clientOptions = { $0.channelOption(.allowRemoteHalfClosure, value: true) }
            let (near, farHeard) = try await connect($0, plan, halfClosing: true)
            let far = try farHeard.channel()
            try await far.close(mode: .output).value("the far end's half-close")
            try await near.executeThenClose { inbound, outbound in
                _ = try await read(inbound, .max)
                try await outbound.write(ByteBuffer(string: "after"))
                try await farHeard.wait(bytes: 5)
            }
        },
        NIOBatteryCase(
            "async/write-after-close", "NIOAsyncChannelOutboundWriter.write: throws once the channel is closed"
        ) {
            let (near, _) = try await connect($0)
            try await near.executeThenClose { _, outbound in
                try await near.channel.close().value("close")
                try await near.channel.closeFuture.value("closeFuture")
                do {
                    try await outbound.write(ByteBuffer(string: "late"))
                } catch {
                    return
                }
                throw NIOBatteryFailure("the write did not throw")
            }
        },
        NIOBatteryCase("async/cancelled", "NIOAsyncChannelInboundStream: iteration ends when its task is cancelled") {
            let (near, farHeard) = try await connect($0)
            let journal = Journal<String>()
            let task = Task {
                do {
                    try await near.executeThenClose { inbound, _ in
                        journal.add("iterating")
                        for try await _ in inbound { journal.add("read") }
                    }
                } catch is CancellationError {}
                journal.add("over")
            }
            try await journal.wait("the iteration", count: 1)
            task.cancel()
            try expectEqual(try await journal.wait("the end", count: 2), ["iterating", "over"], "what happened")
            try await farHeard.wait(for: .inputClosed)
        },
        NIOBatteryCase(
            "async/reading-waits-for-the-consumer", "NIOAsyncChannel.Configuration.backPressureStrategy: stops reads"
        ) {
            var plan = PairPlan()
            plan.clientOptions = {
                $0.channelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: 1024))
                    .channelOption(.maxMessagesPerRead, value: 1)
                    .channelOption(.socketOption(.so_rcvbuf), value: 8192)
            }
            plan.bufferSize = 8192
            let (near, farHeard) = try await connect($0, plan, high: 2)
            let far = try farHeard.channel()
            let written = Journal<String>()
            let sent = pattern(16 << 20)
            far.writeAndFlush(sent).whenComplete { _ in written.add("written") }
            try await settle(near.channel)
            try expectEqual(written.entries, [], "the far end's write while nobody consumes")
            let first = try await near.executeThenClose { inbound, _ in try await read(inbound, 1 << 20) }
            try expectBytes(first.getSlice(at: 0, length: 1 << 20) ?? ByteBuffer(), pattern(1 << 20), "the data")
        },
        NIOBatteryCase(
            "async/writing-waits-for-the-peer", "NIOAsyncChannelOutboundWriter.write: suspends while not writable"
        ) {
            var plan = PairPlan()
            plan.farReads = false
            plan.bufferSize = 8192
            plan.clientOptions = { $0.channelOption(.socketOption(.so_sndbuf), value: 8192) }
            let (near, farHeard) = try await connect($0, plan)
            let far = try farHeard.channel()
            let journal = Journal<Int>()
            let task = Task {
                try await near.executeThenClose { _, outbound in
                    for number in 0..<64 {
                        try await outbound.write(pattern(1 << 17))
                        journal.add(number)
                    }
                    try await farHeard.wait(bytes: 64 << 17)
                }
            }
            try await settle(near.channel)
            try expect(journal.entries.count < 64, "8 MiB were written though nobody read")
            try await far.setOption(.autoRead, value: true).value("the far end's option")
            try await task.value
        },
        NIOBatteryCase(
            "async/refused", "ClientBootstrap.connect(to:channelInitializer:): throws what connecting failed with"
        ) {
            stage in
            let address = try await ConnectingCases.unused(stage)
            do {
                _ = try await stage.host.clientBootstrap(group: try stage.group())
                    .connect(to: address, channelInitializer: wrap())
                throw NIOBatteryFailure("connect did not throw")
            } catch let error as IOError {
                try expectErrno(error, 111, what: "the error")
            }
        },
        NIOBatteryCase("async/connect-by-host", "ClientBootstrap.connect(host:port:channelInitializer:)") { stage in
            let farHeard = StreamRecorder()
            let server = try await stage.farServer(farHeard)
            let near = try await stage.host.clientBootstrap(group: try stage.group())
                .connect(host: "127.0.0.1", port: server.localAddress?.port ?? 0, channelInitializer: wrap())
            try await near.executeThenClose { _, outbound in
                try await outbound.write(contentsOf: ["a", "b", "c"].map { ByteBuffer(string: $0) })
                try await farHeard.wait(bytes: 3)
            }
            try expectBytes(farHeard.received, ByteBuffer(string: "abc"), "the data")
        },
        NIOBatteryCase("async/connected-socket", "ClientBootstrap.withConnectedSocket(_:channelInitializer:)") {
            stage in
            let farHeard = StreamRecorder()
            let server = try await stage.farServer(farHeard)
            let descriptor = try RawSocket.connected(to: server.localAddress?.port ?? 0)
            let near = try await stage.host.clientBootstrap(group: try stage.group())
                .withConnectedSocket(descriptor, channelInitializer: wrap())
            try await near.executeThenClose { _, outbound in
                try await outbound.write(ByteBuffer(string: "hello"))
                try await farHeard.wait(bytes: 5)
            }
        },
    ]
}

extension Recorder {
    /// Writes text from the channel that the handler is in, if it is in one.
    func say(_ text: String) {
        try? channel().writeAndFlush(ByteBuffer(string: text), promise: nil)
    }
}
