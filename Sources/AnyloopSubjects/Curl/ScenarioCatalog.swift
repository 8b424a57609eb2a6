/// Every scenario, in groups; `AnyloopSubjects` makes a cell of each for every mode and poller.
public enum ScenarioCatalog {
    /// All of them; names are unique.
    public static let all: [Scenario] =
        methods + connections + uploads + ranges + redirects + login + bodies + endings + limits + wire

    /// The methods of RFC 9110 §9, and one of nobody.
    static let methods: [Scenario] = [
        .one(
            "methods/get", "A GET with a small body", nginx: true, ScenarioStep("/hello"),
            [.status(200), .body("hello, world\n"), .field("content-length", "13"), .connections(1)]),
        .one(
            "methods/head", "HEAD has GET's fields and no body", nginx: true, ScenarioStep("HEAD", "/hello"),
            [.status(200), .bodyCount(0), .field("content-length", "13")]),
        .one(
            "methods/head-large", "HEAD of a large file sends none of it", nginx: true,
            ScenarioStep("HEAD", "/files/pattern-1m.bin"),
            [.status(200), .bodyCount(0), .field("content-length", "1048576")]),
        .one(
            "methods/post", "A POST reaches the handler with its body",
            ScenarioStep("POST", "/echo", body: .text("a=1&b=2")), [.status(200), .body("POST 7\na=1&b=2")]),
        .one(
            "methods/post-empty", "A POST with an empty body has a Content-Length of zero",
            ScenarioStep("POST", "/echo", body: .text("")), [.status(200), .body("POST 0\n")]),
        .one(
            "methods/put", "A PUT of 10 bytes", ScenarioStep("PUT", "/echo", body: .text("0123456789")),
            [.status(200), .body("PUT 10\n0123456789")]),
        .one(
            "methods/patch", "A PATCH with a body", ScenarioStep("PATCH", "/echo", body: .text("x")),
            [.status(200), .body("PATCH 1\nx")]),
        .one(
            "methods/delete", "A DELETE without a body", ScenarioStep("DELETE", "/echo"),
            [.status(200), .body("DELETE 0\n")]),
        .one(
            "methods/delete-body", "A DELETE with a body", ScenarioStep("DELETE", "/echo", body: .text("why")),
            [.status(200), .body("DELETE 3\nwhy")]),
        .one(
            "methods/options", "OPTIONS of a resource", ScenarioStep("OPTIONS", "/echo"),
            [.status(200), .body("OPTIONS 0\n")]),
        .one(
            "methods/unknown", "A method of nobody's reaches the handler", ScenarioStep("BREW", "/echo"),
            [.status(200), .body("BREW 0\n")]),
        .one(
            "methods/not-allowed", "405 names what is allowed", ScenarioStep("POST", "/hello", body: .text("x")),
            [.status(405), .field("allow", "GET, HEAD")]),
        .one("methods/not-found", "404 for what isn't there", nginx: true, ScenarioStep("/nowhere"), [.status(404)]),
        .one(
            "methods/query", "Query and percent-escapes arrive as sent",
            ScenarioStep("/target/a%20b?x=1%262&y=%C3%A9"), [.status(200), .body("/target/a%20b?x=1%262&y=%C3%A9")]),
    ]

