import AnyloopAsync
import AnyloopCore
import AnyloopTLS
import CAnyloopSystem

extension AsyncioOperation {
    /// Servers.
    static let servers: [String: AsyncioOperation] = [
        "serve": .waits { player, step, _ in try await serve(player, step) },
        "server_close": .plain { player, step in
            let (name, server) = try player.server(step)
            player.call("\(name).close") {
                server.close()
                return .none
            }
        },
        "server_close_clients": .plain { player, step in
            let (name, server) = try player.server(step)
            player.call("\(name).close_clients") {
                server.closeClients()
                return .none
            }
        },
        "server_abort_clients": .plain { player, step in
            let (name, server) = try player.server(step)
            player.call("\(name).abort_clients") {
                server.abortClients()
                return .none
            }
        },
        "with_server": .waits { player, step, place in
            let (name, server) = try player.server(step)
            let steps = try step.steps("then")
            try await player.result(step, "\(name) left") {
                var failure: (any Error)?
                player.line("\(name) entered")
                do { _ = try await player.body(steps, in: place) } catch { failure = error }
                server.close()
                try await server.waitClosed()
                if let failure { throw failure }
                return .none
            }
        },
        "is_serving": .plain { player, step in
            let (name, server) = try player.server(step)
            player.call("\(name).is_serving", getter: true) { .flag(server.isServing) }
        },
        "server_sockets": .plain { player, step in
            let (name, server) = try player.server(step)
            player.call("\(name).sockets", getter: true) { .number(server.addresses.count) }
        },
        "start_serving": .waits { player, step, _ in
            let (name, server) = try player.server(step)
            try await player.result(step, "\(name).start_serving") {
                try server.startServing()
                return .none
            }
        },
        "serve_forever": .waits { player, step, _ in
            let (name, server) = try player.server(step)
            try await player.result(step, "\(name).serve_forever") {
                try await server.serveForever()
                return .none
            }
        },
        "wait_closed": .waits { player, step, _ in
            let (name, server) = try player.server(step)
            try await player.result(step, "\(name).wait_closed") {
                try await server.waitClosed()
                return .none
            }
        },
    ]

    private nonisolated(nonsending) static func serve(_ player: AsyncioPlayer, _ step: AsyncioStep) async throws {
        let table = step.table
        let name = try table.text("as", or: "S")
        let factory = try player.serverFactory(name, try table.text("kind", or: "stream"))
        var options = ServerOptions()
        options.backlog = try table.number("backlog", or: options.backlog)
        options.startServing = try table.flag("start_serving", or: options.startServing)
        options.reuseAddress = try table.flag("reuse_address", or: options.reuseAddress)
        options.reusePort = try table.flag("reuse_port", or: options.reusePort)
        let path = try table.optionalText("unix")
        let port = try player.port(step)
        let hosts = table.has("host") ? try table.texts("host") : ["127.0.0.1"]
        let loop = player.loop
        let socket = table.has("sock") ? try player.boundSocket(step) : nil
        try await player.result(step, "serve") {
            let server: AsyncServer
            let path = try path.map { "\(try player.folder())/\($0)" }
            if let tls = try player.serverTLS(step) {
                if let path {
                    server = try await loop.createUnixServer(
                        factory, path: path, options: options, tls: tls.contexts, tlsOptions: tls.options)
                } else {
                    server = try await loop.createServer(
                        factory, hosts: hosts, port: port, options: options, tls: tls.contexts,
                        tlsOptions: tls.options)
                }
            } else if let socket {
                server = try await loop.createServer(factory, socket: socket.release(), options: options)
            } else if let path {
                server = try await loop.createUnixServer(factory, path: path, options: options)
            } else {
                server = try await loop.createServer(factory, hosts: hosts, port: port, options: options)
            }
            player.servers[name] = server
            player.addresses[name] = server.addresses.sorted { AsyncioSocket.precedes($0, $1) }
            if table.has("sndbuf") || table.has("rcvbuf") {
                for address in server.addresses {
                    guard let listener = AsyncioSocket.find(name: address, peer: nil, except: []) else {
                        throw AsyncioPlayerError("\(table.place): no socket listens on \(address)")
                    }
                    try AsyncioSocket.setBuffers(listener, step)
                }
            }
            return .name(name)
        }
    }
}

extension AsyncioPlayer {
    /// The port that a server of the step takes; 0 for any.
    fileprivate func port(_ step: AsyncioStep) throws -> UInt16 {
        if step.table.has("port_of") { return try address(step, key: "port_of").port ?? 0 }
        guard try step.table.flag("both_families", or: false) else { return 0 }
        // What a socket of both families had a moment ago is free for each.
        let any = SocketAddress.v6(high: 0, low: 0, port: 0, scope: 0)
        let probe = try AsyncioPeer(for: any, kind: Int32(ANYLOOP_STREAM))
        defer { probe.close() }
        try probe.bind(to: any)
        return probe.name?.port ?? 0
    }

    /// A bound socket of the step's kind, of which a server is to be made.
    fileprivate func boundSocket(_ step: AsyncioStep) throws -> AsyncioPeer {
        let kind = try step.table.text("sock")
        let address: SocketAddress = kind == "unix" ? .unix(path: "\(try folder())/bound") : .loopback(port: 0)
        let socket = try AsyncioPeer(
            for: address, kind: Int32(kind == "datagram" ? ANYLOOP_DATAGRAM : ANYLOOP_STREAM))
        try socket.bind(to: address)
        return socket
    }

    /// The server of a step, and its name.
    func server(_ step: AsyncioStep) throws -> (String, AsyncServer) {
        let name = try step.table.text("server", or: "S")
        guard let server = servers[name] else {
            throw AsyncioPlayerError("\(step.table.place): there is no server '\(name)' (yet)")
        }
        return (name, server)
    }
}
