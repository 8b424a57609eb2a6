import AnyloopAsync
import AnyloopCore
import CAnyloopSystem

extension AsyncioOperation {
    /// Peers: plain sockets that the driver works by hand.
    static let peers: [String: AsyncioOperation] = [
        "peer_connect": .plain { player, step in
            let address = try player.address(step)
            let peer = try AsyncioPeer(for: address)
            try peer.setBuffers(step)
            player.peers[try step.table.text("peer")] = peer
            try player.peerCall(step, "connect") { try peer.connect(to: address) }
        },
        "peer_listen": .plain { player, step in
            let name = try step.table.text("peer")
            let address = try listeningAddress(player, step, name)
            let peer = try AsyncioPeer(for: address)
            try peer.bind(to: address)
            if try step.table.flag("listen", or: true) {
                let backlog = Int32(try step.table.number("backlog", or: 8))
                try AsyncioSocket.checked(anyloop_listen(peer.descriptor, backlog), "listen")
            }
            player.peers[name] = peer
            player.addresses[name] = peer.name.map { [$0] } ?? []
            if try step.table.flag("full", or: false), let address = peer.name {
                try fillBacklog(player, of: address)
            }
        },
        "peer_drain": .plain { player, step in
            let peer = try player.peer(step)
            while peer.filling > 0 {
                guard let data = try peer.receive(peer.filling), !data.isEmpty else {
                    throw AsyncioPlayerError("\(step.table.place): the filling is not there to be read")
                }
                peer.filling -= data.count
            }
        },
        "peer_accept": .waits { player, step, _ in
            let (name, listener) = (try step.table.text("peer"), try player.peer(step, key: "from"))
            let isThere = try await player.wait {
                var address = anyloop_address()
                let result = unsafe anyloop_accept(listener.descriptor, &address)
                if result == -AsyncioSocket.again { return false }
                player.peers[name] = AsyncioPeer(descriptor: try AsyncioSocket.checked(result, "accept"))
                return true
            }
            if !isThere { player.line("\(name).accept timed out") }
        },
        "peer_send": .plain { player, step in
            let (stream, bytes) = (try player.stream(step), try step.data())
            let notifies = try step.table.flag("notify", or: false)
            try player.peerCall(step, "send") {
                if let tls = stream as? AsyncioTLSPeer {
                    try tls.encrypt(bytes)
                    if notifies { try tls.closeNotify() }
                    try tls.flush()
                    if !tls.isFlushed { throw AsyncioSocket.failure(-AsyncioSocket.again, "send") }
                    return
                }
                var sent = 0
                while sent < bytes.count {
                    guard let count = try stream.send(bytes, from: sent) else {
                        throw AsyncioSocket.failure(-AsyncioSocket.again, "send")
                    }
                    sent += count
                }
            }
        },
        "peer_send_all": .waits { player, step, _ in
            let (stream, bytes) = (try player.stream(step), try step.data())
            var sent = 0
            do {
                let isDone = try await player.wait {
                    while sent < bytes.count, let count = try stream.send(bytes, from: sent) { sent += count }
                    guard sent == bytes.count else { return false }
                    guard let tls = stream as? AsyncioTLSPeer else { return true }
                    try tls.flush()
                    return tls.isFlushed
                }
                if !isDone { player.line("\(try step.table.text("peer")).send_all timed out") }
            } catch let error as TransportError {
                player.line("\(try step.table.text("peer")).send_all !\(AsyncioText.error(error))")
            }
        },
        "peer_recv": .waits { player, step, _ in try await receive(player, step) },
        "peer_shutdown": .plain { player, step in
            let peer = try player.peer(step)
            try player.peerCall(step, "shutdown") {
                try AsyncioSocket.checked(anyloop_shutdown_write(peer.descriptor), "shutdown")
            }
        },
        "peer_close": .plain { player, step in try player.peer(step).close() },
        "peer_reset": .plain { player, step in
            let peer = try player.peer(step)
            _ = anyloop_linger_zero(peer.descriptor)
            peer.close()
        },
    ]