    /// Reuse of connections, counted by curl (RFC 9112 §9.3).
    static let connections: [Scenario] = [
        .sequence(
            "connections/keep-alive", "Five requests take one connection", nginx: true,
            [(ScenarioStep("/hello"), [.status(200), .connections(1)])]
                + Array(repeating: (ScenarioStep("/hello"), [.status(200), .connections(0)]), count: 4)),
        .sequence(
            "connections/close-by-server", "After the server's close a new one is opened", nginx: true,
            [
                (ScenarioStep("/close"), [.status(200), .field("connection", "close"), .connections(1)]),
                (ScenarioStep("/hello"), [.status(200), .connections(1)]),
            ]),
        .sequence(
            "connections/close-by-client", "The client's Connection: close is honoured and answered", nginx: true,
            [
                (
                    ScenarioStep("/hello").with { $0.fields = [("Connection", "close")] },
                    [.status(200), .field("connection", "close"), .connections(1)]
                ),
                (ScenarioStep("/hello"), [.status(200), .connections(1)]),
            ]),
        .sequence(
            "connections/after-head", "A connection lives on after HEAD", nginx: true,
            [
                (ScenarioStep("HEAD", "/hello"), [.status(200), .connections(1)]),
                (ScenarioStep("/hello"), [.status(200), .body("hello, world\n"), .connections(0)]),
            ]),
        .sequence(
            "connections/after-404", "A connection lives on after an error", nginx: true,
            [
                (ScenarioStep("/nowhere"), [.status(404), .connections(1)]),
                (ScenarioStep("/hello"), [.status(200), .connections(0)]),
            ]),
        .sequence(
            "connections/after-204", "A connection lives on after 204", nginx: true,
            [
                (ScenarioStep("/status/204"), [.status(204), .bodyCount(0), .connections(1)]),
                (ScenarioStep("/hello"), [.status(200), .connections(0)]),
            ]),
        .sequence(
            "connections/after-upload", "A connection lives on after a body was read",
            [
                (ScenarioStep("POST", "/upload", body: .pattern(100_000)), [.status(200), .connections(1)]),
                (ScenarioStep("POST", "/upload", body: .chunkedPattern(100_000)), [.status(200), .connections(0)]),
            ]),
        .sequence(
            "connections/ignored-body", "A small body that nobody reads doesn't cost the connection",
            [
                (ScenarioStep("POST", "/ignore", body: .pattern(1000)), [.status(200), .connections(1)]),
                (ScenarioStep("/hello"), [.status(200), .connections(0)]),
            ]),
        .sequence(
            "connections/http10", "HTTP/1.0 closes after each response",
            [
                (
                    ScenarioStep("/hello").with { $0.http10 = true },
                    [.status(200), .body("hello, world\n"), .connections(1)]
                ),
                (ScenarioStep("/hello").with { $0.http10 = true }, [.status(200), .connections(1)]),
            ]),
        .sequence(
            "connections/http10-keep-alive", "HTTP/1.0 with Connection: keep-alive stays open",
            [
                (
                    ScenarioStep("/hello").with {
                        $0.http10 = true; $0.fields = [("Connection", "keep-alive")]
                    },
                    [.status(200), .field("connection", "keep-alive"), .connections(1)]
                ),
                (
                    ScenarioStep("/hello").with {
                        $0.http10 = true; $0.fields = [("Connection", "keep-alive")]
                    },
                    [.status(200), .connections(0)]
                ),
            ]),
        Scenario(
            name: "connections/parallel-100", title: "100 connections at once",
            kind: .parallel(
                count: 100, step: ScenarioStep("/files/pattern-64k.bin"),
                checks: [.status(200), .bodyPattern(offset: 0, count: 65536)]), nginx: false),
        Scenario(
            name: "connections/parallel-1000", title: "1,000 connections at once",
            kind: .parallel(
                count: 1000, step: ScenarioStep("/hello").with { $0.freshConnection = true },
                checks: [.status(200), .body("hello, world\n"), .connections(1)]), nginx: false),
        Scenario(
            name: "connections/unix-socket", title: "The same over a Unix socket",
            kind: .sequence([
                (step: ScenarioStep("/hello"), checks: [.status(200), .body("hello, world\n"), .connections(1)]),
                (
                    step: ScenarioStep("POST", "/upload", body: .pattern(200_000)),
                    checks: [.status(200), .connections(0)]
                ),
            ]), nginx: false, unixSocket: true),
        .one(
            "connections/as-proxy", "A request in absolute form is understood",
            ScenarioStep("/target/x").with { $0.asProxy = true },
            [.status(200), .body("http://origin.example/target/x")]),
    ]

