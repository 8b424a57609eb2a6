import AnyloopAsync
import AnyloopCore
import AnyloopTLS
import CAnyloopSystem

extension AsyncioOperation {
    /// Making connections.
    static let connecting: [String: AsyncioOperation] = [
        "connect": .waits { player, step, _ in
            switch try step.table.text("kind", or: "stream") {
            case "stream": try await connect(player, step, AsyncioStream.self)
            case "buffered": try await connect(player, step, AsyncioBuffered.self)
            case let kind: throw AsyncioPlayer.unknownKind(kind)
            }
        },
        "socketpair": .waits { player, step, _ in
            switch try step.table.text("kind", or: "stream") {
            case "stream": try await socketpair(player, step, AsyncioStream.self)
            case "buffered": try await socketpair(player, step, AsyncioBuffered.self)
            case let kind: throw AsyncioPlayer.unknownKind(kind)
            }
        },
    ]

    private nonisolated(nonsending) static func connect<Made: AsyncioStreamActor>(
        _ player: AsyncioPlayer, _ step: AsyncioStep, _ kind: Made.Type
    ) async throws {
        let address = try player.address(step)
        var options = ConnectOptions.asyncio
        if step.table.has("happy_eyeballs_delay") {
            options.happyEyeballsDelay = .seconds(try step.table.seconds("happy_eyeballs_delay"))
        }
        if let local = try step.table.optionalText("local") {
            guard let address = SocketAddress(literal: local, port: 0) else {
                throw step.table.error("local", expected: "an IP address")
            }
            options.localAddress = address
        }
        let host = try step.table.text("host", or: address.host)
        let factory = player.factory(try step.table.text("as"), kind)
        let loop = player.loop
        try await player.result(step, "connect") {
            let (transport, made): (any StreamTransport, Made)
            switch (address, try player.clientTLS(step)) {
            case (.unix(let path), nil): (transport, made) = try await loop.createUnixConnection(factory, path: path)
            case (.unix(let path), let tls?):
                (transport, made) = try await loop.createUnixConnection(
                    factory, path: path, tls: tls.context, serverName: tls.serverName, tlsOptions: tls.options)
            case (_, nil):
                (transport, made) = try await loop.createConnection(
                    factory, host: host, port: address.port, options: options)
            case (_, let tls?):
                (transport, made) = try await loop.createConnection(
                    factory, host: host, port: address.port, options: options, tls: tls.context,
                    serverName: tls.serverName, tlsOptions: tls.options)
            }
            return try player.connected(transport, made)
        }
    }

    private nonisolated(nonsending) static func socketpair<Made: AsyncioStreamActor>(
        _ player: AsyncioPlayer, _ step: AsyncioStep, _ kind: Made.Type
    ) async throws {
        var (near, far): (Int32, Int32) = (-1, -1)
        let type = try step.table.text("type", or: "stream") == "datagram" ? ANYLOOP_DATAGRAM : ANYLOOP_STREAM
        try AsyncioSocket.checked(unsafe anyloop_socketpair(Int32(type), &near, &far), "socketpair")
        try AsyncioSocket.setBuffers(near, step)
        if let size = try step.table.optionalNumber("peer_sndbuf") {
            try AsyncioSocket.checked(
                anyloop_set_option(far, Int32(ANYLOOP_OPTION_SEND_BUFFER), Int32(size)), "setsockopt")
        }
        let peer = AsyncioPeer(descriptor: far)
        player.peers[try step.table.text("peer")] = peer
        if let before = try step.table.optionalText("before") {
            _ = try peer.send(try step.bytes(of: before, "before"), from: 0)
        }
        if try step.table.flag("full", or: false) { peer.filling = try AsyncioSocket.fill(near) }
        let factory = player.factory(try step.table.text("as"), kind)
        let loop = player.loop
        try await player.result(step, "connect") {
            let (transport, made): (any StreamTransport, Made)
            do {
                if try step.table.has("tls") && step.table.flag("accepted", or: false) {
                    (transport, made) = try await loop.connectAcceptedSocket(
                        factory, socket: near, tls: try player.contexts.server(of: step),
                        tlsOptions: try player.tlsOptions(step))
                } else if let tls = try player.clientTLS(step) {
                    (transport, made) = try await loop.createConnection(
                        factory, socket: near, tls: tls.context, serverName: tls.serverName, tlsOptions: tls.options)
                } else {
                    (transport, made) = try await loop.createConnection(factory, socket: near)
                }
            } catch {
                // It stays ours then, unless the loop had begun with TLS; Python closes it with its last reference.
                var isOurs = !step.table.has("tls")
                if case .usage? = error as? TransportError { isOurs = true }
                if isOurs { _ = anyloop_close(near) }
                throw error
            }
            player.socketpairs[ObjectIdentifier(transport)] = near
            return try player.connected(transport, made)
        }
    }
}

