import AnyloopAgents
import AnyloopCore
import ArgumentParser
import HTTPTypes
import Testing

@testable import AnyloopCommand

struct AddressTextTests {
    @Test(arguments: [
        ("127.0.0.1:80", Endpoint.address(.loopback(port: 80))), (":80", .address(.loopback(port: 80))),
        ("[::1]:8080", .address(.v6(high: 0, low: 1, port: 8080, scope: 0))),
        ("name.test:1", .host("name.test", port: 1)), ("unix:/tmp/s", .unix(path: "/tmp/s")),
    ])
    func endpoints(text: String, endpoint: Endpoint) throws {
        #expect(try AddressText.endpoint(text, option: "--x") == endpoint)
    }

    @Test(arguments: ["", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "unix:", "host:http"])
    func refused(text: String) {
        let error = #expect(throws: SettingError.self) { try AddressText.endpoint(text, option: "--x") }
        #expect(error?.description == "--x: expected HOST:PORT, [IPv6]:PORT or unix:PATH, found '\(text)'")
    }

    @Test func namesCannotBeListenedOn() throws {
        #expect(try AddressText.listening("localhost:5", option: "--listen") == .loopback(port: 5))
        #expect(throws: SettingError.self) { try AddressText.listening("name.test:5", option: "--listen") }
    }

    @Test(arguments: [
        ("http://a", "http", "a", "/"), ("http://a:80/b?c#d", "http", "a:80", "/b?c"),
        ("HTTP://a?q", "http", "a", "/?q"), ("a/b", "http", "a", "/b"), ("http://[::1]:80/", "http", "[::1]:80", "/"),
        ("HTTPS://a/", "https", "a", "/"), ("https://a:8443/b", "https", "a:8443", "/b"),
    ])
    func urls(url: String, scheme: String, authority: String, path: String) throws {
        let parts = try GetCommand.parts(of: url)
        #expect(parts.scheme == scheme)
        #expect(parts.authority == authority)
        #expect(parts.path == path)
    }

    @Test(arguments: ["ftp://a/", "http://", "http:///x", "http://a b/", ""])
    func badURLs(url: String) {
        #expect(throws: SettingError.self) { try GetCommand.parts(of: url) }
    }

    @Test(
        arguments: [
            ("http://a:3128", "a:3128", false, nil), ("a:3128", "a:3128", false, nil), ("http://a", "a:80", false, nil),
            ("https://a/", "a:443", true, nil), ("http://[::1]:3128", "[::1]:3128", false, nil),
            ("http://ada:love%40lace@a:1", "a:1", false, "Basic YWRhOmxvdmVAbGFjZQ=="),
            ("https://ada@a", "a:443", true, "Basic YWRhOg=="),
        ] as [(String, String, Bool, String?)])
    func proxies(text: String, endpoint: String, isSecure: Bool, login: String?) throws {
        var settings = GetSettings()
        settings.proxy = text
        var options = HTTPClientOptions()
        try settings.setProxy(&options)
        #expect(options.proxy?.description == endpoint)
        #expect(options.proxyOptions.isSecure == isSecure)
        #expect(options.proxyOptions.login?.fieldValue == login)
    }

    @Test(arguments: ["socks5://a:1080", "http://", "http://a:99999", "http://a/path", "http://a%:b@c", "http://%zz@c"])
    func badProxies(text: String) {
        var settings = GetSettings()
        settings.proxy = text
        var options = HTTPClientOptions()
        #expect(throws: SettingError.self) { try settings.setProxy(&options) }
    }

    @Test func requestsAreMadeOfOptions() throws {
        let post = try GetCommand.parse(["http://a/", "-d", "x=1", "-H", "X-Y: z"]).request()
        #expect(post.method == .post)
        #expect(post.headerFields[HTTPField.Name("X-Y")!] == "z")  // A literal token is a name.
        #expect(try GetCommand.parse(["http://a/", "-X", "DELETE"]).request().method == .delete)
        for bad in [["-X", "B AD"], ["-H", "nocolon"], ["-H", "a b: c"], ["-H", "a: b\r\nc: d"]] {
            #expect(throws: SettingError.self) { try GetCommand.parse(["http://a/"] + bad).request() }
        }
    }
}