    /// Bodies that the client sends.
    static let uploads: [Scenario] = [
        .one(
            "uploads/length-1m", "1 MiB with a Content-Length, checked by the server",
            ScenarioStep("POST", "/upload", body: .pattern(1 << 20)), [.status(200), .body("1048576 intact\n")]),
        .one(
            "uploads/chunked-1m", "1 MiB in chunks, checked by the server",
            ScenarioStep("POST", "/upload", body: .chunkedPattern(1 << 20)), [.status(200), .body("1048576 intact\n")]),
        .one(
            "uploads/chunked-1", "One byte in a chunk",
            ScenarioStep("POST", "/upload", body: .chunkedPattern(1)), [.status(200), .body("1 intact\n")]),
        .one(
            "uploads/chunked-empty", "An empty chunked body",
            ScenarioStep("POST", "/upload", body: .chunkedPattern(0)), [.status(200), .body("0 intact\n")]),
        .one(
            "uploads/put-16m", "16 MiB by PUT", ScenarioStep("PUT", "/upload", body: .pattern(1 << 24)),
            [.status(200), .body("16777216 intact\n")]),
        .one(
            "uploads/expect", "Expect: 100-continue is answered when the handler reads",
            ScenarioStep("POST", "/upload", body: .pattern(100_000)).with { $0.expectContinue = true },
            [.status(200), .body("100000 intact\n"), .earlierStatuses([100])]),
        .one(
            "uploads/expect-refused", "A handler that doesn't read answers at once, without 100",
            ScenarioStep("POST", "/refuse", body: .pattern(100_000)).with { $0.expectContinue = true },
            [.status(403), .earlierStatuses([])]),
        .one(
            "uploads/expect-chunked", "Expect: 100-continue with a chunked body",
            ScenarioStep("POST", "/upload", body: .chunkedPattern(5000)).with { $0.expectContinue = true },
            [.status(200), .body("5000 intact\n"), .earlierStatuses([100])]),
        .one(
            "uploads/too-large", "413 above the body limit, read by the client in spite of its upload",
            ScenarioStep("POST", "/small-upload", body: .pattern(600_000)),
            [.status(413), .field("connection", "close")]),
        .one(
            "uploads/slow-handler", "A handler that reads slowly holds the sender back and loses nothing",
            ScenarioStep("POST", "/slow-upload", body: .pattern(1 << 20)), [.status(200), .body("1048576 intact\n")]),
        .sequence(
            "uploads/put-and-get", "What was PUT comes back by GET", nginx: true,
            [
                (ScenarioStep("PUT", "/store/one.bin", body: .pattern(300_000)), [.connections(1)]),
                (
                    ScenarioStep("/store/one.bin"),
                    [.status(200), .bodyPattern(offset: 0, count: 300_000), .connections(0)]
                ),
            ]),
        .sequence(
            "uploads/put-chunked-and-get", "The same with a chunked body", nginx: true,
            [
                (ScenarioStep("PUT", "/store/two.bin", body: .chunkedPattern(300_000)), [.connections(1)]),
                (
                    ScenarioStep("/store/two.bin"),
                    [.status(200), .bodyPattern(offset: 0, count: 300_000), .connections(0)]
                ),
            ]),
        .one(
            "uploads/echo-stream", "Bytes go back while more come in",
            ScenarioStep("POST", "/echo-stream", body: .chunkedPattern(1 << 20)),
            [.status(200), .bodyPattern(offset: 0, count: 1 << 20)]),
    ]

    /// Parts of a resource (RFC 9110 §14).
    static let ranges: [Scenario] = [
        .one(
            "ranges/first", "The first 100 bytes", nginx: true,
            ScenarioStep("/files/pattern-64k.bin").with { $0.range = "0-99" },
            [.status(206), .field("content-range", "bytes 0-99/65536"), .bodyPattern(offset: 0, count: 100)]),
        .one(
            "ranges/middle", "Bytes from the middle", nginx: true,
            ScenarioStep("/files/pattern-64k.bin").with { $0.range = "1000-1999" },
            [.status(206), .bodyPattern(offset: 1000, count: 1000)]),
        .one(
            "ranges/suffix", "The last 10 bytes", nginx: true,
            ScenarioStep("/files/pattern-64k.bin").with { $0.range = "-10" },
            [.status(206), .field("content-range", "bytes 65526-65535/65536"), .bodyPattern(offset: 65526, count: 10)]),
        .one(
            "ranges/resume", "A download goes on where it stopped", nginx: true,
            ScenarioStep("/files/pattern-1m.bin").with { $0.range = "1000000-" },
            [.status(206), .bodyPattern(offset: 1_000_000, count: 48576)]),
        .one(
            "ranges/beyond", "A range beyond the end is 416 with the length", nginx: true,
            ScenarioStep("/files/pattern-64k.bin").with { $0.range = "70000-80000" },
            [.status(416), .field("content-range", "bytes */65536")]),
        .one(
            "ranges/clamped", "A range that ends beyond the end is cut to it", nginx: true,
            ScenarioStep("/files/pattern-64k.bin").with { $0.range = "65000-70000" },
            [.status(206), .field("content-range", "bytes 65000-65535/65536"), .bodyPattern(offset: 65000, count: 536)]),
        .one(
            "ranges/malformed", "A Range that is none is ignored",
            ScenarioStep("/files/pattern-64k.bin").with { $0.fields = [("Range", "lines=1-2")] },
            [.status(200), .bodyPattern(offset: 0, count: 65536)]),
        .one(
            "ranges/not-modified", "If-Modified-Since after the last change is answered 304", nginx: true,
            ScenarioStep("/files/hello.txt").with {
                $0.fields = [("If-Modified-Since", "Fri, 01 Jan 2021 00:00:00 GMT")]
            },
            [.status(304), .bodyCount(0)]),
        .one(
            "ranges/etag", "If-None-Match: * is answered 304",
            ScenarioStep("/files/hello.txt").with {
                $0.fields = [("If-None-Match", "*")]
            }, [.status(304), .bodyCount(0)]),
    ]

