import AnyloopAsync
import AnyloopCore
import CAnyloopSystem

extension AsyncioOperation {
    /// Datagram endpoints, and peers that exchange datagrams with them.
    static let datagrams: [String: AsyncioOperation] = [
        "datagram": .waits { player, step, _ in try await datagram(player, step) },
        "sendto": .plain { player, step in
            let name = try step.on()
            guard let transport = player.otherTransports[name] as? any DatagramTransport else {
                throw AsyncioPlayerError("\(step.table.place): '\(name)' is no datagram endpoint (yet)")
            }
            let address = step.table.has("to") ? try player.address(step) : nil
            let (bytes, count) = (try step.data(), try step.table.number("repeat", or: 1))
            player.call("\(name).sendto") {
                for _ in 0..<count { transport.send(bytes.span, to: address) }
                return .none
            }
        },
        "peer_udp": .plain { player, step in
            let address: SocketAddress?
            if let file = try step.table.optionalText("unix") {
                address = .unix(path: "\(try player.folder())/\(file)")
            } else {
                address = SocketAddress(literal: try step.table.text("host", or: "127.0.0.1"), port: 0)
            }
            guard let address else { throw step.table.error("host", expected: "an IP address") }
            let peer = try AsyncioPeer(for: address, kind: Int32(ANYLOOP_DATAGRAM))
            try peer.bind(to: address)
            let name = try step.table.text("peer")
            player.peers[name] = peer
            player.addresses[name] = peer.name.map { [$0] } ?? []
        },
        "peer_sendto": .plain { player, step in
            let (peer, address, bytes) = (try player.peer(step), try player.address(step), try step.data())
            try player.peerCall(step, "sendto") {
                var packed = AsyncioSocket.pack(address)
                let result = unsafe bytes.withUnsafeBytes { raw in
                    unsafe anyloop_send_to(peer.descriptor, raw.baseAddress, raw.count, &packed)
                }
                try AsyncioSocket.checked(Int32(result), "sendto")
            }
        },
        "peer_datagrams": .waits { player, step, _ in try await receive(player, step) },
    ]

    private nonisolated(nonsending) static func datagram(_ player: AsyncioPlayer, _ step: AsyncioStep) async throws {
        let (table, name) = (step.table, try step.table.text("as"))
        var options = DatagramOptions()
        options.allowBroadcast = try table.flag("allow_broadcast", or: false)
        options.reusePort = try table.flag("reuse_port", or: false)
        var (local, remote): (Endpoint?, Endpoint?) = (nil, nil)
        if let host = try table.optionalText("local") {
            let port = table.has("port_of") ? try player.address(step, key: "port_of").port ?? 0 : 0
            local = .host(host, port: port)
        }
        if let file = try table.optionalText("unix") { local = .unix(path: "\(try player.folder())/\(file)") }
        if table.has("remote") { remote = .address(try player.address(step, key: "remote")) }
        if let host = try table.optionalText("remote_host") { remote = .host(host, port: 9) }
        let factory: () throws -> AsyncioDatagram = {
            try player.callback(name, "factory")
            let made = AsyncioDatagram(name, player)
            player.protocols[name] = made
            return made
        }
        let loop = player.loop
        let peer = table.has("sock") ? try player.peer(step, key: "sock") : nil
        try await player.result(step, "datagram") {
            let (transport, made) = try await loop.createDatagramEndpoint(
                factory, localAddress: local, remoteAddress: remote, socket: peer?.descriptor, options: options)
            // The endpoint's from now on.
            _ = peer?.release()
            player.addresses[name] = transport.socketName.map { [$0] } ?? []
            return player.actor(of: made)
        }
    }

    private nonisolated(nonsending) static func receive(_ player: AsyncioPlayer, _ step: AsyncioStep) async throws {
        let peer = try player.peer(step)
        let limit = try step.table.optionalNumber("count")
        let quietRounds = 5
        var got: [(text: String, count: Int)] = []
        var (count, quiet, since) = (0, 0, ContinuousClock.now)
        func take(_ text: String) {
            if got.last?.text == text { got[got.count - 1].count += 1 } else { got.append((text, 1)) }
        }
        reading: while count < limit ?? .max {
            let isOver = limit == nil ? quiet > quietRounds : since.duration(to: .now) > AsyncioPlayer.patience
            if isOver { break }
            do {
                if let (data, address) = try peer.receiveFrom() {
                    take("\(AsyncioText.data(data)) from \(player.addressName(address).text)")
                    (count, quiet, since) = (count + 1, 0, .now)
                    continue
                }
            } catch {
                take("!\(AsyncioText.error(error))")
                break reading
            }
            quiet += 1
            try await player.loop.sleep(for: AsyncioPlayer.round)
        }
        let texts = got.map { $0.count == 1 ? $0.text : "\($0.count) times \($0.text)" }
        player.line("\(try step.table.text("peer")) received [\(texts.joined(separator: ", "))]")
    }
}

extension AsyncioPeer {
    /// One datagram and where it came from; nil if there is none now.
    fileprivate func receiveFrom() throws -> ([UInt8], SocketAddress?)? {
        var packed = anyloop_address()
        var count: Int64 = 0
        let size = 1 << 16
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: size) { buffer, filled in
            count = unsafe anyloop_receive_from(descriptor, buffer.baseAddress, size, &packed)
            filled = max(0, Int(count))
        }
        if count == -Int64(AsyncioSocket.again) { return nil }
        if count < 0 { throw AsyncioSocket.failure(Int32(count), "recvfrom") }
        return (bytes, AsyncioSocket.unpack(packed))
    }
}

/// A datagram protocol that writes what happens to it and does what the scenario says.
final class AsyncioDatagram: DatagramProtocol {
    private let actor: String
    private unowned let player: AsyncioPlayer

    init(_ actor: String, _ player: AsyncioPlayer) {
        self.actor = actor
        self.player = player
    }

    func connectionMade(_ transport: any DatagramTransport) throws {
        player.otherTransports[actor] = transport
        try player.callback(actor, "connection_made")
    }

    func datagramReceived(_ data: Span<UInt8>, from address: SocketAddress?) throws {
        let text = "\(AsyncioText.data(AsyncioBytes.array(data))) from \(player.addressName(address).text)"
        try player.callback(actor, "datagram_received", text)
    }

    func errorReceived(_ error: TransportError) throws {
        if player.takeMisuse(error) { return }
        try player.callback(actor, "error_received", AsyncioText.error(error))
    }

    func connectionLost(_ error: TransportError?) throws {
        try player.callback(actor, "connection_lost", error.map(AsyncioText.error))
    }

    func pauseWriting() throws { try player.callback(actor, "pause_writing") }

    func resumeWriting() throws { try player.callback(actor, "resume_writing") }
}