    private static func listeningAddress(
        _ player: AsyncioPlayer, _ step: AsyncioStep, _ name: String
    ) throws -> SocketAddress {
        if try step.table.flag("unix", or: false) { return .unix(path: "\(try player.folder())/\(name)") }
        let port = step.table.has("port_of") ? try player.address(step, key: "port_of").port ?? 0 : 0
        guard let address = SocketAddress(literal: try step.table.text("host", or: "127.0.0.1"), port: port) else {
            throw step.table.error("host", expected: "an IP address")
        }
        return address
    }

    /// Connects until a connection is not completed at once: the next ones hang.
    private static func fillBacklog(_ player: AsyncioPlayer, of address: SocketAddress) throws {
        while true {
            let one = try AsyncioPeer(for: address)
            player.cleanups.append { one.close() }
            var packed = AsyncioSocket.pack(address)
            let result = unsafe anyloop_connect(one.descriptor, &packed)
            guard result == -AsyncioSocket.inProgress else {
                try AsyncioSocket.checked(result, "connect")
                continue
            }
            if !AsyncioSocket.wait(one.descriptor, UInt32(ANYLOOP_WRITE), milliseconds: 10) { return }
        }
    }

    /// Rounds without anything after which a peer is quiet.
    private static let quietRounds = 5

    private nonisolated(nonsending) static func receive(_ player: AsyncioPlayer, _ step: AsyncioStep) async throws {
        let peer = try player.peer(step)
        var stream = try player.stream(step)
        var notified = ""
        let limit = try step.table.optionalNumber("bytes")
        let isPatient = try limit != nil || step.table.flag("eof", or: false)
        var got = peer.kept
        peer.kept = []
        var end: String?
        var quiet = 0
        var since = ContinuousClock.now
        while end == nil, got.count < limit ?? .max {
            do {
                if let data = try stream.receive((limit ?? .max) - got.count) {
                    got += data
                    quiet = 0
                    since = .now
                    if data.isEmpty { end = "eof" }
                    continue
                }
            } catch is AsyncioCloseNotify {
                notified = " then close_notify"
                guard try step.table.flag("eof", or: false), let tls = stream as? AsyncioTLSPeer else { break }
                stream = tls.below
                continue
            } catch {
                end = AsyncioText.error(error)
                continue
            }
            quiet += 1
            if isPatient ? since.duration(to: .now) > AsyncioPlayer.patience : quiet > quietRounds { end = "quiet" }
            try await player.loop.sleep(for: isPatient && quiet <= 20 ? .zero : AsyncioPlayer.round)
        }
        if try step.table.flag("drop", or: false) { return }
        if try step.table.flag("silent", or: false) {
            peer.kept = got
            return
        }
        // What the last bytes or the end made the loop do comes first: the recorder's rounds are longer.
        if isPatient, end != nil || !notified.isEmpty { for _ in 0..<2 { try await player.loop.sleep(for: .zero) } }
        let text = got.isEmpty ? "nothing" : AsyncioText.data(got)
        player.line("\(try step.table.text("peer")) received \(text)\(notified)" + (end.map { " then \($0)" } ?? ""))
    }
}

extension AsyncioPlayer {
    /// The peer of a step.
    func peer(_ step: AsyncioStep, key: String = "peer") throws -> AsyncioPeer {
        let name = try step.table.text(key)
        guard let peer = peers[name] else {
            throw AsyncioPlayerError("\(step.table.place): there is no peer '\(name)' (yet)")
        }
        return peer
    }

    /// What a step's peer sends and receives through: below its TLS with `raw`.
    func stream(_ step: AsyncioStep) throws -> any AsyncioByteStream {
        let peer = try peer(step)
        return try step.table.flag("raw", or: false) ? peer : peer.stream
    }

    /// A peer's call, which is a line only if it fails.
    func peerCall(_ step: AsyncioStep, _ name: String, _ body: () throws -> Void) throws {
        do { try body() } catch {
            line("\(try step.table.text("peer")).\(name) !\(AsyncioText.error(error))")
        }
    }
}
