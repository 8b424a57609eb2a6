import AnyloopCore
import CAnyloopSystem

extension NativeLoop {
    /// Listens on `addresses`; all of them or none.
    public func createServer(
        on addresses: [SocketAddress], options: ServerOptions,
        protocolFactory: @escaping () throws -> any StreamProtocol
    ) throws(TransportError) -> any Server {
        guard !isClosed else { throw .loopClosed }
        guard !addresses.isEmpty else { throw .usage(.argument("a server needs at least one address")) }
        var listeners: [Listener] = []
        do throws(TransportError) {
            for address in addresses { listeners.append(try Listener.bound(to: address, options: options)) }
        } catch {
            for listener in listeners { listener.discard() }
            throw error
        }
        let server = NativeServer(
            loop: self, listeners: listeners, options: options, protocolFactory: protocolFactory)
        guard options.startServing else { return server }
        do throws(TransportError) { try server.startServing() } catch {
            server.close()
            throw error
        }
        return server
    }

    /// Takes over a connected stream socket; on an error it stays the caller's.
    @discardableResult
    public func adoptConnection(
        descriptor: Int32, protocolFactory: () throws -> any StreamProtocol
    ) throws(TransportError) -> any StreamTransport {
        guard !isClosed else { throw .loopClosed }
        let kind = anyloop_socket_kind(descriptor)
        guard kind >= 0 else { throw .system(-kind, "adopting descriptor \(descriptor)") }
        guard kind == Int32(ANYLOOP_STREAM) else {
            throw .usage(.argument("descriptor \(descriptor) is not a stream socket"))
        }
        guard Int(descriptor) >= watchers.count || watchers[Int(descriptor)] == nil else {
            throw .usage("File descriptor \(descriptor) is used by transport; adopt it once")
        }
        let code = anyloop_set_non_blocking(descriptor)
        guard code == 0 else { throw .system(-code, "fcntl") }
        return try adopt(descriptor, protocolFactory: protocolFactory, completion: nil)
    }

    /// Makes and starts a transport for a connected, non-blocking socket; on an error it stays the caller's.
    @discardableResult
    func adopt(
        _ descriptor: Int32, protocolFactory: () throws -> any StreamProtocol,
        completion: ((any StreamTransport) -> Void)?
    ) throws(TransportError) -> NativeStreamTransport {
        let made: any StreamProtocol
        do { made = try protocolFactory() } catch { throw .callback(name: "protocolFactory", error: error) }
        // Fails on a Unix socket, which has no delay to turn off.
        _ = anyloop_set_option(descriptor, Int32(ANYLOOP_OPTION_NO_DELAY), 1)
        let transport = NativeStreamTransport(
            loop: self, descriptor: descriptor, protocol: made, peer: .peer(of: descriptor))
        start(transport, completion: completion)
        return transport
    }

    /// Begins the life of `transport`: `connectionMade`, then reading, then `completion`.
    ///
    /// In native mode at once; in asyncio's as three callbacks of the ready queue (rules 48, 53, 63).
    func start(_ transport: NativeStreamTransport, completion: ((any StreamTransport) -> Void)?) {
        switch discipline {
        case .native:
            transport.callConnectionMade()
            transport.startReading()
            completion?(transport)
        case .asyncio:
            callSoon { transport.callConnectionMade() }
            callSoon { transport.startReading() }
            if let completion { callSoon { completion(transport) } }
        }
    }
}
