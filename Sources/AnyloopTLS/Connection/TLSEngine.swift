import AnyloopCore
import CAnyloopTLS

/// One side of TLS without transports: bytes in, bytes out. Freed with the last reference.
@safe
package final class TLSEngine {
    /// What a step came to.
    package enum Step {
        /// More bytes from the peer are needed.
        case wants
        case done
        /// The peer sent `close_notify`.
        case closed
        case failed
    }

    private let pointer: OpaquePointer
    private let isServer: Bool
    private let serverName: String?

    deinit { unsafe anyloop_tls_free(pointer) }

    /// - Throws: `TLSError` (`.configuration`) for a name that cannot be sent.
    package init(server handle: TLSContextHandle) throws(TLSError) {
        guard let made = unsafe anyloop_tls_make(handle.pointer, nil, false) else {
            throw TLSFailure.take().configurationError("a TLS connection could not be made")
        }
        unsafe pointer = made
        isServer = true
        serverName = nil
    }

    /// - Throws: `TLSError` (`.configuration`) for a name that cannot be sent.
    package init(client context: TLSClientContext, serverName: String?) throws(TLSError) {
        let checks = context.options.verifiesCertificate && context.options.verifiesHostName
        // C would see the name end at a NUL, and check what is before it.
        guard serverName?.utf8.contains(0) != true,
            let made = unsafe anyloop_tls_make(context.handle.pointer, serverName, checks)
        else {
            throw TLSFailure.take().configurationError(
                "the server name '\(serverName ?? "")' cannot be used: it has to be a host name in ASCII of 1 to 255 "
                    + "bytes, or an address")
        }
        unsafe pointer = made
        isServer = false
        self.serverName = serverName
    }

    // MARK: Bytes

    /// Lends `body` memory of the thread's, with anything in it.
    static func withScratch<Result>(_ size: Int, _ body: (UnsafeMutableBufferPointer<UInt8>) -> Result) -> Result {
        let buffer = unsafe anyloop_tls_borrow(size)
        // As where Swift itself is out of memory.
        guard let base = unsafe buffer.bytes else { fatalError("out of memory") }
        defer { unsafe anyloop_tls_give_back(buffer) }
        return unsafe body(UnsafeMutableBufferPointer(start: base, count: size))
    }

    /// Lends `bytes` as input for the length of `body`.
    package func withInput(_ bytes: Span<UInt8>, _ body: () -> Void) {
        unsafe bytes.withUnsafeBufferPointer { buffer in
            unsafe anyloop_tls_lend(pointer, buffer.baseAddress, buffer.count)
            body()
        }
    }

    /// Bytes of the input that were not taken.
    package var unreadCount: Int { unsafe anyloop_tls_unread(pointer) }

    /// Ends the loan of the input.
    package func endInput() { unsafe anyloop_tls_lend(pointer, nil, 0) }

    /// Bytes that are to be sent.
    var outputCount: Int {
        var count = 0
        _ = unsafe anyloop_tls_output(pointer, &count)
        return count
    }

    /// Lends what is to be sent to `body`, if there is anything, and forgets it.
    package func takeOutput(_ body: (Span<UInt8>) -> Void) {
        var count = 0
        let bytes = unsafe anyloop_tls_output(pointer, &count)
        guard count > 0 else { return }
        unsafe body(UnsafeBufferPointer(start: bytes, count: count).span)
        unsafe anyloop_tls_output_sent(pointer)
    }

    // MARK: Steps

    package func handshake() -> Step { step(unsafe anyloop_tls_handshake(pointer)) }

    /// Decrypts into `buffer`; `count` bytes are there whatever the step came to.
    package func read(into buffer: UnsafeMutableBufferPointer<UInt8>, count: inout Int) -> Step {
        step(unsafe anyloop_tls_read(pointer, buffer.baseAddress, buffer.count, &count))
    }

    package func write(_ bytes: Span<UInt8>) -> Step {
        unsafe bytes.withUnsafeBufferPointer { step(unsafe anyloop_tls_write(pointer, $0.baseAddress, $0.count)) }
    }

    /// Queues `close_notify`.
    package func close() -> Step { step(unsafe anyloop_tls_close(pointer)) }

    /// For tests: has the keys changed, and asks the peer to do so too if `asksPeer`.
    package func updateKey(asksPeer: Bool) -> Bool { unsafe anyloop_tls_update_key(pointer, asksPeer) == 1 }

    /// For tests: has the next step ask for a new handshake.
    package func renegotiate() -> Bool { unsafe anyloop_tls_renegotiate(pointer) == 1 }

    private func step(_ result: Int32) -> Step {
        switch Int(result) {
        case ANYLOOP_TLS_WANTS: .wants
        case ANYLOOP_TLS_DONE: .done
        case ANYLOOP_TLS_CLOSED: .closed
        default: .failed
        }
    }

    /// Why the last step failed.
    package func takeError() -> TLSError {
        unsafe TLSFailure.take(of: pointer).connectionError(isServer: isServer, serverName: serverName)
    }

    // MARK: Sessions

    /// Resumes `session` in the handshake to come.
    func resume(_ session: TLSSessionCache.Session) {
        _ = unsafe anyloop_tls_resume(pointer, session.pointer)
    }

    /// The newest session that the peer gave, once.
    func takeSession() -> TLSSessionCache.Session? {
        unsafe anyloop_tls_take_session(pointer).map { unsafe TLSSessionCache.Session($0) }
    }

    // MARK: What was agreed on

    /// What the handshake agreed on.
    func info(ending: TLSEnding?) -> TLSInfo {
        var bits: Int32 = 0
        let cipher = unsafe String(cString: anyloop_tls_cipher(pointer, &bits))
        var protocolCount = 0
        let protocolBytes = unsafe anyloop_tls_protocol(pointer, &protocolCount)
        let alpn = unsafe UnsafeBufferPointer(start: protocolBytes, count: protocolCount)
        return TLSInfo(
            version: unsafe String(cString: anyloop_tls_version(pointer)), cipher: cipher, cipherBits: Int(bits),
            alpn: protocolCount > 0 ? unsafe String(decoding: alpn, as: UTF8.self) : nil,
            serverName: unsafe anyloop_tls_server_name(pointer).map { unsafe String(cString: $0) },
            peerCertificates: peerCertificates(), isResumed: unsafe anyloop_tls_is_resumed(pointer), ending: ending)
    }

    private func peerCertificates() -> [[UInt8]] {
        var certificates: [[UInt8]] = []
        var count = 0
        while let bytes = unsafe anyloop_tls_peer_certificate(pointer, certificates.count, &count) {
            certificates.append(unsafe Array(UnsafeBufferPointer(start: bytes, count: count)))
            unsafe anyloop_tls_bytes_free(bytes)
        }
        return certificates
    }
}
