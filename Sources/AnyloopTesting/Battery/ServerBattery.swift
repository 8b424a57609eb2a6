import AnyloopCore

/// The cases of the server battery: listening, accepting, connecting.
enum ServerBattery {
    static let cases: [BatteryCase] = listening + accepting + connecting

    /// Binding and closing (rules 51, 52, 56 to 58).
    private static let listening: [BatteryCase] = [
        BatteryCase("server/port-zero-gets-a-port", [51]) { stage in
            let scene = try ServerScene(stage, addresses: [stage.host.serverAddress(), stage.host.serverAddress()])
            try expectEqual(scene.server.addresses.count, 2, "addresses")
            try expect(scene.server.addresses[0] != scene.server.addresses[1], "both got the same port")
            try expect(scene.server.addresses.allSatisfy { $0.port != 0 }, "a port is still 0")
            for index in 0..<2 {
                let client = try scene.connect(to: index)
                try expectEqual(client.transport?.peerName, scene.server.addresses[index], "the client's peer")
            }
        },
        BatteryCase("server/address-in-use-binds-none", [51]) { stage in
            let scene = try ServerScene(stage)
            let free = stage.host.serverAddress()
            do {
                _ = try stage.host.createServer(
                    on: [free, scene.server.addresses[0]], options: ServerOptions()
                ) { RecordingProtocol() }
                throw BatteryFailure("a second server was bound to \(scene.server.addresses[0])")
            } catch let error as TransportError {
                try expectEqual(error.errno, 98, "the errno")
            }
            _ = try scene.connect()
        },
        BatteryCase("server/not-started", [52]) { stage in
            var options = ServerOptions()
            options.startServing = false
            let scene = try ServerScene(stage, options: options)
            try expect(!scene.server.isServing, "isServing before startServing")
            try expectEqual(scene.server.addresses.count, 1, "addresses of a bound server")
            try expectEqual(try scene.failToConnect(scene.server.addresses[0]).errno, 111, "the errno")
            try scene.server.startServing()
            try expect(scene.server.isServing, "isServing after startServing")
            try scene.server.startServing()
            _ = try scene.connect()
        },
        BatteryCase("server/close-stops-accepting", [57]) { stage in
            let scene = try ServerScene(stage)
            let client = try scene.connect()
            let address = scene.server.addresses[0]
            scene.server.close()
            scene.server.close()
            try expect(!scene.server.isServing, "isServing after close")
            try expectEqual(scene.server.addresses, [], "addresses after close")
            try expectEqual(try scene.failToConnect(address).errno, 111, "the errno")
            // Open connections live on.
            client.transport?.write([1, 2, 3])
            try stage.wait("the bytes") { scene.accepted[0].byteCount == 3 }
            try expect(client.isOpen && scene.accepted[0].isOpen, "an open connection ended with its server")
        },
        BatteryCase("server/a-closed-one-cannot-start", [57]) { stage in
            let scene = try ServerScene(stage)
            scene.server.close()
            do {
                try scene.server.startServing()
                throw BatteryFailure("startServing after close")
            } catch is TransportError {}
        },
        BatteryCase("server/when-closed", [58]) { stage in
            let scene = try ServerScene(stage)
            let clients = [try scene.connect(), try scene.connect()]
            try expectEqual(scene.server.connectionCount, 2, "connections")
            var calls = 0
            scene.server.whenClosed { calls += 1 }
            scene.server.close()
            try stage.settle()
            try expectEqual(calls, 0, "calls while connections are open")
            clients[0].transport?.close()
            try stage.wait("one end") { scene.server.connectionCount == 1 }
            try stage.settle()
            try expectEqual(calls, 0, "calls while a connection is open")
            clients[1].transport?.close()
            try stage.wait("the call") { calls == 1 }
            scene.server.whenClosed { calls += 1 }
            try stage.wait("the call of a callback that came late") { calls == 2 }
            try expectEqual(scene.server.connectionCount, 0, "connections")
        },
        BatteryCase("server/the-port-is-free-after-close", [57]) { stage in
            let scene = try ServerScene(stage)
            let address = scene.server.addresses[0]
            scene.server.close()
            try stage.settle()
            let second = try ServerScene(stage, addresses: [address])
            try expectEqual(second.server.addresses, [address], "addresses")
            _ = try second.connect()
        },
    ]

