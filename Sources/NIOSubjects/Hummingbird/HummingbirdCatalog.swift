import AnyloopSubjects

/// What curl does with the site, whatever HTTP it speaks; names are unique.
enum HummingbirdCatalog {
    /// What holds of HTTP/1.1 and HTTP/2 alike.
    static let common: [Scenario] = routing + coding + middleware + files + errors + uploads + downloads

    static let routing: [Scenario] = [
        .one(
            "router/get", "A route that gives a string",
            ScenarioStep("/hello"),
            [.status(200), .body("hello, world\n"), .field("content-length", "13"), .field("server", "site")]),
        .one(
            "router/parameter", "A parameter of the path, as it was sent", ScenarioStep("/people/Zo%C3%AB"),
            [.status(200), .body("Zo%C3%AB")]),
        .one(
            "router/parameters", "Two of them, one a number", ScenarioStep("/people/ada/pets/3"),
            [.status(200), .body("ada 3")]),
        .one(
            "router/parameter-type", "A parameter that is no number is 400", ScenarioStep("/people/ada/pets/three"),
            [.status(400)]),
        .one(
            "router/endpoint", "A handler knows the route that it is", ScenarioStep("/people/ada/pets/3/endpoint"),
            [.status(200), .body("/people/{name}/pets/{pet}/endpoint")]),
        .one(
            "router/catch-all", "The rest of a path", ScenarioStep("/any/a/b/c"), [.status(200), .body("a,b,c")]),
        .one(
            "router/wildcard", "A wildcard inside a component", ScenarioStep("/images/7.png"),
            [.status(200), .body("/images/7.png")]),
        .one(
            "router/query", "Parameters of the query, one of them twice",
            ScenarioStep("/query?x=1%262&y=%C3%A9&y=b"), [.status(200), .body("1&2 é,b")]),
        .one("router/query-missing", "A query without what is required is 400", ScenarioStep("/query"), [.status(400)]),
        .sequence(
            "router/methods", "Each method of a path has its handler",
            [
                (ScenarioStep("PUT", "/hello", body: .text("x")), [.status(201), .bodyCount(0)]),
                (ScenarioStep("DELETE", "/hello"), [.status(202), .body("gone\n")]),
                (ScenarioStep("/hello"), [.status(200)]),
            ]),
        .one(
            "router/head", "HEAD has GET's fields and no body", ScenarioStep("HEAD", "/hello"),
            [.status(200), .bodyCount(0), .field("content-length", "13")]),
        .one("router/not-found", "404 for what isn't there", ScenarioStep("/nowhere"), [.status(404)]),
        .one(
            "router/other-method", "A method that a path has no handler for is 404, Hummingbird's way",
            ScenarioStep("PATCH", "/hello", body: .text("x")), [.status(404)]),
        .one(
            "router/redirect", "A redirect is followed", ScenarioStep("/redirect").with { $0.redirectLimit = 3 },
            [.status(200), .body("hello, world\n"), .redirects(1)]),
        .one("router/no-content", "204 has no body", ScenarioStep("/no-content"), [.status(204), .bodyCount(0)]),
        .sequence(
            "router/cookies", "A cookie set comes back",
            [
                (
                    ScenarioStep("/cookie").with { $0.cookies = true },
                    [.body("none"), .fieldContains("set-cookie", "taste=ginger")]
                ),
                (ScenarioStep("/cookie").with { $0.cookies = true }, [.status(200), .body("ginger")]),
            ]),
    ]

