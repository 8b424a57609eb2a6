import AnyloopAsync
import AnyloopCore
import AnyloopTLS
import CAnyloopSystem

extension AsyncioOperation {
    /// TLS: contexts, upgrades, what a transport tells of it, and peers that speak it.
    static let tls: [String: AsyncioOperation] = [
        "tls_context": .plain { player, step in try player.contexts.make(step.table) },
        "start_tls": .waits { player, step, _ in
            let transport = try player.transport(step)
            let actor = try step.table.text("as", or: try step.on())
            let made = try upgraded(player, step, actor)
            let options = try player.tlsOptions(step)
            player.contexts.upgraded.insert(actor)
            try await player.result(step, "start_tls") {
                if try step.table.flag("server_side", or: false) {
                    player.transports[actor] = try await player.loop.startTLS(
                        transport, made, tls: try player.contexts.server(of: step), tlsOptions: options)
                } else {
                    player.transports[actor] = try await player.loop.startTLS(
                        transport, made, tls: try player.contexts.client(of: step),
                        serverName: try step.table.optionalText("server_name"), tlsOptions: options)
                }
                return .name(actor)
            }
        },
        "tls": .plain { player, step in
            let (name, transport) = (try step.table.text("name"), try player.transport(step))
            player.call("\(try step.on()).tls \(name)", getter: true) { try told(transport.tls, name, step) }
        },
        "peer_handshake": .waits { player, step, _ in try await shakeHands(player, step) },
        "peer_close_notify": .plain { player, step in
            let peer = try player.tlsPeer(step)
            try player.peerCall(step, "close_notify") {
                try peer.closeNotify()
                try peer.flush()
            }
        },
    ]

    /// The protocol that the upgraded transport gets: a new one, or that which it has.
    private static func upgraded(
        _ player: AsyncioPlayer, _ step: AsyncioStep, _ actor: String
    ) throws -> any StreamProtocol {
        guard !step.table.has("as") else {
            return try player.makeStreamProtocol(actor, try step.table.text("kind", or: "stream"))
        }
        guard let known = player.protocols[actor] as? any StreamProtocol else {
            throw AsyncioPlayerError("\(step.table.place): '\(actor)' is no stream protocol")
        }
        return known
    }

    private static func told(_ info: TLSInfo?, _ name: String, _ step: AsyncioStep) throws -> AsyncioResult {
        guard let info else { throw AsyncioPlayerError("\(step.table.place): the transport speaks no TLS") }
        func text(_ text: String?) -> AsyncioResult { text.map { .text($0) } ?? .none }
        switch name {
        case "version": return .text(info.version)
        case "cipher": return .text(info.cipher)
        case "alpn": return text(info.alpn)
        case "server_name": return text(info.serverName)
        case "resumed": return .flag(info.isResumed)
        default: throw step.table.error("name", expected: "version, cipher, alpn, server_name or resumed")
        }
    }

    /// Begins or goes on with a peer's handshake.
    private nonisolated(nonsending) static func shakeHands(_ player: AsyncioPlayer, _ step: AsyncioStep) async throws {
        let name = try step.table.text("peer")
        let peer = try player.handshakingPeer(step)
        let holds = try step.table.flag("hold", or: false)
        var end: String?
        do {
            try peer.shakeHands()
            try peer.flush()
            if try step.table.flag("stop", or: false) { return }
            let isDone = try await player.wait {
                while !peer.isOpen {
                    guard let bytes = try peer.below.receive(1 << 16) else { return false }
                    if bytes.isEmpty {
                        end = "!eof"
                        return true
                    }
                    try peer.shakeHands(bytes)
                    if !peer.isOpen || !holds { try peer.flush() }
                }
                return true
            }
            if !isDone { end = "timed out" }
        } catch let error where !AsyncioPlayer.isMistake(error) {
            // The alert may still go out.
            try? peer.flush()
            end = "!\(AsyncioText.error(error))"
        }
        guard try !step.table.flag("silent", or: false) else { return }
        if let end { player.line("\(name).handshake \(end)") }
    }
}

extension AsyncioPlayer {
    /// The TLS of a step's peer.
    func tlsPeer(_ step: AsyncioStep) throws -> AsyncioTLSPeer {
        guard let tls = try peer(step).stream as? AsyncioTLSPeer else {
            throw AsyncioPlayerError("\(step.table.place): the peer speaks no TLS (yet)")
        }
        return tls
    }

    /// The TLS whose handshake is under way at a step's peer, or a new one above what it has.
    fileprivate func handshakingPeer(_ step: AsyncioStep) throws -> AsyncioTLSPeer {
        let peer = try peer(step)
        if let tls = peer.stream as? AsyncioTLSPeer, !tls.isOpen { return tls }
        let engine: TLSEngine
        switch try step.table.text("side", or: "client") {
        case "server": engine = try TLSEngine(server: try contexts.server(of: step).handle)
        case "client":
            engine = try TLSEngine(
                client: try contexts.client(of: step),
                serverName: try step.table.text("server_name", or: "anyloop.test"))
        default: throw step.table.error("side", expected: "server or client")
        }
        // A small record would wait for the answer to the one before.
        _ = anyloop_set_option(peer.descriptor, Int32(ANYLOOP_OPTION_NO_DELAY), 1)
        let tls = AsyncioTLSPeer(over: peer.stream, engine)
        peer.stream = tls
        return tls
    }
}