    /// Accepting (rules 53 to 55).
    private static let accepting: [BatteryCase] = [
        BatteryCase("server/one-protocol-for-each-connection", [53]) { stage in
            let scene = try ServerScene(stage)
            let clients = try (0..<5).map { _ in try scene.connect() }
            try expectEqual(scene.accepted.count, 5, "protocols made")
            for (index, client) in clients.enumerated() { client.transport?.write([UInt8(index)]) }
            try stage.wait("the bytes") { scene.accepted.allSatisfy { $0.byteCount == 1 } }
            try expectEqual(Set(scene.accepted.flatMap(\.trace.bytes)), [0, 1, 2, 3, 4], "the bytes")
        },
        BatteryCase("server/names-of-both-ends-agree", [102]) { stage in
            let scene = try ServerScene(stage)
            let client = try scene.connect()
            try stage.wait("the accept") { scene.accepted.count == 1 && scene.accepted[0].count(.made) == 1 }
            try expectEqual(scene.accepted[0].transport?.socketName, client.transport?.peerName, "socket name")
            if scene.server.addresses[0].port != nil {
                try expectEqual(scene.accepted[0].transport?.peerName, client.transport?.socketName, "peer name")
            }
        },
        BatteryCase("server/two-hundred-at-once", [53]) { stage in
            let scene = try ServerScene(stage)
            let clients = (0..<200).map { _ in scene.begin() }
            try stage.wait("200 connections") {
                clients.allSatisfy { $0.count(.made) == 1 || $0.isLost } && scene.accepted.count == 200
            }
            try stage.wait("200 accepts") { scene.accepted.allSatisfy { $0.count(.made) == 1 } }
            try expectEqual(scene.server.connectionCount, 200, "connections")
        },
        BatteryCase("server/a-factory-that-throws", [54]) { stage in
            stage.expectsExceptions = true
            var calls = 0
            let good = stage.track(RecordingProtocol())
            let server = try stage.host.createServer(
                on: [stage.host.serverAddress()], options: ServerOptions()
            ) {
                calls += 1
                if calls == 1 { throw ReactionError(.made) }
                return good
            }
            let scene = ServerScene(stage, server: server)
            // Over TLS its client hears nothing: there is no handshake.
            let first = stage.host.speaksTLS ? scene.begin() : try scene.connect()
            try stage.wait("the end of the first connection") { stage.host.speaksTLS ? calls == 1 : first.isLost }
            let second = try scene.connect()
            try stage.wait("the second protocol") { good.count(.made) == 1 }
            try stage.settle()
            try expect(second.isOpen, "another connection ended as well")
            try expectEqual(server.connectionCount, 1, "connections")
        },
        BatteryCase("server/connection-limit", []) { stage in
            var options = ServerOptions()
            options.connectionLimit = 2
            let scene = try ServerScene(stage, options: options)
            let clients = (0..<3).map { _ in scene.begin() }
            try stage.wait("two accepts") { scene.accepted.count == 2 }
            try stage.settle()
            try expectEqual(scene.accepted.count, 2, "accepts at the limit")
            try expectEqual(scene.server.connectionCount, 2, "connections")
            scene.accepted[0].transport?.close()
            try stage.wait("the third accept") { scene.accepted.count == 3 }
            try stage.wait("its connectionMade") { scene.accepted[2].count(.made) == 1 }
            try expect(clients.allSatisfy { $0.count(.made) == 1 }, "a client was refused")
        },
        BatteryCase("server/closing-inside-accept", [57]) { stage in
            var server: (any Server)?
            let accepted = stage.track(RecordingProtocol(.made) { _, _ in server?.close() })
            server = try stage.host.createServer(on: [stage.host.serverAddress()], options: ServerOptions()) {
                accepted
            }
            guard let server else { return }
            let client = try ServerScene(stage, server: server).connect()
            try stage.wait("connectionMade") { accepted.count(.made) == 1 }
            client.transport?.write([1])
            try stage.wait("the byte") { accepted.byteCount == 1 }
        },
    ]

