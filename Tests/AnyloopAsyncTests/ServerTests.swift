import AnyloopAsync
import AnyloopCore
import AnyloopNativeLoop
import AnyloopTesting
import CAnyloopSystem
import Testing

/// Servers and endpoints through the async interface.
@Suite struct ServerTests {
    @Test("rules 45, 51, 62, 114: arguments that contradict each other", arguments: LoopKind.allCases)
    func arguments(_ kind: LoopKind) throws {
        try kind.run { loop in
            let make = { RecordingProtocol() }
            let makeDatagram = { RecordingDatagramProtocol() }
            let (near, far) = try RawPair.make()
            let datagram = anyloop_socket(Int32(ANYLOOP_V4), Int32(ANYLOOP_DATAGRAM))
            defer { for descriptor in [near, far, datagram] { _ = anyloop_close(descriptor) } }
            func text(_ body: () async throws -> Void) async -> String {
                let error = await misuse(body)
                #expect(error?.kind == .argument)
                return error?.text ?? ""
            }
            #expect(
                await text { _ = try await loop.createServer(make, host: "127.0.0.1", port: 0, socket: near) }
                    == "host/port and sock can not be specified at the same time")
            #expect(
                await text { _ = try await loop.createServer(make) } == "Neither host/port nor sock were specified")
            #expect(
                await text { _ = try await loop.createServer(make, socket: datagram) }
                    == "A Stream Socket was expected, got <descriptor \(datagram)>")
            #expect(
                await text { _ = try await loop.createUnixServer(make, path: "/tmp/a", socket: near) }
                    == "path and sock can not be specified at the same time")
            #expect(
                await text { _ = try await loop.createUnixServer(make) }
                    == "path was not specified, and no sock specified")
            #expect(
                await text { _ = try await loop.createUnixServer(make, socket: datagram) }
                    == "A UNIX Domain Stream Socket was expected, got <descriptor \(datagram)>")
            #expect(
                await text { _ = try await loop.createDatagramEndpoint(makeDatagram, socket: near) }
                    == "A datagram socket was expected, got <descriptor \(near)>")
            #expect(
                await text {
                    _ = try await loop.createDatagramEndpoint(
                        makeDatagram, localAddress: .host("127.0.0.1", port: 0), socket: datagram)
                }
                    == "socket modifier keyword arguments can not be used when sock is specified. "
                    + "(local_addr=127.0.0.1:0)")
        }
    }

    @Test("rules 51, 114: sockets of the application's are taken over", arguments: LoopKind.allCases)
    func sockets(_ kind: LoopKind) throws {
        try kind.run { loop in
            var address = anyloop_address()
            address.family = UInt8(ANYLOOP_V4)
            address.low = 0x7F00_0001
            let listener = anyloop_socket(Int32(ANYLOOP_V4), Int32(ANYLOOP_STREAM))
            #expect(unsafe anyloop_bind(listener, &address) == 0)
            let accepted = RecordingProtocol()
            let server = try await loop.createServer({ accepted }, socket: listener)
            let (_, writer) = try await loop.openConnection(host: "127.0.0.1", port: server.addresses[0].port)
            writer.write([1, 2, 3])
            while accepted.byteCount < 3 { try await loop.sleep(for: .milliseconds(1)) }
            writer.close()
            server.close()
            try await server.waitClosed()

            let datagram = anyloop_socket(Int32(ANYLOOP_V4), Int32(ANYLOOP_DATAGRAM))
            #expect(unsafe anyloop_bind(datagram, &address) == 0)
            let (far, receiver) = try await loop.createDatagramEndpoint(
                { RecordingDatagramProtocol() }, socket: datagram)
            let (near, _) = try await loop.createDatagramEndpoint(
                { RecordingDatagramProtocol() }, remoteAddress: far.socketName.map { .address($0) })
            near.send([9].span, to: nil)
            while receiver.datagrams.isEmpty { try await loop.sleep(for: .milliseconds(1)) }
            #expect(receiver.datagrams == [[9]])
        }
    }

    @Test(
        "rules 57, 58: waitClosed is woken by close itself, and returns at once afterwards",
        arguments: LoopKind.allCases)
    func waitClosed(_ kind: LoopKind) throws {
        let journal = Journal()
        try kind.run { loop in
            let server = try await loop.createServer({ RecordingProtocol() }, host: "127.0.0.1", port: 0)
            let waiting = loop.createTask {
                try await server.waitClosed()
                journal("closed")
            }
            try await loop.sleep(for: .zero)
            server.close()
            loop.callSoon { journal("after close") }
            try await waiting.value
            try await server.waitClosed()
            journal("again")
        }
        #expect(journal.entries == ["closed", "after close", "again"])
    }

    @Test("rules 58, 59: serveForever ends with the last connection", arguments: LoopKind.allCases)
    func serveForever(_ kind: LoopKind) throws {
        let journal = Journal()
        try kind.run { loop in
            let server = try await loop.createServer({ RecordingProtocol() }, host: "127.0.0.1", port: 0)
            let (_, writer) = try await loop.openConnection(host: "127.0.0.1", port: server.addresses[0].port)
            while server.connectionCount == 0 { try await loop.sleep(for: .milliseconds(1)) }
            let serving = loop.createTask { try await server.serveForever() }
            try await loop.sleep(for: .zero)
            serving.cancel()
            try await loop.sleep(for: .milliseconds(2))
            #expect(!server.isServing && !serving.isDone)
            journal("closing")
            writer.close()
            do { try await serving.value } catch { journal(named(error)) }
            #expect(serving.isCancelled && server.connectionCount == 0)
        }
        #expect(journal.entries == ["closing", "cancelled"])
    }

    @Test("rule 60: a server that closes after a piece of work", arguments: LoopKind.allCases)
    func closingAfter(_ kind: LoopKind) throws {
        try kind.run { loop in
            let server = try await loop.createServer({ RecordingProtocol() }, host: "127.0.0.1", port: 0)
            let count = try await server.closing { $0.addresses.count }
            #expect(count == 1 && !server.isServing && server.addresses.isEmpty)
            await #expect(throws: Broken()) { try await server.closing { _ in throw Broken() } }
        }
    }
}
