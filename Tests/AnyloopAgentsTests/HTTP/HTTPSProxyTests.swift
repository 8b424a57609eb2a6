import AnyloopAgents
import AnyloopCore
import AnyloopTLS
import AnyloopTesting
import HTTPTypes
import Testing

/// HTTPS through proxies, over memory.
@Suite struct HTTPSProxyTests {
    private static let target = Endpoint.address(.loopback(port: 443))

    @Test func aTunnelWithTLSInside() throws {
        let stage = try SecureStage {
            $0.proxy = .address(.loopback(port: 3128))
            $0.proxyOptions.login = HTTPBasicLogin(user: "ada", password: "lovelace")
        } handler: { exchange in
            #expect(!exchange.request.headerFields.contains(.proxyAuthorization))
            exchange.respond(HTTPResponse(status: .ok), body: Array((exchange.tls?.serverName ?? "").utf8))
        }
        let proxy = try TestProxy(on: stage.loop, at: .loopback(port: 3128)) { Self.target }
        for _ in 0..<2 { #expect(stage.fetch().value == "200 a") }
        #expect(proxy.seen == ["CONNECT a:443"])
        #expect(proxy.logins == ["Basic YWRhOmxvdmVsYWNl"])
        #expect(stage.fetch(authority: "www.example.org").value == "200 www.example.org")
        #expect(proxy.seen.last == "CONNECT www.example.org:443")
        #expect(stage.fetch(scheme: "http").value == "200 by proxy", "http goes in absolute form")
        #expect(proxy.logins.count == 3)
        #expect(stage.fetch(authority: "b").value.contains("'b'"), "the certificate is checked in the tunnel, too")
    }

    @Test func tlsInsideOfTLS() throws {
        let certificate = try TestIdentity("proxy.test")
        let stage = try SecureStage {
            $0.proxy = .host("proxy.test", port: 3129)
            $0.proxyOptions.isSecure = true
            $0.proxyOptions.tls = try certificate.client()
        } handler: { exchange in
            exchange.respond(HTTPResponse(status: .ok), body: [UInt8](repeating: 120, count: 100_000))
        }
        stage.loop.hosts["proxy.test"] = [.loopback(port: 0)]
        let proxy = try TestProxy(on: stage.loop, at: .loopback(port: 3129), tls: try certificate.server()) {
            Self.target
        }
        for _ in 0..<2 { #expect(stage.fetch().value == "200 " + String(repeating: "x", count: 100_000)) }
        #expect(stage.seen.first?.serverName == "a")
        #expect(proxy.seen == ["CONNECT a:443"])
        #expect(stage.fetch(scheme: "http").value == "200 by proxy", "in absolute form, inside of the proxy's TLS")
    }

    @Test func aProxyThatIsNotTrustedLearnsNothing() throws {
        let certificate = try TestIdentity("proxy.test")
        let stage = try SecureStage(options: {
            $0.proxy = .host("proxy.test", port: 3129)
            $0.proxyOptions.isSecure = true
        })
        stage.loop.hosts["proxy.test"] = [.loopback(port: 0)]
        let proxy = try TestProxy(on: stage.loop, at: .loopback(port: 3129), tls: try certificate.server()) {
            Self.target
        }
        #expect(stage.fetch().value.hasPrefix("error cannot connect: "))
        #expect(proxy.seen.isEmpty)
    }

    @Test func aTunnelToNowhereIsRefused() throws {
        let stage = try SecureStage(options: { $0.proxy = .address(.loopback(port: 3128)) })
        let proxy = try TestProxy(on: stage.loop, at: .loopback(port: 3128)) { .address(.loopback(port: 9)) }
        #expect(stage.fetch().value == "error the proxy made no tunnel to a:443: it answered 502 Bad Gateway")
        #expect(proxy.seen == ["CONNECT a:443"])
    }
}
