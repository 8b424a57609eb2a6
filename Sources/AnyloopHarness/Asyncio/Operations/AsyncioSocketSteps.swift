import AnyloopAsync
import AnyloopCore
import CAnyloopSystem

extension AsyncioOperation {
    /// Sockets of the application, and names.
    static let sockets: [String: AsyncioOperation] = [
        "socket": .plain { player, step in
            let isDatagram = try step.table.text("kind", or: "stream") == "datagram"
            let kind = Int32(isDatagram ? ANYLOOP_DATAGRAM : ANYLOOP_STREAM)
            let peer = try AsyncioPeer(for: .loopback(port: 0), kind: kind)
            if isDatagram { try peer.bind(to: .loopback(port: 0)) }
            if try step.table.flag("blocking", or: false) { try peer.setBlocking() }
            let name = try step.table.text("peer")
            player.peers[name] = peer
            player.addresses[name] = peer.name.map { [$0] } ?? []
        },
        "sock_recv": operation { sockets, peer, step, _ in
            .data(try await sockets.receive(peer, try step.table.number("count", or: 1 << 16)))
        },
        "sock_recv_into": operation { sockets, peer, step, _ in
            .data(try await sockets.receiveInto(peer, size: try step.table.number("size")))
        },
        "sock_recvfrom": operation { sockets, peer, step, player in
            let (bytes, address) = try await sockets.receiveFrom(peer, try step.table.number("count", or: 1 << 16))
            return .list([.data(bytes), player.addressName(address)])
        },
        "sock_sendall": operation { sockets, peer, step, _ in
            try await sockets.sendAll(peer, try step.data())
            return .none
        },
        "sock_sendto": operation { sockets, peer, step, player in
            .number(try await sockets.send(peer, try step.data(), to: try player.address(step)))
        },
        "sock_connect": operation { sockets, peer, step, player in
            let address = try player.address(step)
            let host = try step.table.optionalText("host")
            try await sockets.connect(peer, to: host.map { .host($0, port: address.port ?? 0) } ?? .address(address))
            return .none
        },
        "sock_accept": operation { sockets, peer, step, player in
            let accepted = try await sockets.accept(peer)
            let name = try step.table.text("as")
            player.peers[name] = AsyncioPeer(descriptor: accepted)
            return .name(name)
        },
        "sock_sendfile": operation { sockets, peer, step, player in
            let source = try player.store(AsyncioFileTable.init).file(step)
            let (offset, count) = (try step.table.number("offset", or: 0), try step.table.optionalNumber("count"))
            let fallback = try step.table.flag("fallback", or: true)
            return .number(
                try await sockets.sendFile(peer, source, offset: Int64(offset), count: count, fallback: fallback))
        },
        "getaddrinfo": .waits { player, step, _ in
            let sockets = try player.sockets()
            let (host, port) = (try step.table.text("host"), UInt16(clamping: try step.table.number("port")))
            let isNumeric = try step.table.flag("numeric", or: false)
            try await player.result(step, "getaddrinfo") {
                let found = try await sockets.addresses(of: host, port: port, isNumeric: isNumeric)
                return .list(found.map { .list([.text($0.host), .number(Int($0.port ?? 0))]) })
            }
        },
        "getnameinfo": .waits { player, step, _ in
            let sockets = try player.sockets()
            let (host, port) = (try step.table.text("host"), UInt16(clamping: try step.table.number("port")))
            try await player.result(step, "getnameinfo") {
                guard let address = SocketAddress(literal: host, port: port) else {
                    throw TransportError.resolution(host: host, code: -2, text: "no literal")
                }
                let (name, service) = try await sockets.names(of: address)
                return .list([.text(name), .text(service)])
            }
        },
    ]

    private typealias Body =
        nonisolated(nonsending) @Sendable (any AsyncioSockets, Int32, AsyncioStep, AsyncioPlayer) async throws
        -> AsyncioResult

    private static func operation(_ body: @escaping Body) -> AsyncioOperation {
        .waits { player, step, _ in
            let (sockets, peer) = (try player.sockets(), try player.peer(step))
            try await player.result(step, "\(try step.table.text("peer")).\(step.op)") {
                try await body(sockets, peer.descriptor, step, player)
            }
        }
    }
}

extension AsyncioPlayer {
    fileprivate func sockets() throws -> any AsyncioSockets {
        guard let sockets = provider.sockets?(loop) else {
            throw LiveScenario.Unsupported("this loop has no operations on sockets (LoopProvider.sockets)")
        }
        return sockets
    }
}
