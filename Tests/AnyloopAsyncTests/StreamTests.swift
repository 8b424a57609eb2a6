import AnyloopAsync
import AnyloopCore
import AnyloopNativeLoop
import AnyloopTesting
import CAnyloopSystem
import Testing

/// Streams over real sockets.
@Suite struct StreamTests {
    @Test("rules 48, 53, 94: a server of streams and its client", arguments: LoopKind.allCases)
    func serverAndClient(_ kind: LoopKind) throws {
        try kind.run { loop in
            let server = try await loop.startServer(host: "127.0.0.1", port: 0) { reader, writer in
                #expect(loop.currentTask != nil)
                for try await line in reader.lines {
                    writer.write(line.reversed())
                    try await writer.drain()
                }
                writer.writeLines([Array("bye".utf8), Array("!".utf8)])
                writer.close()
                try await writer.waitClosed()
            }
            let (reader, writer) = try await loop.openConnection(host: "127.0.0.1", port: server.addresses[0].port)
            #expect(writer.peerName == server.addresses[0])
            #expect(writer.socketName != nil && writer.canWriteEOF && !writer.isClosing)
            writer.write(Array("hello\n".utf8))
            #expect(try await reader.readExactly(6).text == "\nolleh")
            writer.write(Array("end".utf8).span)
            writer.writeEOF()
            #expect(try await reader.read().text == "dnebye!")
            writer.close()
            #expect(writer.isClosing)
            try await writer.waitClosed()
            server.close()
            try await server.waitClosed()
        }
    }

    @Test("rule 62: streams over a Unix socket", arguments: LoopKind.allCases)
    func unixSockets(_ kind: LoopKind) throws {
        let path = "/tmp/anyloop-streams-\(UInt32.random(in: 0 ... .max)).sock"
        try kind.run { loop in
            let server = try await loop.startUnixServer(path: path) { reader, writer in
                writer.write(try await reader.readLine())
                writer.close()
            }
            let (reader, writer) = try await loop.openUnixConnection(path: path)
            writer.write(Array("over unix\n".utf8))
            #expect(try await reader.read().text == "over unix\n")
            writer.close()
            server.close()
            try await server.waitClosed()
        }
    }

    @Test("rule 54: a handler's error is told to the exception handler and closes", arguments: LoopKind.allCases)
    func handlersThatThrow(_ kind: LoopKind) throws {
        let journal = Journal()
        try kind.run { loop in
            loop.exceptionHandler = { journal("\($0.message): \($0.error.map(named) ?? "")") }
            let server = try await loop.startServer(host: "127.0.0.1", port: 0) { reader, _ in
                if try await reader.readLine().text == "cancel\n" { throw CancellationError() }
                throw Broken()
            }
            for word in ["throw\n", "cancel\n"] {
                let (reader, writer) = try await loop.openConnection(
                    host: "127.0.0.1", port: server.addresses[0].port)
                writer.write(Array(word.utf8))
                #expect(try await reader.read().text == "")
                writer.close()
            }
            server.close()
            try await server.waitClosed()
        }
        #expect(journal.entries == ["Unhandled exception in client_connected_cb: Broken(name: \"broken\")"])
    }

    @Test(
        "rules 68, 87, 89: reading pauses at twice the limit, and drain waits for the peer",
        arguments: LoopKind.allCases)
    func flowControl(_ kind: LoopKind) throws {
        try kind.run { loop in
            let (near, far) = try RawPair.make()
            let (reader, writer) = try await loop.openConnection(socket: near, limit: 1024)
            let (farReader, farWriter) = try await loop.openConnection(socket: far, limit: 1024)
            let total = 4 << 20
            let sending = loop.createTask {
                for _ in 0..<64 {
                    farWriter.write([UInt8](repeating: 7, count: total / 64))
                    try await farWriter.drain()
                }
                farWriter.writeEOF()
            }
            try await loop.sleep(for: .milliseconds(10))
            #expect(!sending.isDone)
            #expect(!writer.transport.isReading)
            var count = 0
            for try await chunk in reader.chunks() { count += chunk.count }
            #expect(count == total)
            try await sending.value
            #expect(farWriter.transport.writeBufferSize == 0)
            writer.close()
            #expect(try await farReader.read().isEmpty)
            farWriter.close()
        }
    }

    @Test("rules 84, 96: readers, drains and waitClosed hear why the connection ended", arguments: LoopKind.allCases)
    func resets(_ kind: LoopKind) throws {
        try kind.run { loop in
            let server = try await loop.startServer(host: "127.0.0.1", port: 0) { reader, writer in
                _ = try await reader.readLine()
                writer.transport.reset()
            }
            let (reader, writer) = try await loop.openConnection(host: "127.0.0.1", port: server.addresses[0].port)
            writer.write(Array("go\n".utf8))
            func code(_ body: () async throws -> Void) async -> Int32? {
                do {
                    try await body()
                    return nil
                } catch { return (error as? TransportError)?.errno }
            }
            #expect(await code { _ = try await reader.read() } == 104)
            #expect(await code { try await writer.drain() } == 104)
            #expect(await code { try await writer.waitClosed() } == 104)
            server.close()
        }
    }

    @Test("rules 83, 96: drain after a close gives up a turn, then throws", arguments: LoopKind.allCases)
    func drainAfterClose(_ kind: LoopKind) throws {
        try kind.run { loop in
            let (near, far) = try RawPair.make()
            defer { _ = anyloop_close(far) }
            let (_, writer) = try await loop.openConnection(socket: near)
            try await writer.drain()
            writer.close()
            do {
                for _ in 0..<3 {
                    writer.write([1])
                    try await writer.drain()
                }
                Issue.record("drained a closed connection")
            } catch { #expect("\(error)" == "drain: Connection lost (errno 104)") }
            try await writer.waitClosed()
        }
    }

    @Test("rule 12: closing the loop ends whoever reads", arguments: LoopKind.allCases)
    func closingTheLoop(_ kind: LoopKind) throws {
        let loop = try kind.make()
        let journal = Journal()
        let (near, far) = try RawPair.make()
        defer { _ = anyloop_close(far) }
        loop.createTask {
            let (reader, writer) = try await loop.openConnection(socket: near)
            do { _ = try await reader.read() } catch { journal("\(error)") }
            _ = writer
        }
        try loop.runUntilComplete { try await loop.sleep(for: .milliseconds(2)) }
        loop.closeLoop()
        #expect(journal.entries == ["Event loop is closed"])
    }

    @Test("rule 100: a writer that nobody holds any more closes its connection", arguments: LoopKind.allCases)
    func forgottenWriters(_ kind: LoopKind) throws {
        try kind.run { loop in
            let (near, far) = try RawPair.make()
            let (reader, writer) = try await loop.openConnection(socket: far)
            func forget() async throws { _ = try await loop.openConnection(socket: near) }
            try await forget()
            #expect(try await reader.read().isEmpty)
            writer.close()
            try await writer.waitClosed()
        }
    }
}

/// Two ends of a Unix stream.
enum RawPair {
    static func make() throws -> (Int32, Int32) {
        var (near, far) = (Int32(-1), Int32(-1))
        guard unsafe anyloop_socketpair(Int32(ANYLOOP_STREAM), &near, &far) == 0 else { throw Broken(name: "pair") }
        return (near, far)
    }
}
