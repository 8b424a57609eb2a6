import AnyloopSubjects

/// What curl sees of NIO's HTTP services: scenarios of the catalog as far as they ask for nothing of our own server's.
enum HTTPServiceScenarios {
    /// All of them.
    static let all: [ServiceScenario] =
        (http1 + malformed).map { .curl($0, .http1) } + (light + malformed).map { .curl($0, .asyncHTTP1) }
        + (light.map(\.overTLS) + tls).map { .curl($0, .https) }
        + (http2 + multiplexed + tls).map { .curl($0, .http2, speaking: .http2) }
        + fallback.map { .curl($0, .http2) }
        + single.map { .curl($0, .http2Clear, speaking: .http2PriorKnowledge) }

    /// What depends on limits of ours, on files and codings that the service has not, or on a method that NIO's
    /// parser does not know.
    private static let notServed: Set<String> = [
        "methods/unknown", "methods/head-large", "uploads/too-large", "login/digest", "login/digest-wrong",
        "bodies/chunked", "bodies/chunked-http10", "endings/handler-throws", "endings/handler-throws-late",
        "endings/server-resets", "limits/field-line", "limits/field-line-over", "limits/field-count-over",
        "limits/target-over", "wire/malformed", "wire/version", "wire/expectation",
    ]

    private static let http1 = ScenarioCatalog.all.filter { scenario in
        !notServed.contains(scenario.name)
            && !scenario.steps.contains { step in
                ["/files/", "/gzip/", "/deflate", "/store/"].contains { step.path.hasPrefix($0) }
            }
    }

    /// Those of them that take no seconds in a debug build.
    private static let light = http1.filter { !["connections/parallel-1000", "uploads/put-16m"].contains($0.name) }

    /// What NIOHTTP1 answers by itself, and closes.
    private static let malformed: [Scenario] = [
        ("request-line", "NONSENSE\r\n\r\n"), ("field", "GET /hello HTTP/1.1\r\nHost localhost\r\n\r\n"),
        ("method", "BREW /echo HTTP/1.1\r\nHost: localhost\r\n\r\n"),
        ("length", "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: two\r\n\r\n"),
        ("after-another", "GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n NONSENSE\r\n\r\n"),
    ].map { name, request in
        Scenario(
            name: "malformed/\(name)", title: "What is no request is answered by 400, and the connection ends",
            kind: .raw(
                pieces: [request], answers: (name == "after-another" ? ["HTTP/1.1 200 "] : []) + ["HTTP/1.1 400 "],
                closes: true))
    }

    /// Those of them that say nothing of HTTP/1.1's own: connections, versions, chunks, bytes on the wire.
    private static let http2 = light.filter { scenario in
        !scenario.name.hasPrefix("connections/") && !scenario.name.hasPrefix("endings/") && !scenario.steps.isEmpty
            && !scenario.steps.contains { $0.http10 || $0.asProxy || $0.expectContinue != nil }
            && !scenario.checks.contains { check in
                if case .field("transfer-encoding", _) = check { return true }
                return false
            }
    }.map { $0.adding([.version("2")]) }

    /// Those of one request: libcurl 7.88 fails (code 16) where a second one would share a connection of HTTP/2 that
    /// was begun with prior knowledge, with nginx as well.
    private static let single = http2.filter { scenario in
        scenario.steps.count == 1 && scenario.steps.allSatisfy { $0.redirectLimit == nil }
    }

    /// Streams side by side (RFC 9113 §5).
    private static let multiplexed: [Scenario] = [
        .sequence(
            "streams/one-connection", "Requests one after the other take one connection",
            [(ScenarioStep("/hello"), [.status(200), .connections(1), .version("2")])]
                + Array(
                    repeating: (ScenarioStep("/hello"), [.status(200), .connections(0), .version("2")]), count: 3)),
        .together("streams/small", "50 requests at once on one connection", 50, ScenarioStep("/hello"), [.status(200)]),
        .together(
            "streams/large", "10 bodies of 256 KiB at once share the connection's window", 10,
            ScenarioStep("/bytes/262144"), [.status(200), .bodyPattern(offset: 0, count: 1 << 18)]),
        .together(
            "streams/echo", "10 bodies of 128 KiB go and come back at once", 10,
            ScenarioStep("POST", "/echo-stream", body: .pattern(1 << 17)),
            [.status(200), .bodyPattern(offset: 0, count: 1 << 17)]),
        .together(
            "streams/slow-readers", "4 readers that pause hold nobody else up for good", 4,
            ScenarioStep("/bytes/131072").with { $0.pausePerPart = 1 },
            [.status(200), .bodyPattern(offset: 0, count: 1 << 17)]),
        .sequence(
            "streams/client-aborts", "A client that gives up a stream goes on with the connection",
            [
                (
                    ScenarioStep("/bytes/1048576").with { $0.abortAfter = 20_000 },
                    [.outcome(.clientAborted), .bodyPattern(offset: 0, count: 20_000)]
                ),
                (ScenarioStep("/hello"), [.status(200), .version("2")]),
            ]),
        .sequence(
            "streams/server-closes", "A stream that ends too early is told, and hurts no other",
            [
                (ScenarioStep("/truncated/1000"), [.status(200), .outcome(.streamFailed)]),
                (ScenarioStep("/hello"), [.status(200), .version("2")]),
            ]),
    ]

