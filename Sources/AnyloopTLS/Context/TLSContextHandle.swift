import AnyloopCore
import CAnyloopTLS

/// An OpenSSL context, set up once and not changed afterwards.
///
/// `@unchecked Sendable`: OpenSSL's contexts are counted and locked by themselves once they are set up, which is
/// over when an initialiser below returns.
@safe
package final class TLSContextHandle: @unchecked Sendable {
    let pointer: OpaquePointer
    /// Contexts that this one refers to; not changed after the initialiser.
    private var others: [TLSContextHandle] = []
    private let keyLog: KeyLog?

    /// Holds the closure that C calls with a pointer to it.
    private final class KeyLog: Sendable {
        let line: @Sendable (String) -> Void
        init(_ line: @escaping @Sendable (String) -> Void) { self.line = line }
    }

    deinit { unsafe anyloop_tls_context_free(pointer) }

    private init(isServer: Bool, _ settings: TLSSettings) throws(TLSError) {
        guard let made = unsafe anyloop_tls_context_make(isServer) else {
            throw TLSFailure.take().configurationError("a TLS context could not be made")
        }
        unsafe pointer = made
        keyLog = settings.keyLog.map(KeyLog.init)
        try apply(settings)
    }

    private func apply(_ settings: TLSSettings) throws(TLSError) {
        guard settings.minimumVersion.code <= settings.maximumVersion.code else {
            throw TLSError(.configuration, "the minimum TLS version is above the maximum")
        }
        try check(
            unsafe anyloop_tls_context_versions(pointer, settings.minimumVersion.code, settings.maximumVersion.code),
            "the TLS versions cannot be set")
        try check(
            unsafe anyloop_tls_context_ciphers(pointer, settings.ciphers),
            "the ciphers '\(settings.ciphers)' are not known to OpenSSL")
        if let suites = settings.cipherSuites {
            try check(
                unsafe anyloop_tls_context_ciphersuites(pointer, suites),
                "the cipher suites '\(suites)' are not known to OpenSSL")
        }
        if let groups = settings.groups {
            try check(
                unsafe anyloop_tls_context_groups(pointer, groups), "the groups '\(groups)' are not known to OpenSSL")
        }
        if let algorithms = settings.signatureAlgorithms {
            try check(
                unsafe anyloop_tls_context_signature_algorithms(pointer, algorithms),
                "the signature algorithms '\(algorithms)' are not known to OpenSSL")
        }
        if let keyLog {
            unsafe anyloop_tls_context_key_log(pointer, Unmanaged.passUnretained(keyLog).toOpaque()) { user, text in
                guard let user = unsafe user, let text = unsafe text else { return }
                let keyLog = unsafe Unmanaged<KeyLog>.fromOpaque(user).takeUnretainedValue()
                keyLog.line(unsafe String(cString: text))
            }
        }
        try apply(protocols: settings.applicationProtocols)
    }

    private func apply(protocols: [String]) throws(TLSError) {
        guard !protocols.isEmpty else { return }
        var wire: [UInt8] = []
        for name in protocols {
            guard (1...255).contains(name.utf8.count) else {
                throw TLSError(.configuration, "the application protocol '\(name)' has not 1 to 255 bytes")
            }
            wire.append(UInt8(name.utf8.count))
            wire += Array(name.utf8)
        }
        guard wire.count <= 65535 else { throw TLSError(.configuration, "too many application protocols") }
        try check(
            unsafe wire.withUnsafeBufferPointer {
                unsafe anyloop_tls_context_protocols(pointer, $0.baseAddress, $0.count)
            }, "the application protocols cannot be set")
    }

    private func apply(_ identity: TLSIdentity) throws(TLSError) {
        var subject = [CChar](repeating: 0, count: 256)
        let result = unsafe identity.certificateChain.withUnsafeBufferPointer { chain in
            unsafe identity.privateKey.withUnsafeBufferPointer { key in
                unsafe subject.withUnsafeMutableBufferPointer { subject in
                    unsafe anyloop_tls_context_identity(
                        pointer, chain.baseAddress, chain.count, key.baseAddress, key.count, identity.password,
                        subject.baseAddress, subject.count)
                }
            }
        }
        let title = String(decoding: subject.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let certificate = "the certificate '\(title)'"
        switch anyloop_tls_identity(UInt32(bitPattern: result)) {
        case ANYLOOP_TLS_IDENTITY_DONE: return
        case ANYLOOP_TLS_IDENTITY_NO_CERTIFICATE:
            throw TLSFailure.take().configurationError("\(identity.chainSource) is not a chain of certificates in PEM")
        case ANYLOOP_TLS_IDENTITY_REFUSED:
            throw TLSFailure.take().configurationError("\(certificate) in \(identity.chainSource) cannot be used")
        case ANYLOOP_TLS_IDENTITY_NO_PASSWORD:
            throw TLSFailure.take().configurationError("\(identity.keySource) is encrypted: give its password")
        case ANYLOOP_TLS_IDENTITY_WRONG_PASSWORD:
            throw TLSFailure.take().configurationError(
                "the password that was given does not open \(identity.keySource)")
        case ANYLOOP_TLS_IDENTITY_OTHER_KEY:
            throw TLSFailure.take().configurationError("\(identity.keySource) does not belong to \(certificate)")
        default:
            throw TLSFailure.take().configurationError("\(identity.keySource) is not a private key in PEM")
        }
    }

    private func apply(_ trust: TLSTrust) throws(TLSError) {
        for source in trust.sources {
            switch source {
            case .system:
                try check(
                    unsafe anyloop_tls_context_trust_system(pointer), "the system's trusted certificates cannot be read"
                )
            case .directory(let path):
                try check(
                    unsafe anyloop_tls_context_trust_directory(pointer, path),
                    "the directory '\(path)' of trusted certificates cannot be used")
            case .pem(let text, let source):
                try check(
                    unsafe text.withUnsafeBufferPointer {
                        unsafe anyloop_tls_context_trust_pem(pointer, $0.baseAddress, $0.count)
                    }, "\(source) has no trusted certificates in PEM, or a broken one")
            }
        }
    }

    private func apply(_ revocation: TLSRevocation?) throws(TLSError) {
        guard let revocation else { return }
        try check(
            unsafe revocation.lists.withUnsafeBufferPointer {
                unsafe anyloop_tls_context_revocation_pem(
                    pointer, $0.baseAddress, $0.count, revocation.scope == .wholeChain)
            }, "\(revocation.source) has no revocation lists in PEM, or a broken one")
    }

    private func check(_ result: Int32, _ what: String) throws(TLSError) {
        if result != 1 { throw TLSFailure.take().configurationError(what) }
    }

    // MARK: Clients

    convenience init(client options: TLSClientOptions) throws(TLSError) {
        try self.init(isServer: false, options.settings)
        if options.verifiesCertificate { try apply(options.trust) }
        try apply(options.revocation)
        if let identity = options.identity { try apply(identity) }
        unsafe anyloop_tls_context_verify(
            pointer, Int32(options.verifiesCertificate ? ANYLOOP_TLS_VERIFY_REQUIRED : ANYLOOP_TLS_VERIFY_NONE))
        try check(unsafe anyloop_tls_context_tickets(pointer, max(0, options.sessionLimit)), "tickets cannot be set")
    }

    // MARK: Servers

    convenience init(server options: TLSServerOptions) throws(TLSError) {
        try self.init(isServer: true, options.settings)
        try apply(options.identity)
        try apply(options.revocation)
        try apply(options.clientCertificates)
        for (name, context) in options.contextsByName {
            others.append(context.handle)
            guard name.isServedName else {
                throw TLSError(
                    .configuration,
                    "the name '\(name)' cannot be served: it needs to be a host name in ASCII, such as example.org or "
                        + "*.example.org")
            }
            try check(
                unsafe anyloop_tls_context_add_name(pointer, name, context.handle.pointer),
                "the name '\(name)' cannot be served: it is too long")
        }
        if options.refusesUnknownNames { unsafe anyloop_tls_context_refuse_unknown_names(pointer) }
        try check(
            unsafe anyloop_tls_context_tickets(pointer, max(0, options.ticketCount)), "tickets cannot be set")
        if let keys = options.ticketKeys {
            try check(
                unsafe keys.bytes.withUnsafeBufferPointer {
                    unsafe anyloop_tls_context_ticket_keys(pointer, $0.baseAddress)
                }, "the ticket keys cannot be set")
        }
        let scope = options.sessionScope
        try check(
            unsafe scope.withUnsafeBufferPointer {
                unsafe anyloop_tls_context_session_scope(pointer, $0.baseAddress, $0.count)
            }, "the scope of sessions cannot be set")
    }

    private func apply(_ certificates: TLSServerOptions.ClientCertificates) throws(TLSError) {
        let mode: Int
        switch certificates {
        case .none: return
        case .requested(let trust):
            try apply(trust)
            try announce(trust)
            mode = ANYLOOP_TLS_VERIFY_REQUESTED
        case .required(let trust):
            try apply(trust)
            try announce(trust)
            mode = ANYLOOP_TLS_VERIFY_REQUIRED
        }
        unsafe anyloop_tls_context_verify(pointer, Int32(mode))
    }

    private func announce(_ trust: TLSTrust) throws(TLSError) {
        for case .pem(let text, _) in trust.sources {
            try check(
                unsafe text.withUnsafeBufferPointer {
                    unsafe anyloop_tls_context_announce_authorities(pointer, $0.baseAddress, $0.count)
                }, "the trusted certificates cannot be announced")
        }
    }
}
