import AnyloopCore
import AnyloopSystem
import CAnyloopSystem

extension NativeLoop: SocketLoop {
    /// Listens on `addresses`; all of them or none.
    public func createServer(
        on addresses: [SocketAddress], options: ServerOptions,
        protocolFactory: @escaping () throws -> any StreamProtocol
    ) throws(TransportError) -> any Server {
        guard !isClosed else { throw .loopClosed }
        let sockets = try BoundSocket.bound(to: addresses, options: options)
        return try serve(sockets, options, protocolFactory, hasForeignSockets: false)
    }

    /// Listens on sockets of the application's that are bound; all of them or none.
    public func createServer(
        descriptors: [Int32], options: ServerOptions,
        protocolFactory: @escaping () throws -> any StreamProtocol
    ) throws(TransportError) -> any Server {
        let sockets = try adoptListeners(descriptors, options: options)
        return try serve(sockets, options, protocolFactory, hasForeignSockets: true)
    }

    /// Sees that `descriptors` are stream sockets that nobody on this loop has.
    package func adoptListeners(
        _ descriptors: [Int32], options: ServerOptions
    ) throws(TransportError) -> [BoundSocket] {
        guard !descriptors.isEmpty else {
            throw .usage(.argument("Neither host/port nor sock were specified"))
        }
        guard Set(descriptors).count == descriptors.count else {
            throw .usage(.argument("a descriptor is named twice"))
        }
        for descriptor in descriptors {
            try prepareAdoption(of: descriptor, kind: Int32(ANYLOOP_STREAM), "A Stream Socket was expected")
        }
        // From here on they are the server's, which closes them with what fails; asyncio does so, too.
        return descriptors.map { BoundSocket(descriptor: $0, options: options) }
    }

    private func serve(
        _ sockets: [BoundSocket], _ options: ServerOptions,
        _ protocolFactory: @escaping () throws -> any StreamProtocol, hasForeignSockets: Bool
    ) throws(TransportError) -> any Server {
        let server = NativeServer(
            loop: self, sockets: sockets, options: options, protocolFactory: protocolFactory,
            hasForeignSockets: hasForeignSockets)
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
        try prepareAdoption(of: descriptor, kind: Int32(ANYLOOP_STREAM), "A Stream Socket was expected")
        return try adopt(descriptor, protocolFactory: protocolFactory, completion: nil)
    }

    /// Sees that `descriptor` is a socket of `kind` that nobody on this loop has, and that it does not block.
    package func prepareAdoption(of descriptor: Int32, kind: Int32, _ complaint: String) throws(TransportError) {
        guard !isClosed else { throw .loopClosed }
        let found = anyloop_socket_kind(descriptor)
        guard found >= 0 else { throw .system(-found, "adopting descriptor \(descriptor)") }
        guard found == kind else { throw .usage(.argument("\(complaint), got <descriptor \(descriptor)>")) }
        guard Int(descriptor) >= watchers.count || watchers[Int(descriptor)] == nil else {
            throw .usage("File descriptor \(descriptor) is used by transport <adopt it once>")
        }
        let code = anyloop_set_non_blocking(descriptor)
        guard code == 0 else { throw .system(-code, "fcntl") }
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
