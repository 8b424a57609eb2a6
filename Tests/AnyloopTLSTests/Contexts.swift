import AnyloopCore
import AnyloopTLS

/// Contexts for tests: each is made of the defaults, a certificate that fits `Certificates.host`, and a change.
enum Contexts {
    /// A server with the good certificate.
    static func server(_ change: (inout TLSServerOptions) throws -> Void = { _ in }) throws -> TLSServerContext {
        try server(of: try Certificates.identity("good-ec.chain.pem"), change)
    }

    /// A server with a certificate of its own for `name`, signed by itself.
    static func server(
        named name: String, _ change: (inout TLSServerOptions) throws -> Void = { _ in }
    ) throws -> TLSServerContext {
        try server(of: try TLSIdentity.selfSigned(names: [name]), change)
    }

    private static func server(
        of identity: TLSIdentity, _ change: (inout TLSServerOptions) throws -> Void
    ) throws -> TLSServerContext {
        var options = TLSServerOptions(identity: identity)
        try change(&options)
        return try TLSServerContext(options)
    }

    /// A client that trusts the root that was made.
    static func client(_ change: (inout TLSClientOptions) throws -> Void = { _ in }) throws -> TLSClientContext {
        var options = TLSClientOptions()
        options.trust = try Certificates.trust()
        try change(&options)
        return try TLSClientContext(options)
    }

    /// A client that trusts the certificates of these servers.
    static func client(
        trusting servers: [TLSServerContext], _ change: (inout TLSClientOptions) throws -> Void = { _ in }
    ) throws -> TLSClientContext {
        try client { options in
            options.trust = .pem(servers.flatMap(\.options.identity.certificateChain))
            try change(&options)
        }
    }
}

extension TLSSettings {
    /// The defaults with one version only.
    static func only(_ version: TLSVersion) -> TLSSettings {
        var settings = TLSSettings()
        settings.minimumVersion = version
        settings.maximumVersion = version
        return settings
    }
}

extension TLSVersion {
    /// As `TLSInfo` has it.
    var name: String {
        switch self {
        case .v1_2: "TLSv1.2"
        case .v1_3: "TLSv1.3"
        }
    }
}
