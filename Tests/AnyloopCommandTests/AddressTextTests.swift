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
        ("http://a", "a", "/"), ("http://a:80/b?c#d", "a:80", "/b?c"), ("HTTP://a?q", "a", "/?q"), ("a/b", "a", "/b"),
        ("http://[::1]:80/", "[::1]:80", "/"),
    ])
    func urls(url: String, authority: String, path: String) throws {
        let parts = try GetCommand.parts(of: url)
        #expect(parts.authority == authority)
        #expect(parts.path == path)
    }

    @Test(arguments: ["https://a/", "ftp://a/", "http://", "http:///x", "http://a b/", ""])
    func badURLs(url: String) {
        #expect(throws: SettingError.self) { try GetCommand.parts(of: url) }
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