    /// Connecting (rules 46 to 49).
    private static let connecting: [BatteryCase] = [
        BatteryCase("connect/made-before-the-completion", [48]) { stage in
            let scene = try ServerScene(stage)
            var order: [String] = []
            let recorder = stage.track(RecordingProtocol(.made) { _, _ in order.append("made") })
            stage.host.createConnection(
                to: .address(scene.server.addresses[0]), options: ConnectOptions(),
                protocolFactory: {
                    order.append("factory")
                    return recorder
                },
                completion: { result in
                    if case .success(let transport) = result, transport === recorder.transport {
                        order.append("completion")
                    }
                })
            try expectEqual(order, [], "inside createConnection")
            try stage.wait("the completion") { order.last == "completion" }
            try expectEqual(order, ["factory", "made", "completion"], "the order")
        },
        BatteryCase("connect/refused", [47]) { stage in
            let scene = try ServerScene(stage)
            let address = scene.server.addresses[0]
            scene.server.close()
            try stage.settle()
            try expectEqual(try scene.failToConnect(address).errno, 111, "the errno")
        },
        BatteryCase("connect/cancelled", [46]) { stage in
            let scene = try ServerScene(stage)
            var results: [Result<any StreamTransport, TransportError>] = []
            let recorder = stage.track(RecordingProtocol())
            let attempt = stage.host.createConnection(
                to: .address(scene.server.addresses[0]), options: ConnectOptions(),
                protocolFactory: { recorder }, completion: { results.append($0) })
            attempt.cancel()
            try expect(results.isEmpty, "the completion ran inside cancel()")
            try stage.wait("the completion") { !results.isEmpty }
            attempt.cancel()
            try stage.settle()
            try expectEqual(results.count, 1, "completions")
            guard case .failure(.cancelled) = results[0] else { throw BatteryFailure("completed with \(results[0])") }
            try expect(!recorder.isOpen, "the connection is open")
        },
        BatteryCase("connect/a-factory-that-throws", [48]) { stage in
            let scene = try ServerScene(stage)
            var failure: TransportError?
            stage.host.createConnection(
                to: .address(scene.server.addresses[0]), options: ConnectOptions(),
                protocolFactory: { throw ReactionError(.made) },
                completion: { if case .failure(let error) = $0 { failure = error } })
            try stage.wait("the completion") { failure != nil }
            guard case .callback? = failure else { throw BatteryFailure("completed with \(failure as Any)") }
        },
        BatteryCase("connect/talks-both-ways", [48, 53]) { stage in
            let scene = try ServerScene(stage)
            let client = try scene.connect()
            try stage.wait("the accept") { scene.accepted.count == 1 && scene.accepted[0].count(.made) == 1 }
            let there = pattern(100_000, seed: 1)
            let back = pattern(100_000, seed: 2)
            client.transport?.write(there)
            scene.accepted[0].transport?.write(back)
            try stage.wait("both directions") {
                client.byteCount == back.count && scene.accepted[0].byteCount == there.count
            }
            try expectBytes(client.trace.bytes, back, "the client's data")
            try expectBytes(scene.accepted[0].trace.bytes, there, "the server's data")
            client.transport?.close()
            try stage.wait("both ends") { client.isLost && scene.accepted[0].isLost }
            try expectEqual(scene.accepted[0].trace.all.suffix(2), [.eof, .lost(nil)], "the server's end")
        },
    ]
}

/// A server whose protocols are recorded, and clients for it on the same loop.
private final class ServerScene {
    let stage: BatteryStage
    let server: any Server
    private let record: Record

    private final class Record {
        var accepted: [RecordingProtocol] = []
    }

    var accepted: [RecordingProtocol] { record.accepted }

    init(_ stage: BatteryStage, addresses: [SocketAddress]? = nil, options: ServerOptions = ServerOptions()) throws {
        let record = Record()
        self.stage = stage
        self.record = record
        server = try stage.host.createServer(on: addresses ?? [stage.host.serverAddress()], options: options) {
            let recorder = stage.track(RecordingProtocol())
            record.accepted.append(recorder)
            return recorder
        }
    }

    init(_ stage: BatteryStage, server: any Server) {
        self.stage = stage
        self.server = server
        record = Record()
    }

    /// Begins to connect.
    func begin(to index: Int = 0) -> RecordingProtocol {
        let recorder = stage.track(RecordingProtocol())
        stage.host.createConnection(
            to: .address(server.addresses[index]), options: ConnectOptions(), protocolFactory: { recorder },
            completion: { _ in })
        return recorder
    }

    /// Connects; the accept may still be under way.
    func connect(to index: Int = 0) throws -> RecordingProtocol {
        let count = accepted.count
        let recorder = begin(to: index)
        try stage.wait("connectionMade of a client") { recorder.count(.made) == 1 }
        if count == accepted.count { try stage.settle(4) }
        return recorder
    }

    /// Connects to where nobody listens.
    func failToConnect(_ address: SocketAddress) throws -> TransportError {
        var result: Result<any StreamTransport, TransportError>?
        stage.host.createConnection(
            to: .address(address), options: ConnectOptions(), protocolFactory: { RecordingProtocol() },
            completion: { result = $0 })
        try stage.wait("the refusal") { result != nil }
        guard case .failure(let error)? = result else { throw BatteryFailure("connected to \(address)") }
        return error
    }
}