    /// 3xx with and without a change of method (RFC 9110 §15.4).
    static let redirects: [Scenario] = [
        .one(
            "redirects/not-followed", "302 is a response like any other", nginx: true, ScenarioStep("/redirect/302"),
            [.status(302), .fieldContains("location", "/method"), .redirects(0)]),
        .one(
            "redirects/301-post", "301 turns POST into GET", nginx: true,
            ScenarioStep("POST", "/redirect/301", body: .text("x")).with { $0.redirectLimit = 5 },
            [.status(200), .body("GET"), .redirects(1), .earlierStatuses([301])]),
        .one(
            "redirects/302-post", "302 turns POST into GET", nginx: true,
            ScenarioStep("POST", "/redirect/302", body: .text("x")).with { $0.redirectLimit = 5 },
            [.status(200), .body("GET"), .redirects(1)]),
        .one(
            "redirects/303-post", "303 turns POST into GET", nginx: true,
            ScenarioStep("POST", "/redirect/303", body: .text("x")).with { $0.redirectLimit = 5 },
            [.status(200), .body("GET"), .redirects(1)]),
        .one(
            "redirects/307-post", "307 keeps POST and its body", nginx: true,
            ScenarioStep("POST", "/redirect/307", body: .text("x")).with { $0.redirectLimit = 5 },
            [.status(200), .body("POST"), .redirects(1)]),
        .one(
            "redirects/308-post", "308 keeps POST and its body", nginx: true,
            ScenarioStep("POST", "/redirect/308", body: .text("x")).with { $0.redirectLimit = 5 },
            [.status(200), .body("POST"), .redirects(1)]),
        .one(
            "redirects/chain", "Three in a row, on one connection", nginx: true,
            ScenarioStep("/chain/3").with { $0.redirectLimit = 5 },
            [.status(200), .body("GET"), .redirects(3), .connections(1)]),
        .one(
            "redirects/loop", "A loop ends at the limit", nginx: true,
            ScenarioStep("/loop").with { $0.redirectLimit = 5 }, [.outcome(.tooManyRedirects)]),
    ]

    /// Cookies (RFC 6265) and credentials (RFC 7617, 7616).
    static let login: [Scenario] = [
        .sequence(
            "login/cookies", "A cookie set comes back", nginx: true,
            [
                (
                    ScenarioStep("/cookie/set").with { $0.cookies = true },
                    [.status(200), .fieldContains("set-cookie", "taste=ginger")]
                ),
                (ScenarioStep("/cookie/show").with { $0.cookies = true }, [.status(200), .body("taste=ginger")]),
            ]),
        .one(
            "login/basic", "Basic with the right password", nginx: true,
            ScenarioStep("/basic/").with { $0.credentials = .basic(user: "ada", password: "lovelace") },
            [.status(200), .body("welcome\n")]),
        .one(
            "login/basic-wrong", "Basic with a wrong one", nginx: true,
            ScenarioStep("/basic/").with { $0.credentials = .basic(user: "ada", password: "byron") },
            [.status(401), .fieldContains("www-authenticate", "Basic realm=")]),
        .one(
            "login/basic-missing", "401 without any", nginx: true, ScenarioStep("/basic/"),
            [.status(401), .fieldContains("www-authenticate", "Basic realm=")]),
        .one(
            "login/digest", "Digest: challenge and answer on one connection",
            ScenarioStep("/digest").with { $0.credentials = .digest(user: "ada", password: "lovelace") },
            [.status(200), .body("welcome\n"), .earlierStatuses([401]), .connections(1)]),
        .one(
            "login/digest-wrong", "Digest with a wrong password",
            ScenarioStep("/digest").with { $0.credentials = .digest(user: "ada", password: "byron") }, [.status(401)]),
    ]

