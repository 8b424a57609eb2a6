import AnyloopCore

/// Makes the protocol that speaks TLS on a transport, with another protocol above it.
///
/// What it returns stands on any `StreamTransport`: a socket's, one in memory, another TLS transport, another
/// library's. The protocol above gets a transport by `connectionMade` once the handshake is over, and nothing if it
/// fails (asyncio rules 119, 120).
public enum TLSProtocol {
    /// Told once how the handshake went; on the loop, later than the call that led to it.
    public typealias Handshake = (Result<any StreamTransport, TransportError>) -> Void

    /// The server's side.
    ///
    /// - Parameters:
    ///   - loop: the loop of the transport to come.
    ///   - context: certificate and settings.
    ///   - streamProtocol: the application's protocol.
    ///   - handshake: told how the handshake went.
    public static func server(
        on loop: any Loop, _ context: TLSServerContext, options: TLSConnectionOptions = TLSConnectionOptions(),
        around streamProtocol: any StreamProtocol, handshake: Handshake? = nil
    ) -> any StreamProtocol {
        TLSConnection(
            loop: loop, role: .server(context), options: options, protocol: streamProtocol, onHandshake: handshake)
    }

    /// The client's side.
    ///
    /// - Parameters:
    ///   - loop: the loop of the transport to come.
    ///   - context: trust and settings.
    ///   - serverName: the host name or address that the certificate has to be made for; sent as SNI (RFC 6066 §3)
    ///     unless it is an address. Nil only where the context does not check names.
    ///   - sessionKey: under which sessions are kept for resumption, such as `host:port`; nil keeps none.
    ///   - streamProtocol: the application's protocol.
    ///   - handshake: told how the handshake went.
    /// - Throws: `TransportError.usage` without a name that has to be checked (asyncio rule 45).
    public static func client(
        on loop: any Loop, _ context: TLSClientContext, serverName: String?, sessionKey: String? = nil,
        options: TLSConnectionOptions = TLSConnectionOptions(), around streamProtocol: any StreamProtocol,
        handshake: Handshake? = nil
    ) throws(TransportError) -> any StreamProtocol {
        TLSConnection(
            loop: loop, role: try .client(context, name: serverName, sessionKey: sessionKey), options: options,
            protocol: streamProtocol, onHandshake: handshake)
    }
}

extension TLSConnection.Role {
    /// A client's role, with its name as certificates have it.
    static func client(
        _ context: TLSClientContext, name: String?, sessionKey: String?
    ) throws(TransportError) -> TLSConnection.Role {
        guard var name, !name.isEmpty else {
            guard !context.options.verifiesCertificate || !context.options.verifiesHostName else {
                throw .usage(.argument("You must set server_hostname when using ssl without a host"))
            }
            return .client(context, serverName: nil, sessionKey: sessionKey)
        }
        // The root's dot is not part of the name (RFC 6066 §3), a scope not of the address.
        if name.hasSuffix(".") { name.removeLast() }
        if name.contains(":"), let scope = name.firstIndex(of: "%") { name = String(name[..<scope]) }
        // Sessions are bound to the name that was checked.
        return .client(context, serverName: name, sessionKey: sessionKey.map { "\(name) \($0)" })
    }
}
