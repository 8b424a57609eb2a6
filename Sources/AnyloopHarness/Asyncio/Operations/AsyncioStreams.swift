import AnyloopCore
import CAnyloopSystem

extension AsyncioOperation {
    /// Calls on a stream's transport.
    static let streams: [String: AsyncioOperation] = [
        "write": .plain { player, step in
            let (transport, bytes) = (try player.transport(step), try step.data())
            call(player, step, "write") { transport.write(bytes.span) }
        },
        "writelines": .plain { player, step in
            let (transport, pieces) = (try player.transport(step), try pieces(step))
            call(player, step, "writelines") { transport.write(contentsOf: pieces) }
        },
        "write_eof": .plain { player, step in
            let transport = try player.transport(step)
            call(player, step, "write_eof") { transport.writeEOF() }
        },
        "can_write_eof": getter { $0.canWriteEOF },
        "close": .plain { player, step in
            if let process = player.process(try step.on())?.transport {
                return call(player, step, "close") { process.close() }
            }
            let transport = try player.anyTransport(step)
            call(player, step, "close") { transport.close() }
        },
        "abort": .plain { player, step in
            let transport = try player.anyTransport(step)
            call(player, step, "abort") { transport.abort() }
        },
        "is_closing": .plain { player, step in
            if let process = player.process(try step.on())?.transport {
                return player.call("\(try step.on()).is_closing", getter: true) { .flag(process.isClosing) }
            }
            let transport = try player.anyTransport(step)
            player.call("\(try step.on()).is_closing", getter: true) { .flag(transport.isClosing) }
        },
        "pause_reading": .plain { player, step in
            let transport = try player.transport(step)
            call(player, step, "pause_reading") { transport.pauseReading() }
        },
        "resume_reading": .plain { player, step in
            let transport = try player.transport(step)
            call(player, step, "resume_reading") { transport.resumeReading() }
        },
        "is_reading": getter { $0.isReading },
        "set_write_buffer_limits": .plain { player, step in
            let transport = try player.anyTransport(step)
            let (high, low) = (try step.table.optionalNumber("high"), try step.table.optionalNumber("low"))
            call(player, step, "set_write_buffer_limits") {
                // asyncio's defaults are the transport's.
                let isTLS = high == nil && low == nil && (transport as? any StreamTransport)?.tls != nil
                transport.setWriteBufferLimits(isTLS ? .tls : try WriteBufferLimits(high: high, low: low))
            }
        },
        "get_write_buffer_limits": .plain { player, step in
            let transport = try player.anyTransport(step)
            player.call("\(try step.on()).get_write_buffer_limits", getter: true) {
                let limits = transport.writeBufferLimits
                return .list([.number(limits.low), .number(limits.high)])
            }
        },
        "get_write_buffer_size": .plain { player, step in
            let transport = try player.anyTransport(step)
            player.call("\(try step.on()).get_write_buffer_size", getter: true) { .number(transport.writeBufferSize) }
        },
        "buffer_empty": .plain { player, step in
            let transport = try player.anyTransport(step)
            player.call("\(try step.on()).buffer_empty", getter: true) { .flag(transport.writeBufferSize == 0) }
        },
        "set_protocol": .plain { player, step in
            let transport = try player.transport(step)
            let name = try step.table.text("as")
            let new = try player.makeStreamProtocol(name, try step.table.text("kind", or: "stream"))
            player.transports[name] = transport
            call(player, step, "set_protocol") { transport.streamProtocol = new }
        },
        "get_protocol": .plain { player, step in
            let transport = try player.transport(step)
            player.call("\(try step.on()).get_protocol", getter: true) { player.actor(of: transport.streamProtocol) }
        },
        "extra": .plain { player, step in
            let transport = try player.anyTransport(step)
            let name = try step.table.text("name")
            player.call("\(try step.on()).\(name)", getter: true) { try extra(player, transport, name) }
        },
        "option": .plain { player, step in try option(player, step) },
        "buffer_size": .plain { player, step in player.bufferSizes[try step.on()] = try step.table.number("size") },
    ]