    /// Bodies that the server sends.
    static let bodies: [Scenario] = [
        .one(
            "bodies/file-1m", "1 MiB from a file", nginx: true, ScenarioStep("/files/pattern-1m.bin"),
            [.status(200), .bodyPattern(offset: 0, count: 1 << 20)]),
        .one(
            "bodies/file-8m", "8 MiB from a file", nginx: true, ScenarioStep("/files/pattern-8m.bin"),
            [.status(200), .bodyPattern(offset: 0, count: 1 << 23)]),
        .one(
            "bodies/memory-8m", "8 MiB from the handler", ScenarioStep("/bytes/8388608"),
            [.status(200), .bodyPattern(offset: 0, count: 1 << 23)]),
        .one(
            "bodies/chunked", "A body without a known length", nginx: true, ScenarioStep("/chunked/pattern-64k.bin"),
            [
                .status(200), .field("transfer-encoding", "chunked"), .noField("content-length"),
                .bodyPattern(offset: 0, count: 65536),
            ]),
        .one(
            "bodies/chunked-empty", "A chunked body without a byte", ScenarioStep("/stream/0"),
            [.status(200), .field("transfer-encoding", "chunked"), .bodyCount(0)]),
        .one(
            "bodies/chunked-http10", "The same to HTTP/1.0 ends with the connection", nginx: true,
            ScenarioStep("/chunked/pattern-64k.bin").with { $0.http10 = true },
            [.status(200), .noField("transfer-encoding"), .bodyPattern(offset: 0, count: 65536)]),
        .one(
            "bodies/trailers", "Trailers after a chunked body", ScenarioStep("/trailers"),
            [.status(200), .body("abc"), .field("x-sum", "294")]),
        .one(
            "bodies/early-hints", "103 before the response", ScenarioStep("/early-hints"),
            [.status(200), .earlierStatuses([103]), .body("hello, world\n")]),
        .one(
            "bodies/gzip", "A compressed body", nginx: true,
            ScenarioStep("/gzip/text.txt").with { $0.compressed = true },
            [.status(200), .field("content-encoding", "gzip"), .bodyCount(20_000), .bodyContains("line 0001")]),
        .one(
            "bodies/gzip-not-asked", "No compression for who doesn't ask", nginx: true, ScenarioStep("/gzip/text.txt"),
            [.status(200), .noField("content-encoding"), .bodyCount(20_000)]),
        .one(
            "bodies/deflate", "deflate, as RFC 1950 has it", ScenarioStep("/deflate").with { $0.compressed = true },
            [.status(200), .field("content-encoding", "deflate"), .bodyCount(20_000)]),
        .one(
            "bodies/slow-reader", "A reader that pauses gets everything",
            ScenarioStep("/bytes/1048576").with { $0.pausePerPart = 2 },
            [.status(200), .bodyPattern(offset: 0, count: 1 << 20)]),
        .one(
            "bodies/empty", "An empty file", nginx: true, ScenarioStep("/files/empty.txt"),
            [.status(200), .field("content-length", "0"), .bodyCount(0)]),
    ]

    /// Ends in mid-body, from either side.
    static let endings: [Scenario] = [
        .sequence(
            "endings/client-aborts", "A client that leaves in mid-body hurts nobody", nginx: true,
            [
                (
                    ScenarioStep("/files/pattern-8m.bin").with { $0.abortAfter = 100_000 },
                    [.outcome(.clientAborted), .bodyPattern(offset: 0, count: 100_000)]
                ),
                (ScenarioStep("/hello"), [.status(200), .connections(1)]),
            ]),
        .one(
            "endings/server-closes", "A body shorter than its length is seen as partial",
            ScenarioStep("/truncated/1000"),
            [.status(200), .outcome(.partial), .bodyPattern(offset: 0, count: 500)]),
        .one(
            "endings/server-closes-chunked", "A chunked body without its end is seen as partial",
            ScenarioStep("/truncated-chunks"), [.status(200), .outcome(.partial)]),
        .one(
            "endings/server-resets", "A reset in mid-body is an error", ScenarioStep("/reset"),
            [.outcomeAmong([.receiveFailed, .partial])]),
        .one(
            "endings/no-answer", "A connection closed without an answer", nginx: true, ScenarioStep("/no-answer"),
            [.outcome(.emptyReply)]),
        .one(
            "endings/handler-throws", "A handler that throws is a 500", ScenarioStep("/throws"),
            [.status(500)]),
        .sequence(
            "endings/handler-throws-late", "Thrown in mid-body, the connection ends, not the server",
            [
                (
                    // Reading slowly, so that the handler has to wait until it may write on.
                    ScenarioStep("/throws-late").with { $0.pausePerPart = 1 },
                    [.status(200), .outcomeAmong([.partial, .receiveFailed])]
                ),
                (ScenarioStep("/hello"), [.status(200)]),
            ]),
        .one(
            "endings/time-limit", "A client's time limit", ScenarioStep("/never").with { $0.timeLimit = 300 },
            [.outcome(.timedOut)]),
    ]

