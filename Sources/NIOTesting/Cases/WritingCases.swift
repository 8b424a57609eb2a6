import NIOConcurrencyHelpers
import NIOCore

/// Writing: what is sent, when, and what becomes of the promises.
enum WritingCases {
    static let promises: [NIOBatteryCase] = [
        NIOBatteryCase("write/needs-a-flush", "ChannelOutboundInvoker.write: sent once flush is called, not before") {
            let pair = try await $0.accepted()
            let written = pair.near.write(ByteBuffer(string: "hello"))
            try await settle(pair.near)
            try expectEqual(pair.farHeard.received.readableBytes, 0, "bytes before flush")
            pair.near.flush()
            try await written.value("the write")
            try await pair.farHeard.wait(bytes: 5)
        },
        NIOBatteryCase("write/and-flush", "ChannelOutboundInvoker.writeAndFlush: shortcut for write and flush") {
            for pair in [try await $0.accepted(), try await $0.connected()] {
                try await pair.near.writeAndFlush(ByteBuffer(string: "hello")).value("the write")
                try expectBytes(try await pair.farHeard.wait(bytes: 5), ByteBuffer(string: "hello"), "the data")
            }
        },
        NIOBatteryCase(
            "write/promises-in-order", "EventLoopPromise of write: notified once its write is done, in order"
        ) {
            stage in
            let pair = try await stage.accepted()
            let journal = Journal<Int>()
            try await pair.onLoop("writing") { channel in
                for number in 0..<100 {
                    channel.write(ByteBuffer(string: "\(number) ")).whenSuccess { journal.add(number) }
                }
                channel.flush()
            }
            try expectEqual(try await journal.wait("100 writes", count: 100), Array(0..<100), "the order")
        },
        NIOBatteryCase("write/flush-covers-what-was-before-it", "ChannelOutboundInvoker.flush: all previous writes") {
            let pair = try await $0.accepted()
            let later = NIOLockedValueBox(false)
            let (first, second) = try await pair.onLoop("writing") { channel in
                let first = channel.write(ByteBuffer(string: "first"))
                channel.flush()
                let second = channel.write(ByteBuffer(string: "second"))
                second.whenComplete { _ in later.withLockedValue { $0 = true } }
                return (first, second)
            }
            try await first.value("the flushed write")
            try await settle(pair.near)
            try expect(!later.withLockedValue { $0 }, "a write was done without a flush after it")
            pair.near.flush()
            try await second.value("the second write")
            try expectBytes(try await pair.farHeard.wait(bytes: 11), ByteBuffer(string: "firstsecond"), "the data")
        },
        NIOBatteryCase("write/empty-buffer", "ChannelOutboundInvoker.write: an empty buffer's promise is fulfilled too")
        {
            let pair = try await $0.accepted()
            try await pair.near.writeAndFlush(ByteBuffer()).value("the empty write")
            let (empty, full) = try await pair.onLoop("writing") { channel in
                let empty = channel.write(ByteBuffer())
                let full = channel.write(ByteBuffer(string: "full"))
                channel.write(ByteBuffer(), promise: nil)
                channel.flush()
                return (empty, full)
            }
            try await empty.value("the empty write")
            try await full.value("the write")
            try await pair.farHeard.wait(bytes: 4)
        },
        NIOBatteryCase("write/flush-of-nothing", "ChannelOutboundInvoker.flush: without writes it does nothing") {
            let pair = try await $0.accepted()
            pair.near.flush()
            try await pair.near.writeAndFlush(ByteBuffer(string: "on")).value("the write")
            pair.near.flush()
            try await pair.farHeard.wait(bytes: 2)
        },
        NIOBatteryCase(
            "write/on-active", "ChannelInboundHandler.channelActive: the channel may be written to from then on"
        ) {
            var plan = PairPlan()
            plan.reaction = { event, context in
                if event == .active { context.channel.writeAndFlush(ByteBuffer(string: "welcome"), promise: nil) }
            }
            for pair in [try await $0.accepted(plan), try await $0.connected(plan)] {
                try await pair.farHeard.wait(bytes: 7)
            }
        },
        NIOBatteryCase(
            "write/before-active", "ChannelOutboundInvoker.write: buffered until the channel is active, then sent"
        ) { stage in
            let farHeard = StreamRecorder()
            let server = try await stage.farServer(farHeard)
            let journal = Journal<String>()
            _ = try await stage.host.clientBootstrap(group: try stage.group())
                .channelInitializer { channel in
                    channel.writeAndFlush(ByteBuffer(string: "early")).whenComplete { journal.add("\($0)") }
                    return channel.eventLoop.makeSucceededVoidFuture()
                }
                .connect(to: try stage.address(server)).value("connect")
            try await farHeard.wait(bytes: 5)
            try expectEqual(try await journal.wait("the write", count: 1).count, 1, "writes")
        },
        NIOBatteryCase("write/after-close", "ChannelError.ioOnClosedChannel: a write on a channel that is closed") {
            let pair = try await $0.accepted()
            try await pair.near.close().value("close")
            for _ in 0..<2 {
                let error = try await pair.near.writeAndFlush(ByteBuffer(string: "late")).error("the write")
                try expectError(error, ChannelError.ioOnClosedChannel, "the error")
            }
            pair.near.flush()
        },
        NIOBatteryCase(
            "write/unflushed-fail-on-close",
            "ChannelError.ioOnClosedChannel: what was not written when the channel closes"
        ) {
            let pair = try await $0.accepted()
            let write = pair.near.write(ByteBuffer(string: "never flushed"))
            try await pair.near.close().value("close")
            try expectError(try await write.error("the write"), ChannelError.ioOnClosedChannel, "the error")
        },
        NIOBatteryCase(
            "write/flushed-fail-on-close", "Channel.close: does not wait for what is flushed; it fails, and all of it"
        ) {
            var plan = PairPlan()
            plan.farReads = false
            plan.bufferSize = 8192
            let pair = try await $0.accepted(plan)
            let writes = try await pair.onLoop("writing") { channel in
                let writes = (0..<20).map { _ in channel.write(pattern(1 << 20)) }
                channel.flush()
                return writes
            }
            try await pair.near.close().value("close")
            for write in writes {
                try expectError(try await write.error("the write"), ChannelError.ioOnClosedChannel, "the error")
            }
        },
        NIOBatteryCase(
            "write/fail-on-reset", "EventLoopPromise of write: failed with the error that closed the channel"
        ) {
            var plan = PairPlan()
            plan.farReads = false
            plan.bufferSize = 8192
            let pair = try await $0.accepted(plan)
            let write: EventLoopFuture<Void> = pair.near.writeAndFlush(pattern(16 << 20))
            try await settle(pair.near)
            try await pair.farReset()
            let error = try await write.error("the write")
            try expect(error is IOError || error as? ChannelError == .ioOnClosedChannel, "the error was \(error)")
            try await pair.heard.wait(for: .inactive)
        },
        NIOBatteryCase("write/in-a-write-promise", "EventLoopFuture.whenComplete: a callback may write and flush again")
        {
            let pair = try await $0.accepted()
            let second = try await pair.onLoop("writing") { channel in
                channel.writeAndFlush(ByteBuffer(string: "first")).flatMap {
                    channel.writeAndFlush(ByteBuffer(string: "second"))
                }
            }
            try await second.value("the second write")
            try expectBytes(try await pair.farHeard.wait(bytes: 11), ByteBuffer(string: "firstsecond"), "the data")
        },
        NIOBatteryCase("write/close-in-a-write-promise", "Channel.close: from a write's callback; later writes fail") {
            stage in
            let pair = try await stage.accepted()
            let journal = Journal<String>()
            try await pair.onLoop("writing") { channel in
                channel.write(ByteBuffer(string: "first")).whenSuccess { channel.close(promise: nil) }
                channel.flush()
                channel.writeAndFlush(ByteBuffer(string: "second")).whenComplete { result in
                    if case .failure(let error) = result {
                        journal.add("\(error as? ChannelError == .ioOnClosedChannel)")
                    }
                }
            }
            try expectEqual(try await journal.wait("the failure", count: 1), ["true"], "ioOnClosedChannel")
        },
        NIOBatteryCase(
            "write/from-other-threads", "Channel: all its operations are thread-safe; each thread's order is kept"
        ) {
            let pair = try await $0.accepted()
            let near = pair.near
            async let one: Void = onThread("thread 1") {
                for _ in 0..<200 { near.write(ByteBuffer(string: "a"), promise: nil) }
            }
            async let two: Void = onThread("thread 2") {
                for _ in 0..<200 { near.write(ByteBuffer(string: "b"), promise: nil) }
            }
            _ = try await (one, two)
            try await near.writeAndFlush(ByteBuffer(string: ".")).value("the last write")
            let received = try await pair.farHeard.wait(bytes: 401)
            try expectEqual(
                received.readableBytesView.filter { $0 == UInt8(ascii: "a") }.count, 200, "bytes of thread 1")
            try expectEqual(received.readableBytesView.last, UInt8(ascii: "."), "the last byte")
        },
    ]

