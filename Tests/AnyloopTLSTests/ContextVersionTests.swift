import AnyloopCore
import Testing

@testable import AnyloopTLS

/// Versions, ciphers, suites, groups and signature algorithms: each setting has its effect, and an unknown name is an
/// error that says it.
@Suite struct ContextVersionTests {
    @Test("each version alone", arguments: TLSVersion.allCases)
    func oneVersion(_ version: TLSVersion) throws {
        let pair = try EnginePair(try Contexts.client { $0.settings = .only(version) }, try Contexts.server())
        #expect(pair.isOpen)
        #expect(pair.client.info.version == version.name && pair.server.info.version == version.name)
        let other = try EnginePair(try Contexts.client(), try Contexts.server { $0.settings = .only(version) })
        #expect(other.isOpen && other.client.info.version == version.name)
    }

    @Test("the newest version is taken by default")
    func newestVersion() throws {
        let pair = try EnginePair(try Contexts.client(), try Contexts.server())
        #expect(pair.client.info.version == "TLSv1.3" && pair.client.info.cipher == "TLS_AES_256_GCM_SHA384")
    }

    @Test("no version in common", arguments: [(TLSVersion.v1_2, TLSVersion.v1_3), (.v1_3, .v1_2)])
    func noCommonVersion(_ client: TLSVersion, _ server: TLSVersion) throws {
        let pair = try EnginePair(
            try Contexts.client { $0.settings = .only(client) }, try Contexts.server { $0.settings = .only(server) })
        let refusing = try #require(pair.server.error)
        #expect(refusing.kind == .noCommonVersion)
        #expect(refusing.text.contains("no TLS version in common"))
        let refused = try #require(pair.client.error)
        #expect(refused.kind == .alert(70))
        #expect(refused.text.contains("protocol_version"))
    }

    @Test("a minimum above the maximum is refused")
    func contradiction() throws {
        let error = #expect(throws: TLSError.self) {
            try Contexts.client { options in
                options.settings.minimumVersion = .v1_3
                options.settings.maximumVersion = .v1_2
            }
        }
        #expect(error?.kind == .configuration)
    }

    @Test(
        "ciphers of TLS 1.2", arguments: ["ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-ECDSA-CHACHA20-POLY1305"])
    func ciphers(_ cipher: String) throws {
        let server = try Contexts.server { options in
            options.settings = .only(.v1_2)
            options.settings.ciphers = cipher
        }
        let pair = try EnginePair(try Contexts.client(), server)
        #expect(pair.isOpen && pair.client.info.cipher == cipher)
        #expect(pair.client.info.cipherBits == 256)
    }

    @Test("suites of TLS 1.3", arguments: ["TLS_AES_128_GCM_SHA256", "TLS_CHACHA20_POLY1305_SHA256"])
    func suites(_ suite: String) throws {
        let pair = try EnginePair(
            try Contexts.client { $0.settings.cipherSuites = suite }, try Contexts.server())
        #expect(pair.isOpen && pair.server.info.cipher == suite)
    }

    @Test("the server's order of ciphers counts")
    func serverOrder() throws {
        let names = ["ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384"]
        let server = try Contexts.server { $0.settings.ciphers = names.joined(separator: ":") }
        let client = try Contexts.client { options in
            options.settings = .only(.v1_2)
            options.settings.ciphers = names.reversed().joined(separator: ":")
        }
        #expect(try EnginePair(client, server).client.info.cipher == names[0])
    }

    @Test("no cipher, suite, group or signature algorithm in common", arguments: 0..<4)
    func nothingInCommon(_ what: Int) throws {
        var one = TLSSettings.only(what == 0 ? .v1_2 : .v1_3)
        var other = one
        switch what {
        case 0: (one.ciphers, other.ciphers) = ("ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384")
        case 1: (one.cipherSuites, other.cipherSuites) = ("TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384")
        case 2: (one.groups, other.groups) = ("X25519", "P-384")
        default: one.signatureAlgorithms = "rsa_pss_rsae_sha256"
        }
        let pair = try EnginePair(
            try Contexts.client { $0.settings = one }, try Contexts.server { $0.settings = other })
        #expect(pair.server.error?.kind == .noCommonCipher)
        let heard = try #require(pair.client.error)
        #expect(heard.kind == .alert(40))
        #expect(heard.text.contains("handshake_failure"))
    }

    struct Unknown: Sendable, CustomTestStringConvertible {
        enum Setting: Sendable { case ciphers, suites, groups, algorithms }
        let setting: Setting
        let text: String
        let named: String
        var testDescription: String { text }
    }

    @Test(
        "an unknown name is an error that says it, even among known ones",
        arguments: [
            Unknown(setting: .ciphers, text: "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-NOSUCH", named: "NOSUCH"),
            Unknown(setting: .ciphers, text: "NOSUCH", named: "NOSUCH"),
            Unknown(setting: .ciphers, text: "TLS_AES_128_GCM_SHA256", named: "TLS_AES_128_GCM_SHA256"),
            Unknown(setting: .ciphers, text: "", named: "ciphers"),
            Unknown(setting: .suites, text: "TLS_AES_128_GCM_SHA256:TLS_NOSUCH", named: "TLS_NOSUCH"),
            Unknown(setting: .suites, text: "", named: "suites"),
            Unknown(setting: .groups, text: "X25519:NOSUCH", named: "NOSUCH"),
            Unknown(setting: .algorithms, text: "ecdsa_secp256r1_sha256:NOSUCH", named: "NOSUCH"),
        ])
    func unknownNames(_ unknown: Unknown) throws {
        let error = #expect(throws: TLSError.self) {
            try Contexts.client { options in
                switch unknown.setting {
                case .ciphers: options.settings.ciphers = unknown.text
                case .suites: options.settings.cipherSuites = unknown.text
                case .groups: options.settings.groups = unknown.text
                case .algorithms: options.settings.signatureAlgorithms = unknown.text
                }
            }
        }
        #expect(error?.kind == .configuration)
        #expect(error?.text.contains(unknown.named) == true)
    }

    @Test("lists with exclusions, order and a security level are OpenSSL's to read")
    func openSSLsLanguage() throws {
        let client = try Contexts.client {
            $0.settings = .only(.v1_2)
            $0.settings.ciphers = "HIGH:!aNULL:!EXPORT:-AES128:@STRENGTH:@SECLEVEL=1"
        }
        #expect(try EnginePair(client, try Contexts.server()).isOpen)
    }
}
