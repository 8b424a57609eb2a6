import AnyloopAgents
import AnyloopCore
import AnyloopTesting
import AnyloopWire
import HTTPTypes
import Testing

/// A client that sends everything through tunnels of a proxy, over memory (RFC 9110 §9.3.6).
@Suite struct HTTPTunnelTests {
    /// A stage whose proxy on port 81 answers CONNECT with `answer`, and what follows with 'hi'.
    private func stage(
        options change: (inout HTTPClientOptions) -> Void = { _ in }, _ answer: @escaping (String) -> String?
    ) throws -> PoolStage {
        try PoolStage {
            $0.proxy = .address(.loopback(port: 81))
            $0.proxyOptions.tunnelsEverything = true
            change(&$0)
        } answer: { _, head in
            head.hasPrefix("CONNECT ") ? answer(head) : "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
        }
    }

    private static let stands = "HTTP/1.1 200 Connection established\r\n\r\n"

    @Test func theTunnelIsAskedForOnceAndUsedAgain() throws {
        let stage = try stage { _ in Self.stands }
        for _ in 0..<2 { #expect(stage.fetch("/x", authority: "nowhere.example").value == "200 hi") }
        #expect(stage.seen == ["1 CONNECT nowhere.example:80", "1 GET /x", "1 GET /x"])
        #expect(stage.heads[0] == "CONNECT nowhere.example:80 HTTP/1.1\r\nHost: nowhere.example:80\r\n\r\n")
        #expect(stage.heads[1] == "GET /x HTTP/1.1\r\nHost: nowhere.example\r\n\r\n")
        #expect(stage.fetch("/y", authority: "[::1]:8080").value == "200 hi")
        #expect(stage.seen.suffix(2) == ["2 CONNECT [::1]:8080", "2 GET /y"])
        #expect(stage.client.connectionCount == 2)
    }

    @Test(arguments: [
        "HTTP/1.1 201 Fine\r\nContent-Length: 1000\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.0 200 Connection established\r\nProxy-Agent: a\r\n\r\n",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
    ])
    func whateverIsSuccessOpensIt(_ answer: String) throws {
        let stage = try stage { _ in answer }
        #expect(stage.fetch().value == "200 hi")
    }

    @Test func theLoginGoesToTheProxyAndNoFurther() throws {
        let login = try #require(HTTPBasicLogin(user: "ada", password: "lovelace"))
        let field = "\r\nProxy-Authorization: Basic YWRhOmxvdmVsYWNl\r\n"
        let tunnelled = try stage {
            $0.proxyOptions.login = login
        } _: { _ in
            Self.stands
        }
        #expect(tunnelled.fetch().value == "200 hi")
        #expect(tunnelled.heads.map { $0.contains(field) } == [true, false])
        let absolute = try stage {
            $0.proxyOptions.login = login
            $0.proxyOptions.tunnelsEverything = false
        } _: { _ in
            nil
        }
        #expect(absolute.fetch().value == "200 hi")
        #expect(absolute.fetch("/", [.proxyAuthorization: "mine"]).value == "200 hi")
        #expect(absolute.heads.map { $0.contains(field) } == [true, false])
        #expect(absolute.heads[1].contains("\r\nProxy-Authorization: mine\r\n"))
    }

    // The last two are RFC 7617's own (§2, §2.1).
    @Test(arguments: [
        ("", "", "Og=="), ("f", "", "Zjo="), ("f", "o", "Zjpv"), ("f", "oo", "Zjpvbw=="),
        ("Aladdin", "open sesame", "QWxhZGRpbjpvcGVuIHNlc2FtZQ=="), ("test", "123£", "dGVzdDoxMjPCow=="),
    ])
    func loginsAreBase64(_ user: String, _ password: String, _ encoded: String) {
        #expect(HTTPBasicLogin(user: user, password: password)?.fieldValue == "Basic \(encoded)")
    }

    @Test(arguments: [("a:b", "c"), ("a\n", "c"), ("a", "\u{7F}")])
    func loginsThatNoFieldCanHoldAreRefused(_ user: String, _ password: String) {
        #expect(HTTPBasicLogin(user: user, password: password) == nil)
    }

    @Test(arguments: [
        ("HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n", "give it a login"),
        ("HTTP/1.1 403 Forbidden\r\nContent-Length: 5\r\n\r\nno no", "it answered 403 Forbidden"),
        ("HTTP/1.1 302 Found\r\nLocation: http://b/\r\nContent-Length: 0\r\n\r\n", "it answered 302 Found"),
        ("HTTP/1.1 502 Bad Gateway\r\n\r\n", "it answered 502 Bad Gateway"),
        ("HTTP/1.1 200 OK\r\n\r\nmore", "4 bytes came through the tunnel"),
        ("HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", ""),
        ("nonsense\r\n\r\n", "its answer is malformed"),
    ])
    func whateverElseIsAnError(_ answer: String, _ reason: String) throws {
        let stage = try stage { _ in answer }
        let result = stage.fetch().value
        #expect(result.hasPrefix("error the proxy made no tunnel to a:80: "))
        #expect(result.contains(reason))
        #expect(stage.seen == ["1 CONNECT a:80"])
        #expect(stage.client.connectionCount == 0)
    }

    @Test func theStatusIsThere() throws {
        let stage = try stage { _ in "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n" }
        let status = Box(0)
        stage.client.fetch(HTTPRequest(method: .get, scheme: "http", authority: "a", path: "/")) {
            if case .failure(.tunnel("a:80", .refused(let code, "Forbidden"))) = $0 { status.value = code }
        }
        stage.loop.runUntilIdle()
        #expect(status.value == 403)
    }

    @Test func aProxyThatClosesIsSaid() throws {
        let stage = try stage { _ in nil }
        let result = stage.fetch().value
        #expect(result == "error the proxy made no tunnel to a:80: it closed the connection instead of answering")
    }

    // The deadline is the whole answer's: a byte now and then does not put it off.
    @Test(arguments: ["", "HTTP/1.1 2", "HTTP/1.1 100 Continue\r\n\r\n"])
    func theAnswerHasADeadline(_ start: String) throws {
        let stage = try stage {
            $0.proxyOptions.tunnelTimeout = .seconds(5)
        } _: { _ in
            start
        }
        let result = stage.fetch()
        stage.loop.advance(by: .milliseconds(4999))
        #expect(result.value == "pending")
        stage.loop.advance(by: .milliseconds(1))
        #expect(result.value == "error the proxy made no tunnel to a:80: it did not answer within 5.0 seconds")
        #expect(stage.client.connectionCount == 0)
    }

    @Test(arguments: [0, 1]) func theAnswersHeadHasALimit(_ extra: Int) throws {
        let line = "X: "
        let stage = try stage {
            $0.connection.limits.fieldLine = 100
        } _: { _ in
            "HTTP/1.1 200 OK\r\n\(line)\(String(repeating: "x", count: 100 - line.count + extra))\r\n\r\n"
        }
        let result = stage.fetch().value
        #expect(extra == 0 ? result == "200 hi" : result.contains("its answer is malformed"))
    }

    @Test func anApplicationsOwnTunnelIsNotPutIntoAnother() throws {
        let stage = try stage { _ in Self.stands }
        let task = HTTPClientTask(HTTPRequest(method: .connect, scheme: nil, authority: "b:25", path: nil))
        let done = Box(false)
        task.onSwitch = { _, _, _ in
            done.value = true
            return Scripted { _ in nil }
        }
        stage.client.start(task)
        stage.loop.runUntilIdle()
        #expect(done.value)
        #expect(stage.seen == ["1 CONNECT b:25"])
    }
}