    /// A client that offers no HTTP/2.
    private static let fallback: [Scenario] = [
        .one(
            "fallback/get", "A client of HTTP/1.1 is served by HTTP/1.1", ScenarioStep("/hello"),
            [.status(200), .body("hello, world\n"), .version("1.1")]),
        .sequence(
            "fallback/keep-alive", "Its connection is kept",
            [
                (ScenarioStep("/hello"), [.status(200), .connections(1), .version("1.1")]),
                (
                    ScenarioStep("POST", "/echo-stream", body: .chunkedPattern(1 << 18)),
                    [.status(200), .bodyPattern(offset: 0, count: 1 << 18), .connections(0), .version("1.1")]
                ),
            ]),
    ]

    /// Handshakes with NIOSSL.
    private static let tls: [Scenario] =
        [ScenarioStepTLS.Version.v12, .v13].map { version in
            .one(
                "tls/\(version == .v12 ? "1.2" : "1.3")", "A client that speaks \(version.rawValue) only",
                ScenarioStep("/hello").with { $0.tls.version = version }, [.status(200), .connections(1)])
        } + [
            .sequence(
                "tls/other-authority", "A client that trusts others only leaves; the next one is served",
                [
                    (
                        ScenarioStep("/hello").with { $0.tls.trustsOther = true },
                        [.outcome(.certificateRefused), .status(0)]
                    ),
                    (ScenarioStep("/hello"), [.status(200)]),
                ]),
            .one(
                "tls/name", "The certificate is good for its other name, too",
                ScenarioStep("/hello").with { $0.tls.host = "server.example" }, [.status(200)]),
            .one(
                "tls/other-host", "A certificate for another name is refused by the client",
                ScenarioStep("/hello").with { $0.tls.host = "elsewhere.example" }, [.outcome(.certificateRefused)]),
            .sequence(
                "tls/plain", "Plain HTTP to the TLS port ends, and hurts nobody",
                [
                    (
                        ScenarioStep("/hello").with { $0.tls.isPlain = true },
                        [.outcomeAmong([.emptyReply, .receiveFailed, .malformed]), .status(0)]
                    ),
                    (ScenarioStep("/hello"), [.status(200)]),
                ]),
            .sequence(
                "tls/later", "Each of three connections has its handshake",
                Array(
                    repeating: (
                        ScenarioStep("/hello").with { $0.freshConnection = true }, [.status(200), .connections(1)]
                    ), count: 3)),
        ]
}

extension Scenario {
    /// Its steps; none where it is raw bytes.
    var steps: [ScenarioStep] {
        switch kind {
        case .sequence(let steps): steps.map(\.step)
        case .parallel(_, let step, _): [step]
        case .raw: []
        }
    }

    /// All that is checked.
    var checks: [ScenarioCheck] {
        switch kind {
        case .sequence(let steps): steps.flatMap(\.checks)
        case .parallel(_, _, let checks): checks
        case .raw: []
        }
    }

    /// The same with these checks at every step.
    func adding(_ more: [ScenarioCheck]) -> Scenario {
        var scenario = self
        switch kind {
        case .sequence(let steps): scenario.kind = .sequence(steps.map { ($0.step, $0.checks + more) })
        case .parallel(let count, let step, let checks):
            scenario.kind = .parallel(count: count, step: step, checks: checks + more)
        case .raw: break
        }
        return scenario
    }

    /// So many transfers at once, as streams of one HTTP/2 connection.
    static func together(
        _ name: String, _ title: String, _ count: Int, _ step: ScenarioStep, _ checks: [ScenarioCheck]
    ) -> Scenario {
        var scenario = Scenario(
            name: name, title: title, kind: .parallel(count: count, step: step, checks: checks + [.version("2")]),
            nginx: false)
        scenario.connections = 1
        return scenario
    }
}
