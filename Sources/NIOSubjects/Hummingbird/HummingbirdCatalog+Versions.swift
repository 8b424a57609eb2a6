import AnyloopSubjects

/// What only one of the versions of HTTP has.
extension HummingbirdCatalog {
    /// What holds of HTTP/1.1, in the clear and over TLS.
    static let http1: [Scenario] = [
        .one(
            "http1/version", "HTTP/1.1 is what is spoken", ScenarioStep("/hello"), [.status(200), .version("1.1")]),
        .sequence(
            "http1/keep-alive", "Three requests take one connection",
            [
                (ScenarioStep("/hello"), [.status(200), .connections(1)]),
                (ScenarioStep("/nowhere"), [.status(404), .connections(0)]),
                (ScenarioStep("POST", "/upload", body: .chunkedPattern(5000)), [.status(200), .connections(0)]),
            ]),
        .sequence(
            "http1/ignored", "A body larger than a socket's buffers that nobody reads",
            [
                (ScenarioStep("POST", "/ignore", body: .pattern(1_000_000)), [.status(200), .body("ignored\n")]),
                (ScenarioStep("/hello"), [.status(200), .connections(0)]),
            ]),
        .sequence(
            "http1/close-by-client", "Connection: close is honoured",
            [
                (
                    ScenarioStep("/hello").with { $0.fields = [("Connection", "close")] },
                    [.status(200), .connections(1)]
                ),
                (ScenarioStep("/hello"), [.status(200), .connections(1)]),
            ]),
        .one(
            "http1/chunked", "A stream goes out in chunks", ScenarioStep("/stream/65536"),
            [.status(200), .field("transfer-encoding", "chunked"), .bodyPattern(offset: 0, count: 65536)]),
        .one(
            "http1/expect", "Hummingbird answers no Expect: 100-continue; curl sends after its second",
            ScenarioStep("POST", "/upload", body: .pattern(100_000)).with { $0.expectContinue = true },
            [.status(200), .body("100000 intact\n"), .earlierStatuses([])]),
        .one("http1/peer", "The context knows the peer", ScenarioStep("/peer"), [.status(200), .body("127.0.0.1")]),
    ]

    /// What only a client without TLS can do.
    static let wire: [Scenario] = [
        Scenario(
            name: "wire/pipelined", title: "Three requests in one segment are answered in order",
            kind: .raw(
                pieces: [
                    "GET /people/a HTTP/1.1\r\nHost: a\r\n\r\nGET /people/b HTTP/1.1\r\nHost: a\r\n\r\n"
                        + "GET /people/c HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
                ],
                answers: ["HTTP/1.1 200 ", "\r\n\r\na", "HTTP/1.1 200 ", "\r\n\r\nb", "HTTP/1.1 200 ", "\r\n\r\nc"],
                closes: true)),
        Scenario(
            name: "wire/split", title: "A request in many segments",
            kind: .raw(
                pieces: ["G", "ET /peo", "ple/x HTT", "P/1.1\r", "\nHo", "st: a\r\nConnection: close\r\n\r", "\n"],
                answers: ["HTTP/1.1 200 ", "\r\n\r\nx"], closes: true)),
        Scenario(
            name: "wire/malformed", title: "Nonsense is 400, and the connection ends",
            kind: .raw(pieces: ["NONSENSE\r\n\r\n"], answers: ["HTTP/1.1 400 "], closes: true)),
        Scenario(
            name: "wire/malformed-body", title: "A chunk that is none is 400",
            kind: .raw(
                pieces: ["POST /upload HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n"],
                answers: ["HTTP/1.1 400 "], closes: true)),
        Scenario(
            name: "wire/unix-socket", title: "A Unix socket",
            kind: .sequence([
                (step: ScenarioStep("/hello"), checks: [.status(200), .connections(1)]),
                (
                    step: ScenarioStep("POST", "/upload", body: .pattern(200_000)),
                    checks: [.status(200), .body("200000 intact\n"), .connections(0)]
                ),
            ]), unixSocket: true),
        Scenario(
            name: "wire/parallel-500", title: "500 connections at once",
            kind: .parallel(
                count: 500, step: ScenarioStep("/hello").with { $0.freshConnection = true },
                checks: [.status(200), .body("hello, world\n"), .connections(1)])),
    ]

    /// What TLS brings.
    static let tls: [Scenario] = [ScenarioStepTLS.Version.v12, .v13].map { version in
        .one(
            "tls/\(version == .v12 ? "1.2" : "1.3")", "A client that speaks \(version.rawValue) only",
            ScenarioStep("/hello").with { $0.tls.version = version }, [.status(200), .connections(1)])
    }

    /// What holds of HTTP/2.
    static let http2: [Scenario] = [
        .one("http2/version", "HTTP/2 is what is chosen", ScenarioStep("/hello"), [.status(200), .version("2")]),
        .sequence(
            "http2/streams", "Streams one after the other share a connection",
            [
                (ScenarioStep("/hello"), [.status(200), .version("2"), .connections(1)]),
                (ScenarioStep("POST", "/upload", body: .pattern(300_000)), [.status(200), .connections(0)]),
                (ScenarioStep("/bytes/300000"), [.bodyPattern(offset: 0, count: 300_000), .connections(0)]),
            ]),
        .one(
            "http2/no-framing", "No chunks and no Connection in HTTP/2", ScenarioStep("/stream/65536"),
            [.status(200), .version("2"), .noField("transfer-encoding"), .noField("connection")]),
    ]
}
