extension ScenarioCatalog {
    /// What there is over TLS only; `/tls` answers with what the server knows of the handshake.
    static let tls: [Scenario] = versions + sessions + trust + protocols

    /// What nginx, as configured by `NginxPeer`, says of our client's handshakes and of curl's.
    static let tlsOfClients: [Scenario] = [
        .sequence(
            "tls/handshakes", "Version, protocol and session of two connections, as nginx sees them", nginx: true,
            [".", "r"].map { resumed in
                (
                    ScenarioStep("/tls").with { $0.fields = [("Connection", "close")] },
                    [
                        .status(200), .body("version=TLSv1.3\nalpn=http/1.1\nname=-\nresumed=\(resumed)\n"),
                        .connections(1),
                    ]
                )
            })
    ]

    private static let versions: [Scenario] = [ScenarioStepTLS.Version.v12, .v13].map { version in
        .one(
            "tls/\(version == .v12 ? "1.2" : "1.3")", "A client that speaks \(version.rawValue) only",
            ScenarioStep("/tls").with { $0.tls.version = version },
            [.status(200), .bodyContains("version=\(version.rawValue)\n"), .connections(1)])
    }

    // In TLS 1.2 curl asks for no tickets, and our server keeps no sessions of its own.
    private static let sessions: [Scenario] = [
        .sequence(
            "tls/resumed", "Later connections resume the session of the one before",
            ["false", "true", "true"].map { resumed in
                (
                    ScenarioStep("/tls").with { $0.freshConnection = true },
                    [.status(200), .bodyContains("resumed=\(resumed)\n"), .connections(1)]
                )
            })
    ]

    private static let trust: [Scenario] = [
        .sequence(
            "tls/other-authority", "A client that trusts others only leaves; the next one is served",
            [
                (
                    ScenarioStep("/tls").with { $0.tls.trustsOther = true },
                    [.outcome(.certificateRefused), .status(0)]
                ),
                (ScenarioStep("/hello"), [.status(200)]),
            ]),
        .one(
            "tls/other-host", "A certificate for another name is refused by the client",
            ScenarioStep("/tls").with { $0.tls.host = "elsewhere.example" }, [.outcome(.certificateRefused)]),
        .one(
            "tls/name", "The name that the client asks for arrives",
            ScenarioStep("/tls").with { $0.tls.host = "server.example" },
            [.status(200), .bodyContains("name=server.example\n")]),
        .one(
            "tls/address", "An address is no name to ask for", ScenarioStep("/tls"),
            [.status(200), .bodyContains("name=-\n")]),
        .sequence(
            "tls/two-names", "Each name has its own certificate",
            [
                (
                    ScenarioStep("/tls").with {
                        $0.tls.host = "other.example"
                        $0.tls.trustsOther = true
                    }, [.status(200), .bodyContains("name=other.example\n")]
                ),
                (ScenarioStep("/tls").with { $0.tls.host = "server.example" }, [.status(200)]),
                (
                    ScenarioStep("/tls").with {
                        $0.tls.host = "server.example"
                        $0.tls.trustsOther = true
                        $0.freshConnection = true
                    }, [.outcome(.certificateRefused)]
                ),
            ]
        ).serving { $0.hasOtherName = true },
        .one(
            "tls/client-certificate", "A client with a certificate gets in, and the server knows it",
            ScenarioStep("/tls").with { $0.tls.showsCertificate = true },
            [.status(200), .bodyContains("certificates=1\n")]
        ).serving { $0.demandsCertificate = true },
        .sequence(
            "tls/client-certificate-missing", "A client without one does not",
            [
                (ScenarioStep("/tls"), [.outcomeAmong([.receiveFailed, .handshakeFailed]), .status(0)]),
                (ScenarioStep("/tls").with { $0.tls.showsCertificate = true }, [.status(200)]),
            ]
        ).serving { $0.demandsCertificate = true },
    ]

    private static let protocols: [Scenario] = [
        .one(
            "tls/alpn", "Both agree on http/1.1", ScenarioStep("/tls"),
            [.status(200), .bodyContains("alpn=http/1.1\n")]),
        .sequence(
            "tls/keep-alive", "Three requests take one handshake",
            [
                (ScenarioStep("/tls"), [.status(200), .connections(1)]),
                (ScenarioStep("/files/pattern-64k.bin"), [.bodyPattern(offset: 0, count: 65536), .connections(0)]),
                (ScenarioStep("/tls"), [.status(200), .bodyContains("resumed=false\n"), .connections(0)]),
            ]),
        .sequence(
            "tls/plain", "Plain HTTP to the TLS port gets a plain 400 that says so",
            [
                (
                    ScenarioStep("/hello").with { $0.tls.isPlain = true },
                    [.status(400), .bodyContains("HTTPS"), .field("connection", "close")]
                ),
                (ScenarioStep("/hello"), [.status(200)]),
            ]),
        .one(
            "tls/plain-post", "The same to a request with a body of less than is discarded, so that it can be read",
            ScenarioStep("POST", "/upload", body: .pattern(1 << 17)).with { $0.tls.isPlain = true },
            [.status(400), .bodyContains("HTTPS")]),
    ]
}

extension Scenario {
    /// This scenario with another server.
    func serving(_ change: (inout ScenarioServerTLS) -> Void) -> Scenario {
        var copy = self
        change(&copy.tls)
        return copy
    }
}
