import Anyloop
@testable import AnyloopExamples
import Foundation
import Testing

/// The examples of netius, on each of our loops.
@Suite(.serialized) struct NetiusExampleTests {
    /// Runs `serve` on a thread and `use` on this one, with the port that the server printed.
    private func with(
        _ kind: LoopKind, serving serve: @escaping @Sendable (any TaskLoop) throws -> (Any, SocketAddress?),
        _ use: (any TaskLoop, UInt16) throws -> Void
    ) throws -> [String] {
        _ = Console.take()
        let port = Shared<UInt16>()
        let server = Background(kind) { loop in
            let (server, address) = try serve(loop)
            port.set(address?.port ?? 0)
            try withExtendedLifetime(server) { try loop.run() }
        }
        let loop = try kind.make()
        defer { loop.closeLoop() }
        try use(loop, port.wait())
        try server.stop()
        return Console.take()
    }

    @Test(arguments: LoopKind.allCases) func helloOverHTTP(kind: LoopKind) throws {
        let lines = try with(kind) { loop in
            let server = try helloServer(on: loop, port: 0)
            return (server, server.addresses.first)
        } _: { loop, port in
            try getSynchronously("http://127.0.0.1:\(port)/", on: loop)
        }
        #expect(lines == ["Hello World"])
    }

    @Test(arguments: LoopKind.allCases) func helloInPieces(kind: LoopKind) throws {
        let lines = try with(kind) { loop in
            let server = try helloServer(on: loop, port: 0)
            return (server, server.addresses.first)
        } _: { loop, port in
            try getInPieces("http://127.0.0.1:\(port)/", on: loop)
            while Console.lines.isEmpty { try loop.runOnce(timeout: .seconds(10)) }
        }
        #expect(lines == ["Hello World"])
    }

    @Test(arguments: LoopKind.allCases) func filesAreServed(kind: LoopKind) throws {
        let lines = try with(kind) { loop in
            let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            let server = try fileServer(on: loop, root: folder.path, port: 0)
            return (server, server.addresses.first)
        } _: { loop, port in
            try getSynchronously("http://127.0.0.1:\(port)/NetiusExampleTests.swift", on: loop)
        }
        #expect(lines.first?.contains("struct NetiusExampleTests") == true)
    }

    @Test(arguments: LoopKind.allCases) func proxyPassesOn(kind: LoopKind) throws {
        let lines = try with(kind) { loop in
            let upstream = try helloServer(on: loop, port: 0)
            let address = try #require(upstream.addresses.first)
            let proxy = try reverseProxy(on: loop, to: .address(address), port: 0)
            return ([upstream, proxy], proxy.addresses.first)
        } _: { loop, port in
            try getSynchronously("http://127.0.0.1:\(port)/anything", on: loop)
        }
        #expect(lines == ["Hello World"])
    }

    @Test(arguments: LoopKind.allCases) func rawHTTPIsSpoken(kind: LoopKind) throws {
        let lines = try with(kind) { loop in
            let server = try serveHelloHTTP(on: loop, port: 0)
            return (server, server.addresses.first)
        } _: { loop, port in
            try getSynchronously("http://127.0.0.1:\(port)/", on: loop)
        }
        #expect(lines.contains("Hello, world!"))
    }

    @Test(arguments: LoopKind.allCases) func echoAnswersAndTheClientCloses(kind: LoopKind) throws {
        let lines = try with(kind) { loop in
            let server = try serveEcho(on: loop, port: 0)
            return (server, server.addresses.first)
        } _: { loop, port in
            askOnce(on: loop, port: port) {}
            while Console.lines.last != "Closed" { try loop.runOnce(timeout: .seconds(10)) }
        }
        #expect(lines == ["Answer: question", "Closed"])
    }

    @Test(arguments: LoopKind.allCases) func whoCannotConnectIsTold(kind: LoopKind) throws {
        _ = Console.take()
        let loop = try kind.make()
        defer { loop.closeLoop() }
        let server = try serveEcho(on: loop, port: 0)
        let port = server.addresses.first?.port ?? 0
        server.close()
        askOnce(on: loop, port: port) { loop.stop() }
        try loop.run()
        #expect(Console.take().first?.contains("Connection refused") == true)
    }
}
