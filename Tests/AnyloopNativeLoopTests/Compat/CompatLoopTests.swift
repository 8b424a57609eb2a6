import AnyloopCore
import AnyloopNativeLoop
import AnyloopTesting
import Testing

/// asyncio's interface on the compat loop, on every poller.
@Suite struct CompatLoopTests {
    static func loop(_ poller: PollerKind = .standard) throws -> CompatLoop {
        var options = NativeLoopOptions()
        options.poller = poller
        return try CompatLoop(options: options)
    }

    @Test(arguments: PollerKind.allCases) func serverAndClientTalk(_ poller: PollerKind) throws {
        let loop = try Self.loop(poller)
        defer { loop.closeLoop() }
        let text = try loop.runUntilComplete {
            let server = try await loop.createServer(
                {
                    let echo = RecordingProtocol()
                    echo.onData = { transport, bytes in transport.write(bytes) }
                    return echo
                }, host: "127.0.0.1", port: 0)
            let client = RecordingProtocol()
            let (transport, made) = try await loop.createConnection(
                { client }, host: "localhost", port: server.addresses[0].port)
            #expect(made === client)
            #expect(transport.loop === loop)
            transport.write(Array("hello".utf8))
            while client.byteCount < 5 { try await loop.sleep(for: .milliseconds(1)) }
            transport.close()
            server.close()
            try await server.waitClosed()
            #expect(client.isLost)
            #expect(client.grammar.violation == nil)
            return String(decoding: client.trace.bytes, as: UTF8.self)
        }
        #expect(text == "hello")
    }
}