extension AsyncioPlayer {
    static func unknownKind(_ kind: String) -> AsyncioPlayerError {
        AsyncioPlayerError("the player has no stream protocol of the kind '\(kind)'")
    }

    /// The address that a step goes to: a server's or a listening peer's.
    func address(_ step: AsyncioStep, key: String = "to") throws -> SocketAddress {
        if key == "to", let file = try step.table.optionalText("path") { return .unix(path: "\(try folder())/\(file)") }
        let name = try step.table.text(key, or: "S")
        let index = try step.table.number("index", or: 0)
        guard let known = addresses[name], known.indices.contains(index) else {
            throw AsyncioPlayerError("\(step.table.place): nobody called '\(name)' listens on an address \(index)")
        }
        return known[index]
    }

    /// What a step that connects says of TLS; nil for none.
    func clientTLS(
        _ step: AsyncioStep
    ) throws -> (context: TLSClientContext, serverName: String?, options: TLSConnectionOptions)? {
        guard step.table.has("tls") else { return nil }
        return (try contexts.client(of: step), try step.table.optionalText("server_name"), try tlsOptions(step))
    }

    /// What a step that serves says of TLS; nil for none.
    func serverTLS(
        _ step: AsyncioStep
    ) throws -> (contexts: TLSServerContextSource, options: TLSConnectionOptions)? {
        guard step.table.has("tls") else { return nil }
        return (TLSServerContextSource(try contexts.server(of: step)), try tlsOptions(step))
    }

    /// A factory of protocols of a kind; writes its line.
    func factory<Made: AsyncioStreamActor>(
        _ name: String, _ kind: Made.Type, numbered: Bool = false
    ) -> () throws -> Made {
        { [self] in
            let actor = nextActor(name, numbered: numbered)
            try callback(actor, "factory")
            let made = Made(actor, self)
            protocols[actor] = made
            return made
        }
    }

    /// A factory for servers, whose protocols have numbers.
    func serverFactory(_ name: String, _ kind: String) throws -> () throws -> any StreamProtocol {
        switch kind {
        case "stream": factory(name, AsyncioStream.self, numbered: true)
        case "buffered": factory(name, AsyncioBuffered.self, numbered: true)
        default: throw Self.unknownKind(kind)
        }
    }

    /// A protocol of `kind` that writes under the name `actor`.
    func makeStreamProtocol(_ actor: String, _ kind: String) throws -> any StreamProtocol {
        let made: any StreamProtocol
        switch kind {
        case "stream": made = AsyncioStream(actor, self)
        case "buffered": made = AsyncioBuffered(actor, self)
        default: throw Self.unknownKind(kind)
        }
        protocols[actor] = made
        return made
    }

    /// What connecting returned, as the name of the protocol, whose transport it must be.
    func connected(_ transport: any StreamTransport, _ made: any StreamProtocol) throws -> AsyncioResult {
        let actor = actor(of: made)
        if case .name(let name) = actor {
            if let known = transports[name], known !== transport {
                throw AsyncioPlayerError("connecting gave another transport than the protocol '\(name)' had got")
            }
            transports[name] = transport
        }
        return actor
    }
}