    static let coding: [Scenario] = [
        .one(
            "json/both-ways", "JSON in, JSON out",
            ScenarioStep("POST", "/json", body: .text("{\"name\": \"Ada\", \"age\": 36}")),
            [
                .status(200), .fieldContains("content-type", "application/json"),
                .bodyContains("\"greeting\":\"Hello, Ada\""), .bodyContains("\"next\":37"),
            ]),
        .one(
            "json/malformed", "What is no JSON is 400",
            ScenarioStep("POST", "/json", body: .text("{\"name\": ")), [.status(400)]),
        .one(
            "json/missing-key", "A key that is missing is named",
            ScenarioStep("POST", "/json", body: .text("{\"name\": \"Ada\"}")),
            [.status(400), .bodyContains("age")]),
        .one(
            "json/wrong-type", "So is one of the wrong type",
            ScenarioStep("POST", "/json", body: .text("{\"name\": \"Ada\", \"age\": \"old\"}")),
            [.status(400), .bodyContains("age")]),
        .one(
            "json/too-large", "More than the context takes is 413",
            ScenarioStep("POST", "/json", body: .pattern(2 * 1024 * 1024 + 1)), [.status(413)]),
        .one(
            "form/decode", "A form", ScenarioStep("POST", "/form", body: .text("name=Ada+L&age=36")),
            [.status(200), .body("Ada L 36")]),
    ]

    static let middleware: [Scenario] = [
        .one(
            "middleware/own", "The site's own middleware marks a response", ScenarioStep("/hello"),
            [.status(200), .field("x-tag", "/hello")]),
        .one(
            "middleware/none-for-throws", "An error passes middleware by, unless it catches it",
            ScenarioStep("/nowhere"), [.status(404), .noField("x-tag")]),
        .one(
            "middleware/cors", "The origin that asks is allowed",
            ScenarioStep("/hello").with { $0.fields = [("Origin", "https://other.example")] },
            [.status(200), .field("access-control-allow-origin", "https://other.example")]),
        .one(
            "middleware/cors-preflight", "A preflight is answered by the middleware",
            ScenarioStep("OPTIONS", "/hello").with { $0.fields = [("Origin", "https://other.example")] },
            [.status(204), .field("access-control-allow-methods", "GET, PUT")]),
        .one(
            "middleware/login", "A group's middleware lets in who knows the password",
            ScenarioStep("/members/name").with { $0.credentials = .basic(user: "ada", password: "lovelace") },
            [.status(200), .body("ada")]),
        .one(
            "middleware/login-refused", "And nobody else", ScenarioStep("/members/name"),
            [.status(401), .field("www-authenticate", "Basic realm=\"site\"")]),
    ]

    static let files: [Scenario] = [
        .one(
            "files/small", "A file by middleware", ScenarioStep("/files/hello.txt"),
            [.status(200), .body("hello, world\n"), .fieldContains("content-type", "text/plain")]),
        .one(
            "files/1m", "1 MiB from a file", ScenarioStep("/files/pattern-1m.bin"),
            [.status(200), .bodyPattern(offset: 0, count: 1 << 20)]),
        .one(
            "files/range", "A part of one", ScenarioStep("/files/pattern-64k.bin").with { $0.range = "1000-1999" },
            [.status(206), .bodyPattern(offset: 1000, count: 1000)]),
        .one(
            "files/head", "HEAD of a file", ScenarioStep("HEAD", "/files/pattern-64k.bin"),
            [.status(200), .bodyCount(0), .field("content-length", "65536")]),
        .one("files/missing", "404 for a file that isn't there", ScenarioStep("/files/none.txt"), [.status(404)]),
    ]

    static let errors: [Scenario] = [
        .one("errors/status", "A status that is thrown", ScenarioStep("/error/418"), [.status(418), .bodyCount(0)]),
        .one(
            "errors/message", "With a message it is JSON", ScenarioStep("/error/409/taken"),
            [
                .status(409), .fieldContains("content-type", "application/json"),
                .body("{\"error\":{\"message\":\"taken\"}}"),
            ]),
        .sequence(
            "errors/throws", "An error that is no response is 500, and the server lives on",
            [(ScenarioStep("/throws"), [.status(500)]), (ScenarioStep("/hello"), [.status(200)])]),
        .sequence(
            "errors/throws-late", "Thrown in mid-body, the response ends, not the server",
            [
                (
                    ScenarioStep("/throws-late"),
                    [.outcomeAmong([.partial, .receiveFailed, .streamFailed])]
                ),
                (ScenarioStep("/hello"), [.status(200)]),
            ]),
    ]

