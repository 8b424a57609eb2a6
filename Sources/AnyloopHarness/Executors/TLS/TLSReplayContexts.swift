import AnyloopCore
import AnyloopTLS
import CAnyloopTLS

/// What the two ends of all TLS replays of a process share: one certificate, made here, and contexts of both sides.
///
/// The subject's are AnyloopTLS's, the peer's OpenSSL's alone.
@safe
final class TLSReplayContexts {
    /// Whom the certificate is for, and what subjects on the client side call their server.
    static let name = "server.example"

    private let server: TLSServerContext
    private let client: TLSClientContext
    /// Without sessions, for full handshakes.
    private let freshClient: TLSClientContext
    private let farClient: FarContext
    private let farServer: FarContext
    private let olderFarClient: FarContext
    private let olderFarServer: FarContext
    /// The session that the next replay of a server subject resumes, by whether it is one of TLS 1.2.
    private var session: OpaquePointer?
    private var olderSession: OpaquePointer?

    init() throws {
        let identity = try TLSIdentity.selfSigned(names: [Self.name])
        server = try TLSServerContext(TLSServerOptions(identity: identity))
        var options = TLSClientOptions()
        options.trust = .pem(identity.certificateChain)
        client = try TLSClientContext(options)
        options.sessionLimit = 0
        freshClient = try TLSClientContext(options)
        farClient = try FarContext(isServer: false, identity, isOlder: false)
        farServer = try FarContext(isServer: true, identity, isOlder: false)
        olderFarClient = try FarContext(isServer: false, identity, isOlder: true)
        olderFarServer = try FarContext(isServer: true, identity, isOlder: true)
    }

    deinit {
        unsafe anyloop_tls_session_free(session)
        unsafe anyloop_tls_session_free(olderSession)
    }

    /// The subject's TLS for its `side`, with `application` on top.
    func subject(
        _ side: Fixture.Side, resumes: Bool, on loop: any Loop, _ application: ObservedConnection
    ) throws -> any StreamProtocol {
        switch side {
        case .server: TLSProtocol.server(on: loop, server, around: application)
        case .client:
            try TLSProtocol.client(
                on: loop, resumes ? client : freshClient, serverName: Self.name, sessionKey: Self.name,
                around: application)
        }
    }

    /// The peer's context where the subject takes `side`.
    func farContext(facing side: Fixture.Side, isOlder: Bool) -> FarContext {
        switch side {
        case .server: isOlder ? olderFarClient : farClient
        case .client: isOlder ? olderFarServer : farServer
        }
    }

    /// Has `tls`, a client, resume the session that an earlier replay left.
    func resume(in tls: OpaquePointer, isOlder: Bool) {
        guard let session = unsafe isOlder ? olderSession : session else { return }
        _ = unsafe anyloop_tls_resume(tls, session)
    }

    /// Keeps the session that the subject gave `tls`, a client.
    func keepSession(of tls: OpaquePointer, isOlder: Bool) {
        guard let fresh = unsafe anyloop_tls_take_session(tls) else { return }
        unsafe anyloop_tls_session_free(isOlder ? olderSession : session)
        if isOlder { unsafe olderSession = fresh } else { unsafe session = fresh }
    }
}

/// A context of the peer's.
@safe
final class FarContext {
    let pointer: OpaquePointer

    init(isServer: Bool, _ identity: TLSIdentity, isOlder: Bool) throws {
        guard let pointer = unsafe anyloop_tls_context_make(isServer) else { throw TLSReplayError.noMemory }
        unsafe self.pointer = pointer
        let certificate = identity.certificateChain
        let key = identity.privateKey
        // The certificate's subject, for errors that cannot come: the certificate is our own.
        var subject = [CChar](repeating: 0, count: 2)
        let done = unsafe certificate.withUnsafeBufferPointer { certificate in
            unsafe key.withUnsafeBufferPointer { key in
                unsafe anyloop_tls_context_versions(pointer, Self.tls12, isOlder ? Self.tls12 : 0) == 1
                    && (isServer
                        ? anyloop_tls_context_identity(
                            pointer, certificate.baseAddress, certificate.count, key.baseAddress, key.count, nil,
                            &subject, subject.count) == Int32(ANYLOOP_TLS_IDENTITY_DONE.rawValue)
                        : anyloop_tls_context_trust_pem(pointer, certificate.baseAddress, certificate.count) == 1)
            }
        }
        guard done else { throw TLSReplayError.contextRefused }
        unsafe anyloop_tls_context_verify(
            pointer, Int32(isServer ? ANYLOOP_TLS_VERIFY_NONE : ANYLOOP_TLS_VERIFY_REQUIRED))
    }

    deinit { unsafe anyloop_tls_context_free(pointer) }

    /// The version as on the wire.
    private static let tls12: Int32 = 0x0303
}

/// What kept a replay over TLS from being made.
enum TLSReplayError: Error, CustomStringConvertible {
    case noMemory
    case contextRefused
    case noHandshake(String?)

    var description: String {
        switch self {
        case .noMemory: "OpenSSL is out of memory"
        case .contextRefused: "OpenSSL refused the certificate that was made for the replays"
        case .noHandshake(let fault):
            "the handshake did not come about" + (fault.map { ": the peer says \($0)" } ?? ", and nobody says why")
        }
    }
}
