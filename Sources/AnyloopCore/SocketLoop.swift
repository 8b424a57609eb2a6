/// A loop that takes over sockets that the application made (asyncio: the `sock=` arguments).
///
/// What is taken over belongs to the loop's objects from then on, which close it; on an error it stays the caller's.
public protocol SocketLoop: Loop {
    /// Listens on stream sockets that are bound already (asyncio: `create_server(sock=)`, rules 51, 52).
    ///
    /// `backlog`, `startServing`, `keepAlive`, `cleanUpSocket` and `connectionLimit` of `options` count.
    ///
    /// - Throws: `TransportError.usage` for a descriptor that is no stream socket or is on this loop already,
    ///   `.system`, `.loopClosed`.
    func createServer(
        descriptors: [Int32], options: ServerOptions,
        protocolFactory: @escaping () throws -> any StreamProtocol
    ) throws(TransportError) -> any Server

    /// Sends and receives on a datagram socket, bound and connected as it is (asyncio:
    /// `create_datagram_endpoint(sock=)`, rule 114).
    ///
    /// - Throws: `TransportError.usage` for a descriptor that is no datagram socket or is on this loop already,
    ///   `.callback` with what the factory threw, `.loopClosed`.
    func createDatagramEndpoint(
        descriptor: Int32, protocolFactory: () throws -> any DatagramProtocol
    ) throws(TransportError) -> any DatagramTransport
}
