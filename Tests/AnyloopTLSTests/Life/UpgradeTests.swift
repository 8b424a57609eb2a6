import AnyloopCore
import AnyloopTestHosts
import Testing

@testable import AnyloopTLS
@testable import AnyloopTesting

/// A live connection changes to TLS (rule 130), also one that is TLS already.
@Suite struct UpgradeTests {
    /// A plain connection of which the far end is raw.
    private final class Scene {
        let setup: LifeSetup
        let host: any BatteryHost
        let old = RecordingProtocol()
        let new = RecordingProtocol()
        let raw: any BatteryPeer
        let far: EngineSide
        var result: Result<any StreamTransport, TransportError>?
        var attempt: (any Cancellable)?

        init(_ setup: LifeSetup) throws {
            self.setup = setup
            host = try setup.host()
            raw = try host.makePair(old)
            far = EngineSide(try setup.tls.farEngine())
            try wait("connectionMade") { old.isOpen }
        }

        deinit { host.tearDown() }

        var transport: (any StreamTransport)? { try? result?.get() }
        var failure: TransportError? { if case .failure(let error)? = result { error } else { nil } }

        func upgrade(unread: Int = 0, options: TLSConnectionOptions = TLSConnectionOptions()) throws {
            let below = try #require(old.transport)
            let contexts = try setup.tls.contexts()
            switch setup.tls.side {
            case .client:
                attempt = host.loop.startTLS(
                    on: below, protocol: new, tls: contexts.client, serverName: "localhost", unreadCount: unread,
                    tlsOptions: options
                ) { self.result = $0 }
            case .server:
                attempt = host.loop.startTLS(
                    on: below, protocol: new, tls: contexts.server, unreadCount: unread, tlsOptions: options
                ) { self.result = $0 }
            }
            #expect(result == nil, "the completion ran inside the call")
        }

        func carry() throws {
            try host.step()
            let bytes = raw.takeReceived()
            if !bytes.isEmpty { far.receive(bytes) }
            let output = far.takeOutput()
            if !output.isEmpty { raw.send(output) }
        }

        func wait(_ what: String, carrying: Bool = false, until isDone: () -> Bool) throws {
            let end = ContinuousClock.now + .seconds(10)
            while !isDone() {
                guard ContinuousClock.now < end else { throw BatteryFailure("waited in vain for \(what)") }
                if carrying { try carry() } else { try host.step() }
            }
        }
    }

    @Test(arguments: LifeSetup.all, [false, true]) func upgrades(_ setup: LifeSetup, _ isPaused: Bool) throws {
        let scene = try Scene(setup)
        scene.raw.send([1])
        try scene.wait("plain data") { scene.old.byteCount == 1 }
        let below = try #require(scene.old.transport)
        below.write([2])
        if isPaused { below.pauseReading() }
        try scene.wait("the plain answer") { scene.raw.received == [2] }
        _ = scene.raw.takeReceived()
        try scene.upgrade()
        scene.far.advance()
        try scene.wait("the handshake", carrying: true) { scene.result != nil && scene.far.isOpen }
        let transport = try #require(scene.transport)
        #expect(transport !== below)
        #expect(transport.tls?.serverName == "localhost")
        #expect(scene.new.trace.all.isEmpty, "the new protocol got connectionMade")
        transport.write([3])
        _ = scene.far.engine.write([4, 5].span)
        try scene.wait("data both ways", carrying: true) { scene.new.byteCount == 2 && scene.far.received == [3] }
        transport.close()
        try scene.wait("close_notify", carrying: true) { scene.far.isClosed }
        _ = scene.far.engine.close()
        try scene.wait("the end", carrying: true) { scene.new.count(.lost) == 1 }
        #expect(scene.new.lostError == nil)
        #expect(scene.old.trace.all == [.made, .data([1])], "the old protocol heard more")
    }

    @Test(arguments: LifeSetup.all) func surplusPlaintextIsFatal(_ setup: LifeSetup) throws {
        let scene = try Scene(setup)
        try scene.upgrade(unread: 3)
        try scene.wait("the failure") { scene.result != nil && scene.raw.end != nil }
        guard case .tls(let error)? = scene.failure, error.kind == .surplusPlaintext else {
            Issue.record("failed with \(scene.failure as Any)")
            return
        }
        #expect(error.text.contains("3 bytes"))
        #expect(scene.old.trace.all == [.made])
    }

