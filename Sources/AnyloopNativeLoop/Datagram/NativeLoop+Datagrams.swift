import AnyloopCore
import AnyloopSystem
import CAnyloopSystem

extension NativeLoop {
    /// Opens a datagram endpoint; UDP unless the addresses are Unix sockets' (asyncio rule 114).
    public func createDatagramEndpoint(
        local: SocketAddress?, remote: SocketAddress?, options: DatagramOptions,
        protocolFactory: () throws -> any DatagramProtocol
    ) throws(TransportError) -> any DatagramTransport {
        let (descriptor, made) = try openDatagramSocket(
            local: local, remote: remote, options: options, protocolFactory: protocolFactory)
        let transport = NativeDatagramTransport(
            loop: self, descriptor: descriptor, protocol: made, address: remote, peer: remote)
        start(transport)
        return transport
    }

    /// Sends and receives on a socket of the application's, which the endpoint owns from here on.
    public func createDatagramEndpoint(
        descriptor: Int32, protocolFactory: () throws -> any DatagramProtocol
    ) throws(TransportError) -> any DatagramTransport {
        try prepareAdoption(of: descriptor, kind: Int32(ANYLOOP_DATAGRAM), "A datagram socket was expected")
        let made: any DatagramProtocol
        do { made = try protocolFactory() } catch { throw .callback(name: "protocolFactory", error: error) }
        let transport = NativeDatagramTransport(
            loop: self, descriptor: descriptor, protocol: made, address: nil, peer: .peer(of: descriptor))
        start(transport)
        return transport
    }

    /// A datagram socket that is bound and connected as asked, and its protocol.
    package func openDatagramSocket(
        local: SocketAddress?, remote: SocketAddress?, options: DatagramOptions,
        protocolFactory: () throws -> any DatagramProtocol
    ) throws(TransportError) -> (descriptor: Int32, made: any DatagramProtocol) {
        guard !isClosed else { throw .loopClosed }
        guard let family = (remote ?? local)?.family else {
            throw .usage(.argument("a datagram endpoint needs a local or a remote address"))
        }
        if let local, local.family != family {
            throw .usage(.argument("can not get address information: \(local) and \(remote ?? local) differ in family"))
        }
        let descriptor = anyloop_socket(family, Int32(ANYLOOP_DATAGRAM))
        guard descriptor >= 0 else { throw .system(-descriptor, "socket") }
        let made: any DatagramProtocol
        do throws(TransportError) {
            try open(descriptor, local: local, remote: remote, options: options)
            do { made = try protocolFactory() } catch { throw .callback(name: "protocolFactory", error: error) }
        } catch {
            _ = anyloop_close(descriptor)
            throw error
        }
        return (descriptor, made)
    }

    private func start(_ transport: NativeDatagramTransport) {
        switch discipline {
        case .native:
            transport.callConnectionMade()
            transport.startReading()
        case .asyncio:
            callSoon { transport.callConnectionMade() }
            callSoon { transport.startReading() }
        }
    }

    private func open(
        _ descriptor: Int32, local: SocketAddress?, remote: SocketAddress?, options: DatagramOptions
    ) throws(TransportError) {
        if options.reusePort { try set(descriptor, ANYLOOP_OPTION_REUSE_PORT, "SO_REUSEPORT") }
        if options.allowBroadcast { try set(descriptor, ANYLOOP_OPTION_BROADCAST, "SO_BROADCAST") }
        if let local {
            var packed = try local.packed()
            if local.isUnix, unsafe anyloop_remove_stale_socket(&packed) == -Errno.exists {
                throw notASocket(local)
            }
            let code = unsafe anyloop_bind(descriptor, &packed)
            guard code == 0 else { throw bindError(-code, local, "bind") }
        }
        if let remote {
            var packed = try remote.packed()
            let code = unsafe anyloop_connect(descriptor, &packed)
            guard code == 0 else { throw .system(-code, "connect to \(remote)") }
        }
    }

    private func set(_ descriptor: Int32, _ option: Int, _ name: String) throws(TransportError) {
        let code = anyloop_set_option(descriptor, Int32(option), 1)
        guard code == 0 else { throw .system(-code, "setsockopt \(name)") }
    }
}
