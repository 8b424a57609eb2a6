import AnyloopAgents
import AnyloopCore
import AnyloopTesting
import Foundation
import HTTPTypes
import Testing

@Suite struct StaticFilesTests {
    /// A directory with `a.txt`, `sub/index.html`, `empty/`, `.hidden`, and links inside and out.
    private final class Site {
        let directory: URL
        let stage: ServerStage

        init() throws {
            let files = FileManager.default
            directory = files.temporaryDirectory.appendingPathComponent("anyloop-\(UUID().uuidString)")
            let root = directory.appendingPathComponent("root")
            for name in ["sub", "empty"] {
                try files.createDirectory(at: root.appendingPathComponent(name), withIntermediateDirectories: true)
            }
            try Data("0123456789".utf8).write(to: root.appendingPathComponent("a.txt"))
            try Data("<p>".utf8).write(to: root.appendingPathComponent("sub/index.html"))
            try Data("x".utf8).write(to: root.appendingPathComponent("ä b.bin"))
            try Data("hidden".utf8).write(to: root.appendingPathComponent(".hidden"))
            try Data("secret".utf8).write(to: directory.appendingPathComponent("secret.txt"))
            for (link, target) in [("out", "../secret.txt"), ("up", ".."), ("in", "a.txt"), ("abs", "/etc/passwd")] {
                try files.createSymbolicLink(
                    atPath: root.appendingPathComponent(link).path, withDestinationPath: target)
            }
            try files.setAttributes(
                [.modificationDate: Date(timeIntervalSince1970: 784_111_777)],
                ofItemAtPath: root.appendingPathComponent("a.txt").path)
            let site = try StaticFiles(root: root.path)
            stage = ServerStage { site.handle($0) }
        }

        func get(_ path: String, method: String = "GET", _ fields: String = "") -> String {
            stage.send("\(method) \(path) HTTP/1.1\r\nHost: a\r\n\(fields)\r\n")
            return stage.received()
        }

        func tag() throws -> String {
            let head = get("/a.txt", method: "HEAD")
            let line = try #require(head.split(separator: "\r\n").first { $0.hasPrefix("ETag: ") })
            return String(line.dropFirst(6))
        }

        deinit {
            try? FileManager.default.removeItem(at: directory)
        }
    }

    @Test func sendsAFile() throws {
        let site = try Site()
        let tag = try site.tag()
        let expected =
            "HTTP/1.1 200 OK\r\nLast-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\nETag: \(tag)\r\n"
            + "Accept-Ranges: bytes\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 10\r\n\r\n"
        #expect(site.get("/a.txt") == expected + "0123456789")
        #expect(site.get("/a.txt?x", method: "HEAD") == expected)
        #expect(site.get("/in").hasSuffix("0123456789"), "a link that stays inside")
        #expect(site.get("/%C3%A4%20b.bin").hasSuffix("octet-stream\r\nContent-Length: 1\r\n\r\nx"))
    }

    @Test(arguments: [
        ("/sub/", "200"), ("/sub", "301"), ("/empty/", "404"), ("/", "404"), ("/none", "404"), ("/a.txt/", "404"),
        ("/a.txt/b", "404"), ("/.hidden", "404"), ("/out", "404"), ("/up/secret.txt", "404"), ("/abs", "404"),
        ("/../secret.txt", "404"), ("/%2e%2e/secret.txt", "404"), ("/sub/..%2f..%2fsecret.txt", "404"),
        ("/a.txt%00.html", "400"), ("/%zz", "400"), ("/%f", "400"), ("/%ff", "400"),
    ])
    func pathsStayInside(_ path: String, _ status: String) throws {
        let answer = try Site().get(path)
        #expect(answer.dropFirst(9).prefix(3) == status)
        #expect(!answer.contains("secret\n") && !answer.hasSuffix("secret"))
    }

    @Test(arguments: [("/sub?x=1", "/sub/?x=1"), ("//sub", "/sub/")])
    func aDirectoryWithoutSlashRedirectsOnThisHost(_ path: String, _ location: String) throws {
        #expect(try Site().get(path).contains("\r\nLocation: \(location)\r\n"))
    }