    static let data: [NIOBatteryCase] = [
        NIOBatteryCase(
            "write/many-small-at-once", "ChannelOutboundInvoker.flush: any number of writes, more than one writev"
        ) {
            for pair in [try await $0.accepted(), try await $0.connected()] {
                let last = try await pair.onLoop("writing") { channel in
                    for number in 0..<3000 { channel.write(ByteBuffer(integer: UInt16(number)), promise: nil) }
                    return channel.writeAndFlush(ByteBuffer(string: "."))
                }
                try await last.value("the last write")
                var received = try await pair.farHeard.wait(bytes: 6001)
                for number in 0..<3000 {
                    try expectEqual(received.readInteger(as: UInt16.self), UInt16(number), "a number")
                }
            }
        },
        NIOBatteryCase(
            "write/eight-mebibytes", "ChannelOutboundInvoker.writeAndFlush: goes on when the socket takes more"
        ) {
            for pair in [try await $0.accepted(), try await $0.connected()] {
                let sent = pattern(8 << 20)
                try await pair.near.writeAndFlush(sent).value("the write")
                try expectBytes(try await pair.farHeard.wait(bytes: sent.readableBytes), sent, "the data")
            }
        },
        NIOBatteryCase(
            "write/many-large-at-once", "ChannelOutboundInvoker.flush: partial vector writes go on where they stopped"
        ) {
            var plan = PairPlan()
            plan.bufferSize = 16384
            let pair = try await $0.accepted(plan)
            let sent = pattern(3 << 20)
            let done = try await pair.onLoop("writing") { channel in
                var (rest, sizes, turn) = (sent, [1, 100_003, 17, 65_536, 4_099], 0)
                var last = channel.eventLoop.makeSucceededVoidFuture()
                while let piece = rest.readSlice(length: min(sizes[turn % 5], rest.readableBytes)),
                    piece.readableBytes > 0
                {
                    last = channel.write(piece)
                    turn += 1
                }
                channel.flush()
                return last
            }
            try await done.value("the last write")
            try expectBytes(try await pair.farHeard.wait(bytes: sent.readableBytes), sent, "the data")
        },
        NIOBatteryCase(
            "write/waits-for-a-slow-reader", "EventLoopPromise of write: not notified before the socket took the data"
        ) {
            var plan = PairPlan()
            plan.farReads = false
            plan.bufferSize = 8192
            let pair = try await $0.accepted(plan)
            let done = NIOLockedValueBox(false)
            let write: EventLoopFuture<Void> = pair.near.writeAndFlush(pattern(8 << 20))
            write.whenComplete { _ in done.withLockedValue { $0 = true } }
            try await settle(pair.near)
            try expect(!done.withLockedValue { $0 }, "8 MiB were written though nobody read")
            try await pair.far.setOption(.autoRead, value: true).value("the far end's option")
            try await write.value("the write")
        },
        NIOBatteryCase(
            "write/unflushed-stay-behind",
            "ChannelOutboundInvoker.flush: what is written after it waits for the next one"
        ) {
            var plan = PairPlan()
            plan.farReads = false
            plan.bufferSize = 8192
            let pair = try await $0.accepted(plan)
            let flushed: EventLoopFuture<Void> = pair.near.writeAndFlush(pattern(4 << 20))
            let done = NIOLockedValueBox(false)
            let late = pair.near.write(ByteBuffer(string: "late"))
            late.whenComplete { _ in done.withLockedValue { $0 = true } }
            try await pair.far.setOption(.autoRead, value: true).value("the far end's option")
            try await flushed.value("the flushed write")
            try await settle(pair.near)
            try expect(!done.withLockedValue { $0 }, "a write was sent without a flush after it")
            pair.near.flush()
            try await late.value("the late write")
        },
        NIOBatteryCase("write/reading-goes-on-meanwhile", "Channel: reads come while writes wait for the socket") {
            var plan = PairPlan()
            plan.farReads = false
            plan.bufferSize = 8192
            let pair = try await $0.accepted(plan)
            pair.near.writeAndFlush(pattern(8 << 20), promise: nil)
            try await settle(pair.near)
            try await pair.farSend("hello")
            try await pair.heard.wait(bytes: 5)
        },
        NIOBatteryCase(
            "write/from-channel-read-complete", "ChannelInboundHandler.channelReadComplete: a place to flush"
        ) {
            var plan = PairPlan()
            plan.reaction = { event, context in
                switch event {
                case .read(let count): context.channel.write(ByteBuffer(repeating: 1, count: count), promise: nil)
                case .readComplete: context.flush()
                default: break
                }
            }
            let pair = try await $0.accepted(plan)
            try await pair.farSend("12345")
            try await pair.farHeard.wait(bytes: 5)
        },
        NIOBatteryCase("write/buffered-bytes", "ChannelOptions.bufferedWritableBytes: bytes written and not yet sent") {
            let pair = try await $0.accepted()
            try expectEqual(try await pair.near.getOption(.bufferedWritableBytes).value("getOption"), 0, "at first")
            pair.near.write(ByteBuffer(string: "hello"), promise: nil)
            try expectEqual(try await pair.near.getOption(.bufferedWritableBytes).value("getOption"), 5, "after write")
            try await pair.near.writeAndFlush(ByteBuffer(string: "!")).value("the write")
            try expectEqual(try await pair.near.getOption(.bufferedWritableBytes).value("getOption"), 0, "after flush")
        },
        NIOBatteryCase("write/slices-and-offsets", "ByteBuffer: what is readable is sent, from the reader index on") {
            let pair = try await $0.accepted()
            var buffer = ByteBuffer(string: "0123456789")
            buffer.moveReaderIndex(forwardBy: 3)
            pair.near.write(buffer, promise: nil)
            pair.near.write(buffer.getSlice(at: 5, length: 2) ?? ByteBuffer(), promise: nil)
            pair.near.flush()
            try expectBytes(try await pair.farHeard.wait(bytes: 9), ByteBuffer(string: "345678956"), "the data")
        },
    ]

