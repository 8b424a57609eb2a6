import AnyloopCore
import AnyloopTLS
import AnyloopTesting
import Testing

/// A client and a server of ours that meet over TLS on a loop in memory; the loop is closed with the last of it.
final class MemoryMeeting {
    private let loop: ClosingLoop
    let served = RecordingProtocol()
    let asked = RecordingProtocol()
    private(set) var result: Result<any StreamTransport, TransportError>?
    /// What the server was told of a handshake that failed.
    private(set) var serverError: TransportError?

    /// Connects to `host` and goes on until nothing is left to do.
    init(
        on closing: ClosingLoop = ClosingLoop(), _ client: TLSClientContext, _ source: TLSServerContextSource,
        host: String = Certificates.host, tlsOptions: TLSConnectionOptions = TLSConnectionOptions()
    ) throws {
        loop = closing
        let loop = closing.loop
        let served = served
        let asked = asked
        var told: TransportError?
        var outcome: Result<any StreamTransport, TransportError>?
        let server = try loop.createServer(
            on: [.loopback(port: 443)], tls: source, tlsOptions: tlsOptions,
            handshakeFailed: { _, error in told = error }
        ) { served }
        loop.createConnection(
            to: .address(.loopback(port: 443)), tls: client, serverName: host, tlsOptions: tlsOptions
        ) {
            asked
        } completion: {
            outcome = $0
        }
        loop.runUntilIdle()
        server.close()
        loop.runUntilIdle()
        result = outcome
        serverError = told
    }

    /// Connects to a server with one context.
    convenience init(
        on loop: ClosingLoop = ClosingLoop(), _ client: TLSClientContext, _ server: TLSServerContext,
        host: String = Certificates.host
    ) throws {
        try self.init(on: loop, client, TLSServerContextSource(server), host: host)
    }

    /// What the client agreed on.
    var info: TLSInfo? { asked.transport?.tls }

    /// What the client was told when it tried to connect.
    var clientError: TransportError? {
        if case .failure(let error) = result { error } else { nil }
    }
}

/// A loop that lets go of what is still open on it when nobody uses it any more.
final class ClosingLoop {
    let loop = MemoryLoop()
    deinit { loop.closeLoop() }
}

extension TransportError {
    /// The kind of a failure of TLS; nil for others.
    var tlsKind: TLSError.Kind? {
        if case .tls(let error) = self { error.kind } else { nil }
    }
}