    /// Named limits, at the limit and one past.
    static let limits: [Scenario] = [
        .one(
            "limits/field-line", "A field line at the limit of 8192",
            ScenarioStep("/hello").with { $0.fields = [("X-Big", String(repeating: "a", count: 8192 - 7))] },
            [.status(200)]),
        .one(
            "limits/field-line-over", "One byte more is 431",
            ScenarioStep("/hello").with { $0.fields = [("X-Big", String(repeating: "a", count: 8192 - 6))] },
            [.status(431), .field("connection", "close")]),
        .one(
            "limits/field-count-over", "101 fields are too many",
            ScenarioStep("/hello").with {
                $0.fields = (0..<101).map { ("X-\($0)", "v") }
            }, [.status(431)]),
        .one(
            "limits/target-over", "A target that is too long is 414",
            ScenarioStep("/" + String(repeating: "a", count: 9000)), [.status(414)]),
        .one(
            "limits/large-answer-head", "A response with 7 KB of fields", ScenarioStep("/large-head"),
            [.status(200), .fieldContains("x-large", String(repeating: "v", count: 7000))]),
    ]

    /// What no client library sends of itself, over a connection that curl made.
    static let wire: [Scenario] = [
        Scenario(
            name: "wire/pipelined", title: "Three requests in one segment are answered in order",
            kind: .raw(
                pieces: [
                    "GET /target/1 HTTP/1.1\r\nHost: a\r\n\r\nGET /target/2 HTTP/1.1\r\nHost: a\r\n\r\n"
                        + "GET /target/3 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
                ],
                answers: ["HTTP/1.1 200 ", "/target/1", "HTTP/1.1 200 ", "/target/2", "HTTP/1.1 200 ", "/target/3"],
                closes: true), nginx: false),
        Scenario(
            name: "wire/pipelined-bodies", title: "Pipelined requests with bodies",
            kind: .raw(
                pieces: [
                    "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\noneGET /target/2 HTTP/1.1\r\nHost: a\r\n\r\n"
                        + "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
                        + "5\r\nthree\r\n0\r\n\r\n"
                ],
                answers: [
                    "HTTP/1.1 200 ", "POST 3\none", "HTTP/1.1 200 ", "/target/2", "HTTP/1.1 200 ", "POST 5\nthree",
                ],
                closes: true), nginx: false),
        Scenario(
            name: "wire/split", title: "A request in many segments",
            kind: .raw(
                pieces: ["G", "ET /tar", "get/x HTT", "P/1.1\r", "\nHo", "st: a\r\nConnection: close\r\n\r", "\n"],
                answers: ["HTTP/1.1 200 ", "/target/x"], closes: true), nginx: false),
        Scenario(
            name: "wire/malformed", title: "Nonsense is 400, and the connection ends so that it can be read",
            kind: .raw(
                pieces: ["NONSENSE\r\n\r\n" + String(repeating: "more that nobody reads ", count: 2000)],
                answers: ["HTTP/1.1 400 "], closes: true), nginx: false),
        Scenario(
            name: "wire/two-lengths", title: "Content-Length beside Transfer-Encoding is refused",
            kind: .raw(
                pieces: [
                    "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
                ],
                answers: ["HTTP/1.1 400 "], closes: true), nginx: false),
        Scenario(
            name: "wire/version", title: "HTTP/2.0 on the request line is 505",
            kind: .raw(pieces: ["GET / HTTP/2.0\r\nHost: a\r\n\r\n"], answers: ["HTTP/1.1 505 "], closes: true),
            nginx: false),
        Scenario(
            name: "wire/expectation", title: "An unknown expectation is 417",
            kind: .raw(
                pieces: ["GET / HTTP/1.1\r\nHost: a\r\nExpect: wonders\r\n\r\n"], answers: ["HTTP/1.1 417 "],
                closes: true),
            nginx: false),
    ]
}