    static let uploads: [Scenario] = [
        .one(
            "uploads/1m", "1 MiB with a length, checked as it comes",
            ScenarioStep("POST", "/upload", body: .pattern(1 << 20)), [.status(200), .body("1048576 intact\n")]),
        .one(
            "uploads/chunked", "256 KiB without a length",
            ScenarioStep("PUT", "/upload", body: .chunkedPattern(1 << 18)), [.status(200), .body("262144 intact\n")]),
        .one(
            "uploads/4m", "4 MiB", ScenarioStep("PUT", "/upload", body: .pattern(1 << 22)),
            [.status(200), .body("4194304 intact\n")]),
        .one(
            "uploads/slow-handler", "A handler that reads slowly holds the sender back and loses nothing",
            ScenarioStep("POST", "/slow-upload", body: .pattern(1 << 20)), [.status(200), .body("1048576 intact\n")]),
        .one(
            "uploads/limit", "A body at the limit", ScenarioStep("POST", "/collect", body: .pattern(65536)),
            [.status(200), .body("65536\n")]),
        .one(
            "uploads/limit-over", "One byte more is 413", ScenarioStep("POST", "/collect", body: .pattern(65537)),
            [.status(413)]),
        .one(
            "uploads/echo", "Bytes go back while more come in",
            ScenarioStep("POST", "/echo", body: .chunkedPattern(1 << 20)),
            [.status(200), .bodyPattern(offset: 0, count: 1 << 20)]),
        .sequence(
            "uploads/ignored", "A body that nobody reads doesn't cost the connection",
            [
                (ScenarioStep("POST", "/ignore", body: .pattern(1000)), [.status(200), .body("ignored\n")]),
                (ScenarioStep("/hello"), [.status(200), .connections(0)]),
            ]),
    ]

    static let downloads: [Scenario] = [
        .one(
            "downloads/4m", "4 MiB with a length, made as the peer takes it", ScenarioStep("/bytes/4194304"),
            [.status(200), .bodyPattern(offset: 0, count: 1 << 22), .field("content-length", "4194304")]),
        .one(
            "downloads/stream-1m", "1 MiB without a length", ScenarioStep("/stream/1048576"),
            [.status(200), .bodyPattern(offset: 0, count: 1 << 20), .noField("content-length")]),
        .one(
            "downloads/buffer-2m", "2 MiB at once", ScenarioStep("/buffer/2097152"),
            [.status(200), .bodyPattern(offset: 0, count: 1 << 21)]),
        .one(
            "downloads/empty-stream", "A stream without a byte", ScenarioStep("/stream/0"),
            [.status(200), .bodyCount(0)]),
        .one(
            "downloads/slow-reader", "A reader that pauses gets everything",
            ScenarioStep("/bytes/2097152").with { $0.pausePerPart = 1 },
            [.status(200), .bodyPattern(offset: 0, count: 1 << 21)]),
        .one(
            "downloads/trailers", "Trailers after a body", ScenarioStep("/trailers"),
            [.status(200), .body("abc"), .field("x-sum", "294")]),
        .sequence(
            "downloads/aborted", "A client that leaves in mid-body hurts nobody",
            [
                (
                    ScenarioStep("/bytes/4194304").with { $0.abortAfter = 100_000 },
                    [.outcome(.clientAborted), .bodyPattern(offset: 0, count: 100_000)]
                ),
                (ScenarioStep("/hello"), [.status(200)]),
            ]),
        Scenario(
            name: "downloads/parallel", title: "50 downloads of 64 KiB at once",
            kind: .parallel(
                count: 50, step: ScenarioStep("/files/pattern-64k.bin"),
                checks: [.status(200), .bodyPattern(offset: 0, count: 65536)])),
    ]
}
