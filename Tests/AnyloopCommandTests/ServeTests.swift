import AnyloopHarness
import Testing

@testable import AnyloopCommand

/// `anyloop serve`, `get` and `record` as processes of their own.
struct ServeTests {
    @Test(arguments: ["native", "compat", "nio"], [1, 2])
    func filesAreServedAndFetched(mode: String, workers: Int) throws {
        let scratch = try Scratch()
        try scratch.write("some text\n", to: "a.txt")
        let server = try Tool.Running(
            ["serve", "http", "--root", scratch.path, "--port", "0", "--mode", mode, "--workers", "\(workers)"])
        #expect(server.firstLine == "listening on http://127.0.0.1:\(server.port)")
        let url = "http://127.0.0.1:\(server.port)/a.txt"
        #expect(try Tool.run(["get", url, "--mode", mode]).output == "some text\n")
        let head = try Tool.run(["get", "-i", "-X", "HEAD", url])
        #expect(head.output.hasPrefix("HTTP/1.1 200 OK\r\n"))
        #expect(head.output.hasSuffix("\r\n\r\n"))
        #expect(try Tool.run(["get", "-f", url + "x"]).status == 1)
        #expect(try Tool.run(["get", "-o", "b.txt", url], folder: scratch.path).output == "")
        #expect(try scratch.read("b.txt") == "some text\n")
        #expect(server.terminate() == 0)
    }

    @Test func theEnvironmentSaysIt() throws {
        let server = try Tool.Running(["serve", "hello"], environment: ["PORT": "0", "COMPAT": "1", "POLL": "poll"])
        let url = "http://127.0.0.1:\(server.port)/"
        #expect(try Tool.run(["get", url], environment: ["COMPAT": "1", "POLL": "select"]).output == "hello, world\n")
        #expect(try Tool.run(["get", url], environment: ["NIO": "1"]).output == "hello, world\n")
        let taken = try Tool.run(["serve", "hello", "--port", server.port])
        #expect(taken.status == 2)
        #expect(taken.errors.contains("Address already in use"))
        #expect(server.terminate() == 0)
        let gone = try Tool.run(["get", url])
        #expect(gone.status == 1)
        #expect(gone.errors.contains("cannot connect"))
    }

    @Test(arguments: ["native", "nio"]) func theGreetingFromATask(mode: String) throws {
        let server = try Tool.Running(["serve", "hello-async", "--port", "0", "--mode", mode])
        let url = "http://127.0.0.1:\(server.port)/"
        #expect(try Tool.run(["get", url]).output == "hello, world\n")
        #expect(server.terminate() == 0)
    }

    @Test(arguments: ["hello", "hello-async"])
    func aGreetingOfAnySize(service: String) throws {
        for size in [1, 200_000] {
            let server = try Tool.Running(["serve", service, "--port", "0", "--size", "\(size)"])
            let got = try Tool.run(["get", "http://127.0.0.1:\(server.port)/"]).output
            #expect(got == String(repeating: "x", count: size))
            #expect(server.terminate() == 0)
        }
    }

    @Test(arguments: ["native", "nio"]) func unixSockets(mode: String) throws {
        let scratch = try Scratch()
        let path = scratch.path + "/s"
        let server = try Tool.Running(["serve", "hello", "--unix-path", path, "--mode", mode])
        #expect(server.firstLine == "listening on http+unix:\(path)")
        #expect(try Tool.run(["get", "--unix-path", path, "http://any/", "--mode", mode]).output == "hello, world\n")
        #expect(server.terminate() == 0)
        let shared = try Tool.run(["serve", "hello", "--unix-path", path + "2", "--workers", "2"])
        #expect(shared.status == 2)
    }

    @Test(arguments: ["native", "nio"]) func echoTellsBothPlaces(mode: String) throws {
        let server = try Tool.Running(["serve", "echo", "--port", "0", "--workers", "2", "--mode", mode])
        #expect(server.firstLine == "listening on tcp://127.0.0.1:\(server.port) and udp://127.0.0.1:\(server.port)")
        #expect(server.terminate() == 0)
    }

    @Test(arguments: ["native", "nio"]) func conversationsAreRecorded(mode: String) throws {
        let scratch = try Scratch()
        let server = try Tool.Running(["serve", "hello", "--port", "0"])
        let recorder = try Tool.Running([
            "record", "--upstream", "127.0.0.1:\(server.port)", "--out", "\(scratch.path)/Fixtures.wire",
            "--connections", "2", "--mode", mode, "--redact", "authorization", "--server", "anyloop", "--client",
            "anyloop",
        ])
        let url = "http://127.0.0.1:\(recorder.port)/"
        for _ in 0..<2 {
            let got = try Tool.run(["get", url, "-H", "Authorization: Basic c2VjcmV0"])
            #expect(got.output == "hello, world\n")
        }
        #expect(recorder.wait() == 0)
        let text = try scratch.read("Fixtures.wire")
        #expect(text.contains("source   recorded anyloop <- anyloop 20"))
        #expect(text.contains("redact   authorization=same-length\n"))
        #expect(text.contains("> \"Authorization: Basic xxxxxxxx\\r\\n\""))
        #expect(text.contains("< \"hello, world\\n\""))
        #expect(scratch.has("Fixtures-2.wire"))
        #expect(server.terminate() == 0)
    }

    @Test func aServerThatIsNotThereIsSaid() throws {
        let scratch = try Scratch()
        let idle = try Tool.Running(["serve", "hello", "--port", "0"])
        let port = idle.port
        #expect(idle.terminate() == 0)
        let recorder = try Tool.Running([
            "record", "--upstream", "127.0.0.1:\(port)", "--out", "\(scratch.path)/r.wire", "--connections", "1",
        ])
        #expect(try Tool.run(["get", "http://127.0.0.1:\(recorder.port)/"]).status == 1)
        #expect(recorder.wait() == 0)
        #expect(scratch.has("r.wire"))
    }
}
