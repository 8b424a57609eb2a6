import AnyloopCore
import CAnyloopSystem

extension NativeLoop: PipeLoop {
    /// Reads `descriptor`, which is the transport's from here on and does not block any more.
    @discardableResult
    public func connectReadPipe(
        descriptor: Int32, protocolFactory: () throws -> any StreamProtocol
    ) throws(TransportError) -> any PipeTransport {
        let (made, _) = try prepare(descriptor, protocolFactory, "Pipe transport is for pipes/sockets only.")
        return NativeReadPipe(loop: self, descriptor: descriptor, protocol: made)
    }

    /// Writes to `descriptor`, which is the transport's from here on and does not block any more.
    @discardableResult
    public func connectWritePipe(
        descriptor: Int32, protocolFactory: () throws -> any StreamProtocol
    ) throws(TransportError) -> any PipeTransport {
        let (made, kind) = try prepare(
            descriptor, protocolFactory, "Pipe transport is only for pipes, sockets and character devices")
        return NativeWritePipe(
            loop: self, descriptor: descriptor, protocol: made, noticesReader: kind != ANYLOOP_KIND_CHARACTER)
    }

    /// As in asyncio the factory runs first, whatever the descriptor is.
    private func prepare(
        _ descriptor: Int32, _ protocolFactory: () throws -> any StreamProtocol, _ complaint: String
    ) throws(TransportError) -> (made: any StreamProtocol, kind: Int) {
        guard !isClosed else { throw .loopClosed }
        let made: any StreamProtocol
        do { made = try protocolFactory() } catch { throw .callback(name: "protocolFactory", error: error) }
        let kind = anyloop_descriptor_kind(descriptor)
        guard kind >= 0 else { throw .system(-kind, "connecting descriptor \(descriptor)") }
        guard kind != ANYLOOP_KIND_OTHER else { throw .usage(.argument(complaint)) }
        guard Int(descriptor) >= watchers.count || watchers[Int(descriptor)] == nil else {
            throw .usage("File descriptor \(descriptor) is used by transport; connect it once")
        }
        let code = anyloop_set_non_blocking(descriptor)
        guard code == 0 else { throw .system(-code, "fcntl") }
        return (made, Int(kind))
    }
}

extension NativeLoopFacade {
    /// Reads `descriptor`, which is the transport's from here on and does not block any more.
    @discardableResult
    public func connectReadPipe(
        descriptor: Int32, protocolFactory: () throws -> any StreamProtocol
    ) throws(TransportError) -> any PipeTransport {
        try native.connectReadPipe(descriptor: descriptor, protocolFactory: protocolFactory)
    }

    /// Writes to `descriptor`, which is the transport's from here on and does not block any more.
    @discardableResult
    public func connectWritePipe(
        descriptor: Int32, protocolFactory: () throws -> any StreamProtocol
    ) throws(TransportError) -> any PipeTransport {
        try native.connectWritePipe(descriptor: descriptor, protocolFactory: protocolFactory)
    }
}