    @Test func otherMethodsAreRefused() throws {
        let answer = try Site().get("/a.txt", method: "DELETE")
        #expect(answer.hasPrefix("HTTP/1.1 405 "))
        #expect(answer.contains("\r\nAllow: GET, HEAD\r\n"))
    }

    // RFC 9110 §14.1.2, §14.2.
    @Test(arguments: [
        ("bytes=0-4", "01234", "0-4/10"), ("bytes=5-", "56789", "5-9/10"), ("bytes=-3", "789", "7-9/10"),
        ("bytes=8-99", "89", "8-9/10"), ("bytes=-99", "0123456789", "0-9/10"), ("bytes=9-9", "9", "9-9/10"),
        ("bytes=0-99999999999999999999", "0123456789", "0-9/10"),
    ])
    func rangesAreHonoured(_ range: String, _ body: String, _ content: String) throws {
        let answer = try Site().get("/a.txt", "Range: \(range)\r\n")
        #expect(answer.hasPrefix("HTTP/1.1 206 Partial Content\r\n"))
        #expect(answer.contains("\r\nContent-Range: bytes \(content)\r\n"))
        #expect(answer.hasSuffix("\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"))
    }

    @Test(arguments: ["bytes=10-", "bytes=-0", "bytes=99-100"])
    func unsatisfiableRangesAre416(_ range: String) throws {
        let answer = try Site().get("/a.txt", "Range: \(range)\r\n")
        #expect(answer.hasPrefix("HTTP/1.1 416 "))
        #expect(answer.contains("\r\nContent-Range: bytes */10\r\n"))
    }

    @Test(arguments: ["bytes=4-2", "bytes=a-b", "lines=0-1", "bytes=", "bytes=-", "bytes=0-1,3-4", "bytes"])
    func otherRangesAreIgnored(_ range: String) throws {
        #expect(try Site().get("/a.txt", "Range: \(range)\r\n").hasPrefix("HTTP/1.1 200 "))
    }

    // RFC 9110 §13.1, §13.2.2. {} stands for the entity tag.
    @Test(arguments: [
        ("If-None-Match: {}", "304"), ("If-None-Match: W/{}", "304"), ("If-None-Match: \"x\", {}", "304"),
        ("If-None-Match: *", "304"), ("If-None-Match: \"x\"", "200"),
        ("If-None-Match: \"x\"\r\nIf-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT", "200"),
        ("If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT", "304"),
        ("If-Modified-Since: Sun, 06 Nov 1994 08:49:36 GMT", "200"), ("If-Modified-Since: never", "200"),
        ("If-Match: {}", "200"), ("If-Match: W/{}", "412"), ("If-Match: \"x\"", "412"), ("If-Match: *", "200"),
        ("If-Unmodified-Since: Sun, 06 Nov 1994 08:49:37 GMT", "200"),
        ("If-Unmodified-Since: Sun, 06 Nov 1994 08:49:36 GMT", "412"),
        ("Range: bytes=0-1\r\nIf-Range: {}", "206"), ("Range: bytes=0-1\r\nIf-Range: W/{}", "200"),
        ("Range: bytes=0-1\r\nIf-Range: \"x\"", "200"),
        ("Range: bytes=0-1\r\nIf-Range: Sun, 06 Nov 1994 08:49:37 GMT", "206"),
        ("Range: bytes=0-1\r\nIf-Range: Sun, 06 Nov 1994 08:49:38 GMT", "200"),
    ])
    func conditionsAreHonoured(_ condition: String, _ status: String) throws {
        let site = try Site()
        let tag = try site.tag()
        let answer = site.get("/a.txt", condition.replacingOccurrences(of: "{}", with: tag) + "\r\n")
        #expect(answer.dropFirst(9).prefix(3) == status)
        if status == "304" { #expect(answer.hasSuffix("\r\n\r\n") && answer.contains("ETag: \(tag)")) }
    }

    @Test func aMissingRootIsAnError() {
        #expect(throws: TransportError.self) { try StaticFiles(root: "/nonexistent/anyloop") }
    }
}