    @Test(arguments: LifeSetup.all) func failures(_ setup: LifeSetup) throws {
        // One after another: a thread has room for one loop of SwiftNIO's.
        try trying(setup) { timedOut in
            var options = TLSConnectionOptions()
            options.handshakeTimeout = .milliseconds(40)
            try timedOut.upgrade(options: options)
            try timedOut.wait("the time-out") { timedOut.result != nil && timedOut.raw.end != nil }
            #expect(timedOut.failure?.timeout == .milliseconds(40))
            #expect(timedOut.old.trace.all == [.made])
        }
        try trying(setup) { cancelled in
            try cancelled.upgrade()
            cancelled.attempt?.cancel()
            try cancelled.wait("the cancellation") { cancelled.result != nil && cancelled.raw.end != nil }
            #expect(cancelled.failure?.isCancelled == true)
            #expect(cancelled.old.trace.all == [.made])
        }
        try trying(setup) { garbled in
            try garbled.upgrade()
            garbled.raw.send(Array("250 OK\r\n and what not\r\n".utf8))
            try garbled.wait("the failure") { garbled.result != nil }
            if case .tls? = garbled.failure {} else { Issue.record("failed with \(garbled.failure as Any)") }
            #expect(garbled.old.trace.all == [.made])
        }
        try trying(setup) { closed in
            closed.old.transport?.close()
            try closed.upgrade()
            try closed.wait("the refusal") { closed.result != nil }
            if case .usage? = closed.failure {} else { Issue.record("failed with \(closed.failure as Any)") }
        }
    }

    private func trying(_ setup: LifeSetup, _ body: (Scene) throws -> Void) throws {
        let scene = try Scene(setup)
        defer { scene.host.tearDown() }
        try body(scene)
    }

    /// A connection to be made is called off in each of its stages: one completion, nothing left open.
    @Test(arguments: LifeSetup.Below.allCases) func cancelling(_ below: LifeSetup.Below) throws {
        let setup = LifeSetup(below: below, tls: TLSSetup(side: .client))
        for turns in 0..<12 {
            let host = try setup.host()
            defer { host.tearDown() }
            let contexts = try setup.tls.contexts()
            let served = RecordingProtocol()
            let server = try host.loop.createServer(on: [.loopback(port: 0)], tls: contexts.server) { served }
            let address = try #require(server.addresses.first)
            let seen = RecordingProtocol()
            var results: [Result<any StreamTransport, TransportError>] = []
            let attempt = host.loop.createConnection(
                to: .address(address), tls: contexts.client, serverName: "localhost"
            ) {
                seen
            } completion: {
                results.append($0)
            }
            for _ in 0..<turns { try host.step() }
            let wasDone = !results.isEmpty
            attempt.cancel()
            attempt.cancel()
            #expect(wasDone || results.isEmpty, "the completion ran inside cancel()")
            for _ in 0..<40 { try host.step() }
            #expect(results.count == 1, "cancelled after \(turns) turns")
            if !wasDone {
                if case .failure(.cancelled)? = results.first {} else { Issue.record("\(turns): \(results)") }
                #expect(!seen.isOpen)
                #expect(server.connectionCount == 0, "cancelled after \(turns) turns")
            } else {
                #expect(seen.isOpen)
            }
        }
    }

    /// Closing a server's clients says `close_notify`; aborting them does not.
    @Test(arguments: LifeSetup.Below.allCases, [true, false])
    func serversCloseTheirClients(_ below: LifeSetup.Below, _ isClose: Bool) throws {
        let setup = LifeSetup(below: below, tls: TLSSetup(side: .client))
        let host = try setup.host()
        defer { host.tearDown() }
        let contexts = try setup.tls.contexts()
        let server = try host.loop.createServer(on: [.loopback(port: 0)], tls: contexts.server) { RecordingProtocol() }
        let address = try #require(server.addresses.first)
        let seen = RecordingProtocol()
        host.loop.createConnection(to: .address(address), tls: contexts.client, serverName: "localhost") {
            seen
        } completion: { _ in
        }
        let end = ContinuousClock.now + .seconds(10)
        while !seen.isOpen, ContinuousClock.now < end { try host.step() }
        for _ in 0..<8 { try host.step() }
        if isClose { server.closeClients() } else { server.abortClients() }
        while !seen.isLost, ContinuousClock.now < end { try host.step() }
        #expect(seen.transport?.tls?.ending == (isClose ? .closeNotify : .truncated))
        #expect(seen.count(.eof) == (isClose ? 1 : 0))
        server.close()
    }
}
