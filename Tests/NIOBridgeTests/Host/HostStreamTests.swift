import NIOBridge
import NIOConcurrencyHelpers
import NIOCore
import NIOHTTP1
import Testing

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

@Suite struct HostStreamTests {
    @Test func echoesWhatItGets() async throws {
        try await withGroup(threads: 2) { group in
            let server = try await NativeServerBootstrap(group: group)
                .childChannelInitializer { $0.pipeline.addHandler(EchoHandler()) }
                .bindLocally()
            let recorder = RecordingHandler()
            let client = try await NativeClientBootstrap(group: group)
                .channelInitializer { $0.pipeline.addHandler(recorder) }
                .connect(toServer: server)
            try await client.writeAndFlush(ByteBuffer(string: "hello")).get()
            try await client.close(mode: .output).get()
            try await client.closeFuture.get()
            #expect(recorder.text == "hello")
            #expect(recorder.events == ["registered", "active", "outputClosed", "inactive", "unregistered", "removed"])
            try await server.close().get()
        }
    }

    /// What a handler sees of a peer that ends its half first, with and without `allowRemoteHalfClosure`.
    @Test(arguments: [true, false]) func halfClosure(isAllowed: Bool) async throws {
        try await withGroup { group in
            let recorder = RecordingHandler()
            let accepted = group.any().makePromise(of: (any Channel).self)
            let server = try await NativeServerBootstrap(group: group)
                .childChannelOption(.allowRemoteHalfClosure, value: isAllowed)
                .childChannelInitializer { child in
                    accepted.succeed(child)
                    return child.pipeline.addHandler(recorder)
                }
                .bindLocally()
            let client = try await NativeClientBootstrap(group: group)
                .channelOption(.allowRemoteHalfClosure, value: true)
                .connect(toServer: server)
            try await client.writeAndFlush(ByteBuffer(string: "bye")).get()
            try await client.close(mode: .output).get()
            let child = try await accepted.futureResult.get()
            if isAllowed {
                await recorder.wait(for: "inputClosed")
                #expect(child.isActive)
                await #expect(throws: ChannelError.inputClosed) { try await child.close(mode: .input).get() }
                try await child.close(mode: .output).get()
            }
            try await client.closeFuture.get()
            try await child.closeFuture.get()
            #expect(recorder.text == "bye")
            await #expect(throws: ChannelError.alreadyClosed) { try await client.close(mode: .output).get() }
            #expect(
                recorder.events.filter { !["registered", "active", "removed"].contains($0) }
                    // Closing the other half as well is a full close.
                    == (isAllowed ? ["inputClosed"] : []) + ["inactive", "unregistered"])
        }
    }

    /// At the high mark a channel is writable, one byte more and it is not, below the low one it is again.
    @Test func waterMarks() async throws {
        try await withGroup { group in
            let server = try await NativeServerBootstrap(group: group).bindLocally()
            let client = try await NativeClientBootstrap(group: group)
                .channelOption(.writeBufferWaterMark, value: .init(low: 10, high: 100))
                .connect(toServer: server)
            try await client.eventLoop.submit {
                client.write(ByteBuffer(repeating: 1, count: 100), promise: nil)
                #expect(client.isWritable)
                let full = try client.syncOptions?.getOption(.bufferedWritableBytes)
                #expect(full == 100)
                client.write(ByteBuffer(repeating: 1, count: 1), promise: nil)
                #expect(!client.isWritable)
                client.flush()
                #expect(client.isWritable)
                let empty = try client.syncOptions?.getOption(.bufferedWritableBytes)
                #expect(empty == 0)
            }.get()
        }
    }

    /// More pieces than one gathering call takes, small and large, with a file among them: all arrives in its order.
    @Test(arguments: [1, 100, 20_000, 100_000]) func sendsPiecesInOrder(size: Int) async throws {
        try await withGroup { group in
            let recorder = RecordingHandler()
            let server = try await NativeServerBootstrap(group: group)
                .childChannelInitializer { $0.pipeline.addHandler(recorder) }
                .bindLocally()
            let client = try await NativeClientBootstrap(group: group).connect(toServer: server)
            let (file, region) = try openThisFile()
            var expected: [UInt8] = []
            for number in 0..<70 {
                let piece = [UInt8](repeating: UInt8(number), count: number.isMultiple(of: 7) ? 0 : size)
                expected += piece
                client.write(ByteBuffer(bytes: piece), promise: nil)
            }
            try await client.writeAndFlush(IOData.fileRegion(region)).get()
            try await client.writeAndFlush(ByteBuffer(string: "the end")).get()
            try file.close()
            try await client.close().get()
            await recorder.wait(for: "inactive")
            let bytes = recorder.record.withLockedValue { $0.bytes }
            #expect(bytes.prefix(expected.count).elementsEqual(expected))
            #expect(bytes.count == expected.count + region.readableBytes + 7)
            #expect(bytes.suffix(7).elementsEqual("the end".utf8))
        }
    }

    /// Two pieces that just fit the flat buffer, and one byte more, arrive as they are.
    @Test(arguments: [8192, 8193]) func flatBufferLimit(second: Int) async throws {
        try await withGroup { group in
            let recorder = RecordingHandler()
            let server = try await NativeServerBootstrap(group: group)
                .childChannelInitializer { $0.pipeline.addHandler(recorder) }
                .bindLocally()
            let client = try await NativeClientBootstrap(group: group).connect(toServer: server)
            client.write(ByteBuffer(repeating: 1, count: 8192), promise: nil)
            try await client.writeAndFlush(ByteBuffer(repeating: 2, count: second)).get()
            try await client.close().get()
            await recorder.wait(for: "inactive")
            let bytes = recorder.record.withLockedValue { $0.bytes }
            #expect(bytes == [UInt8](repeating: 1, count: 8192) + [UInt8](repeating: 2, count: second))
        }
    }

    /// What is sent before the connection is there goes out once it is.
    @Test func writesBeforeTheConnection() async throws {
        try await withGroup { group in
            let recorder = RecordingHandler()
            let server = try await NativeServerBootstrap(group: group)
                .childChannelInitializer { $0.pipeline.addHandler(EchoHandler()) }
                .bindLocally()
            let client = try await NativeClientBootstrap(group: group)
                .channelInitializer { channel in
                    channel.writeAndFlush(ByteBuffer(string: "early"), promise: nil)
                    return channel.pipeline.addHandler(recorder)
                }
                .connect(toServer: server)
            try await client.close(mode: .output).get()
            try await client.closeFuture.get()
            #expect(recorder.text == "early")
        }
    }

    @Test func autoReadOffHoldsBackAndTellsOfTheEnd() async throws {
        try await withGroup { group in
            let recorder = RecordingHandler()
            let server = try await NativeServerBootstrap(group: group)
                .childChannelOption(.autoRead, value: false)
                .childChannelInitializer { $0.pipeline.addHandler(recorder) }
                .bindLocally()
            let client = try await NativeClientBootstrap(group: group).connect(toServer: server)
            try await client.writeAndFlush(ByteBuffer(string: "unread")).get()
            #expect(recorder.text.isEmpty)
            try await client.close().get()
            await recorder.wait(for: "inactive")
            #expect(recorder.text == "unread")
        }
    }

    @Test func unixSocketsAndAsyncChannels() async throws {
        try await withGroup { group in
            let path = "/tmp/anyloop-host-\(UInt32.random(in: 0...UInt32.max))"
            for round in 0..<2 {
                let server = try await NativeServerBootstrap(group: group)
                    .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
                    .bind(unixDomainSocketPath: path, cleanupExistingSocketFile: true) { child in
                        child.eventLoop.makeCompletedFuture {
                            try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: child)
                        }
                    }
                let client = try await NativeClientBootstrap(group: group).connect(unixDomainSocketPath: path) {
                    channel in
                    channel.eventLoop.makeCompletedFuture {
                        try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                    }
                }
                try await withThrowingTaskGroup(of: Void.self) { tasks in
                    tasks.addTask {
                        try await server.executeThenClose { connections in
                            for try await connection in connections {
                                try await connection.executeThenClose { inbound, outbound in
                                    for try await bytes in inbound { try await outbound.write(bytes) }
                                }
                                break
                            }
                        }
                    }
                    try await client.executeThenClose { inbound, outbound in
                        try await outbound.write(ByteBuffer(string: "round \(round)"))
                        var iterator = inbound.makeAsyncIterator()
                        let answer = try #require(try await iterator.next())
                        #expect(String(buffer: answer) == "round \(round)")
                    }
                    try await tasks.waitForAll()
                }
            }
            let holder = try await NativeServerBootstrap(group: group).bind(unixDomainSocketPath: path).get()
            await #expect(throws: IOError.self) {
                try await NativeServerBootstrap(group: group).bind(unixDomainSocketPath: path).get()
            }
            try await holder.close()
            #expect(unsafe access(path, F_OK) < 0, "the socket's file goes with the server")
            await #expect(throws: IOError.self) {
                try await NativeServerBootstrap(group: group)
                    .bind(unixDomainSocketPath: "/tmp", cleanupExistingSocketFile: true).get()
            }
        }
    }

    @Test func connectsByName() async throws {
        try await withGroup { group in
            let server = try await NativeServerBootstrap(group: group)
                .childChannelInitializer { $0.pipeline.addHandler(EchoHandler()) }
                .bindLocally()
            let port = try #require(server.localAddress?.port)
            let client = try await NativeClientBootstrap(group: group).connect(host: "localhost", port: port).get()
            #expect(client.remoteAddress?.port == port)
            #expect(client.isActive)
        }
    }

    /// NIOHTTP1's pipelines on both sides, as NIO's own examples set them up.
    @Test func servesHTTP() async throws {
        try await withGroup { group in
            // begin: nio-host
            // NIOHTTP1's server pipeline, as on SwiftNIO's own loop; `group` is a NativeEventLoopGroup.
            let server = try await NativeServerBootstrap(group: group)
                .childChannelInitializer { channel in
                    channel.pipeline.configureHTTPServerPipeline().flatMapThrowing {
                        try channel.pipeline.syncOperations.addHandler(HelloHandler())
                    }
                }
                .bind(host: "127.0.0.1", port: 0).get()
            // end: nio-host
            let answer = group.any().makePromise(of: String.self)
            let client = try await NativeClientBootstrap(group: group)
                .channelInitializer { channel in
                    channel.pipeline.addHTTPClientHandlers().flatMapThrowing {
                        try channel.pipeline.syncOperations.addHandler(AnswerHandler(answer))
                    }
                }
                .connect(toServer: server)
            let head = HTTPRequestHead(version: .http1_1, method: .GET, uri: "/", headers: ["host": "test"])
            client.write(HTTPClientRequestPart.head(head), promise: nil)
            client.writeAndFlush(HTTPClientRequestPart.end(nil), promise: nil)
            #expect(try await answer.futureResult.get() == "hello from /")
        }
    }
}

/// A file that is there: this one.
private func openThisFile() throws -> (NIOFileHandle, FileRegion) {
    let file = try NIOFileHandle(_deprecatedPath: #filePath)
    return (file, try FileRegion(fileHandle: file))
}

private final class HelloHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private var uri = ""

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head): uri = head.uri
        case .body: break
        case .end:
            let body = ByteBuffer(string: "hello from \(uri)")
            let head = HTTPResponseHead(
                version: .http1_1, status: .ok, headers: ["content-length": "\(body.readableBytes)"])
            context.write(wrapOutboundOut(.head(head)), promise: nil)
            context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil)
            context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        }
    }
}

private final class AnswerHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPClientResponsePart

    private let answer: EventLoopPromise<String>
    private var text = ""

    init(_ answer: EventLoopPromise<String>) {
        self.answer = answer
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head: break
        case .body(let body): text += String(buffer: body)
        case .end: answer.succeed(text)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { answer.fail(error) }
}