    static let files: [NIOBatteryCase] = [
        NIOBatteryCase("file/whole", "FileRegion: a file's part, sent without being read into memory") { stage in
            for pair in [try await stage.accepted(), try await stage.connected()] {
                let content = pattern(100_000)
                let handle = try stage.file(content)
                let region = try FileRegion(fileHandle: handle)
                try await pair.near.writeAndFlush(region).value("the write")
                try handle.close()
                try expectBytes(try await pair.farHeard.wait(bytes: 100_000), content, "the data")
            }
        },
        NIOBatteryCase(
            "file/part", "FileRegion.init(fileHandle:readerIndex:endIndex:): from the reader to the end index"
        ) {
            stage in
            let pair = try await stage.accepted()
            let handle = try stage.file(ByteBuffer(string: "0123456789"))
            try await pair.near.writeAndFlush(FileRegion(fileHandle: handle, readerIndex: 2, endIndex: 7)).value(
                "the write")
            try handle.close()
            try expectBytes(try await pair.farHeard.wait(bytes: 5), ByteBuffer(string: "23456"), "the data")
        },
        NIOBatteryCase("file/empty", "FileRegion: an empty one's promise is fulfilled, nothing is sent") { stage in
            let pair = try await stage.accepted()
            let handle = try stage.file(ByteBuffer(string: "0123456789"))
            try await pair.near.writeAndFlush(FileRegion(fileHandle: handle, readerIndex: 3, endIndex: 3)).value(
                "the write")
            try handle.close()
            try await pair.near.writeAndFlush(ByteBuffer(string: "on")).value("the next write")
            try expectBytes(try await pair.farHeard.wait(bytes: 2), ByteBuffer(string: "on"), "the data")
        },
        NIOBatteryCase("file/among-buffers", "IOData: buffers and file regions in one flush keep their order") {
            stage in
            let pair = try await stage.accepted()
            let handle = try stage.file(ByteBuffer(string: "file"))
            let region = try FileRegion(fileHandle: handle)
            let last = try await pair.onLoop("writing") { channel in
                channel.write(ByteBuffer(string: "<"), promise: nil)
                channel.write(ByteBuffer(string: "<"), promise: nil)
                channel.write(region, promise: nil)
                channel.write(IOData.byteBuffer(ByteBuffer(string: "|")), promise: nil)
                channel.write(IOData.fileRegion(region), promise: nil)
                channel.write(region, promise: nil)
                return channel.writeAndFlush(ByteBuffer(string: ">"))
            }
            try await last.value("the last write")
            try handle.close()
            try expectBytes(try await pair.farHeard.wait(bytes: 16), ByteBuffer(string: "<<file|filefile>"), "the data")
        },
        NIOBatteryCase("file/larger-than-the-socket", "FileRegion: sent in as many turns as the socket takes") {
            stage in
            var plan = PairPlan()
            plan.bufferSize = 16384
            let pair = try await stage.accepted(plan)
            let content = pattern(4 << 20)
            let handle = try stage.file(content)
            let region = try FileRegion(fileHandle: handle)
            try await pair.near.writeAndFlush(region).value("the write")
            try handle.close()
            try expectBytes(try await pair.farHeard.wait(bytes: content.readableBytes), content, "the data")
        },
        NIOBatteryCase("file/fails-on-close", "ChannelError.ioOnClosedChannel: also what a file region's promise gets")
        {
            let stage = $0
            let pair = try await stage.accepted()
            let handle = try stage.file(ByteBuffer(string: "file"))
            let region = try FileRegion(fileHandle: handle)
            let write = pair.near.write(region)
            try await pair.near.close().value("close")
            try expectError(try await write.error("the write"), ChannelError.ioOnClosedChannel, "the error")
            try handle.close()
        },
    ]
}