    /// A call that returns nothing.
    private static func call(_ player: AsyncioPlayer, _ step: AsyncioStep, _ name: String, _ body: () throws -> Void) {
        guard let actor = try? step.on() else { return player.fail(step.table.error("on", expected: "an actor")) }
        player.call("\(actor).\(name)") {
            try body()
            return .none
        }
    }

    private static func getter(_ get: @escaping @Sendable (any StreamTransport) -> Bool) -> AsyncioOperation {
        .plain { player, step in
            let transport = try player.transport(step)
            player.call("\(try step.on()).\(step.op)", getter: true) { .flag(get(transport)) }
        }
    }

    private static func pieces(_ step: AsyncioStep) throws -> [[UInt8]] {
        if step.table.has("fill") {
            return Array(repeating: try step.data(), count: try step.table.number("pieces", or: 1))
        }
        return try step.table.texts("data").map { try step.bytes(of: $0) }
    }

    private static func extra(
        _ player: AsyncioPlayer, _ transport: any Transport, _ name: String
    ) throws -> AsyncioResult {
        switch name {
        case "sockname": player.addressName(transport.socketName)
        case "peername": player.addressName(transport.peerName)
        // A transport of ours stands for its socket as long as it has an address.
        case "socket": .flag(transport.socketName != nil)
        case "pipe": .flag(transport is any PipeTransport)
        case "sslcontext", "ssl_object", "cipher": .flag((transport as? any StreamTransport)?.tls != nil)
        case "peercert": .flag((transport as? any StreamTransport)?.tls?.peerCertificates.isEmpty == false)
        default: .flag(false)
        }
    }

    private static func option(_ player: AsyncioPlayer, _ step: AsyncioStep) throws {
        let descriptor = try player.descriptor(of: try player.anyTransport(step), step)
        switch try step.table.text("name") {
        case "nodelay":
            player.call("\(try step.on()).nodelay", getter: true) {
                let value = anyloop_get_option(descriptor, Int32(ANYLOOP_OPTION_NO_DELAY))
                return .flag(try AsyncioSocket.checked(value, "getsockopt") != 0)
            }
        case "broadcast":
            player.call("\(try step.on()).broadcast", getter: true) {
                let value = anyloop_get_option(descriptor, Int32(ANYLOOP_OPTION_BROADCAST))
                return .flag(try AsyncioSocket.checked(value, "getsockopt") != 0)
            }
        case "sndbuf":
            let size = Int32(try step.table.number("value"))
            try AsyncioSocket.checked(
                anyloop_set_option(descriptor, Int32(ANYLOOP_OPTION_SEND_BUFFER), size), "setsockopt")
        case "rcvbuf":
            let size = Int32(try step.table.number("value"))
            try AsyncioSocket.checked(
                anyloop_set_option(descriptor, Int32(ANYLOOP_OPTION_RECEIVE_BUFFER), size), "setsockopt")
        default: throw step.table.error("name", expected: "nodelay, broadcast, sndbuf or rcvbuf")
        }
    }
}

extension AsyncioPlayer {
    /// The transport of whatever kind that the step's actor has.
    func anyTransport(_ step: AsyncioStep) throws -> any Transport {
        if let transport = otherTransports[try step.on()] { return transport }
        return try transport(step)
    }

    /// An address as a trace has it: whose it is, else `PATH` or `ADDR`.
    func addressName(_ address: SocketAddress?) -> AsyncioResult {
        guard let address else { return .none }
        if case .unix("") = address { return .text("") }
        for (name, peer) in peers.sorted(by: { $0.key < $1.key }) where peer.name == address { return .name(name) }
        for (name, known) in addresses.sorted(by: { $0.key < $1.key }) where known.contains(address) {
            return .name(name)
        }
        if case .unix = address { return .name("PATH") }
        return .name("ADDR")
    }

    /// The descriptor behind a transport.
    func descriptor(of transport: any Transport, _ step: AsyncioStep) throws -> Int32 {
        if let descriptor = socketpairs[ObjectIdentifier(transport)] { return descriptor }
        let own = Set(peers.values.map(\.descriptor))
        let found = AsyncioSocket.find(name: transport.socketName, peer: transport.peerName, except: own)
        guard let found else { throw AsyncioPlayerError("\(step.table.place): the transport has no socket any more") }
        return found
    }
}
