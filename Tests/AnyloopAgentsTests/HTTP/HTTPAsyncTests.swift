import AnyloopAgents
import AnyloopCore
import AnyloopNativeLoop
import AnyloopTesting
import HTTPTypes
import Synchronization
import Testing

/// The async surfaces; a server's over memory: its tasks run on the loop's thread, so everything happens in
/// `runUntilIdle`.
@Suite struct HTTPAsyncTests {
    private func stage(_ handler: @escaping HTTPAsyncHandler) -> (MemoryLoop, MemoryTransport, MemoryPeer, HTTPService)
    {
        var options = HTTPServerOptions()
        options.serverName = nil
        options.sendsDate = false
        let loop = MemoryLoop()
        let service = HTTPService(options: options, asyncHandler: handler)
        let (transport, peer) = MemoryStream.pair(on: loop, service.makeProtocol())
        return (loop, transport, peer, service)
    }

    private func sent(_ peer: MemoryPeer) -> String {
        String(decoding: peer.takeReceived(), as: UTF8.self)
    }

    @Test func answersInATask() {
        let (loop, _, peer, service) = stage { request, _, response in
            try await response.respond(HTTPResponse(status: .ok), body: Array((request.path ?? "").utf8))
        }
        peer.send("GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n")
        loop.runUntilIdle()
        let expected = (1...2).map { "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n/\($0)" }.joined()
        #expect(sent(peer) == expected)
        _ = service
    }

    @Test func readsTheBodyAndItsTrailers() {
        let (loop, _, peer, service) = stage { _, body, response in
            let bytes = try await body.collect(limit: 100)
            let sum = await body.trailers?[.eTag] ?? "none"
            try await response.respond(HTTPResponse(status: .ok), body: bytes + Array(sum.utf8))
        }
        peer.send("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n")
        loop.runUntilIdle()
        #expect(sent(peer) == "HTTP/1.1 100 Continue\r\n\r\n")
        peer.send("1\r\na\r\n1\r\nb\r\n")
        peer.send("0\r\nETag: x\r\n\r\n")
        loop.runUntilIdle()
        #expect(sent(peer) == "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabx")
        _ = service
    }

    @Test(arguments: [(5, "200"), (4, "413")])
    func collectingHasALimit(_ limit: Int, _ status: String) {
        let (loop, _, peer, service) = stage { _, body, response in
            let bytes = try await body.collect(limit: limit)
            try await response.respond(HTTPResponse(status: .ok), body: bytes)
        }
        peer.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello")
        loop.runUntilIdle()
        #expect(sent(peer).dropFirst(9).prefix(3) == status)
        _ = service
    }

    @Test func writesWaitForThePeer() {
        let written = Counter()
        let (loop, _, peer, service) = stage { _, _, response in
            try await response.start(HTTPResponse(status: .ok))
            for _ in 0..<10 {
                try await response.write([UInt8](repeating: 1, count: 40_000))
                _ = written.next()
            }
        }
        peer.stopReading()
        peer.send(get)
        loop.runUntilIdle()
        #expect(written.count == 1, "the second write passed the high watermark and waits")
        peer.resumeReading()
        loop.runUntilIdle()
        #expect(written.count == 10)
        #expect(sent(peer).hasSuffix("\r\n0\r\n\r\n"), "finished on return")
        _ = service
    }

    @Test func readingHoldsTheBodyBack() {
        let gate = Gate()
        let (loop, transport, peer, service) = stage { _, body, response in
            for try await _ in body { await gate.wait() }
            try await response.respond(HTTPResponse(status: .ok))
        }
        peer.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 400000\r\n\r\n")
        for _ in 0..<10 { peer.send([UInt8](repeating: 1, count: 40_000)) }
        loop.runUntilIdle()
        #expect(!transport.isReading)
        gate.open()
        loop.runUntilIdle()
        #expect(sent(peer).hasPrefix("HTTP/1.1 200"))
        _ = service
    }

    @Test func failuresAreAnswered500() {
        for fails in [true, false] {
            let (loop, transport, peer, service) = stage { _, _, _ in
                if fails { throw Failure() }
            }
            peer.send(get)
            loop.runUntilIdle()
            #expect(sent(peer).hasPrefix("HTTP/1.1 500"))
            #expect(!transport.isClosing)
            _ = service
        }
    }

    @Test func aLostConnectionCancelsTheTaskAndBreaksItsWaits() {
        let seen = Mutex<[String]>([])
        let (loop, _, peer, service) = stage { _, body, response in
            do {
                for try await _ in body {}
            } catch {
                seen.withLock { $0.append("\(Task.isCancelled) \(error)") }
            }
            do {
                try await response.respond(HTTPResponse(status: .ok))
            } catch {
                seen.withLock { $0.append("write") }
            }
        }
        peer.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhe")
        loop.runUntilIdle()
        peer.reset()
        loop.runUntilIdle()
        #expect(seen.withLock { $0.count } == 2)
        #expect(seen.withLock { $0.first?.hasPrefix("true the connection was lost") } == true)
        _ = service
    }

    // MARK: The client

    private struct Pieces: AsyncSequence, Sendable {
        let count: Int
        struct AsyncIterator: AsyncIteratorProtocol {
            var left: Int
            mutating func next() async -> [UInt8]? {
                guard left > 0 else { return nil }
                left -= 1
                return [UInt8](repeating: 65, count: 10_000)
            }
        }
        func makeAsyncIterator() -> AsyncIterator { AsyncIterator(left: count) }
    }

    /// Runs `body` in a task on other threads, with an async echo server at `a` on a loop of this thread.
    ///
    /// A loop over memory won't do: its thread is that of its last turn, and a test that awaits between turns changes
    /// threads, so that tasks take themselves to be on the loop's while the next turn runs.
    private func run(_ body: @escaping @Sendable (HTTPClientHandle) async throws -> String) throws -> String {
        let result = Mutex<String?>(nil)
        let loop = try NativeLoop()
        defer { loop.closeLoop() }
        let server = HTTPServer(loop: loop) { request, body, response in
            try await response.start(HTTPResponse(status: .ok))
            for try await chunk in body { try await response.write(chunk) }
            try await response.finish(trailers: [.eTag: request.path ?? ""])
        }
        try server.listen(on: [.loopback(port: 0)])
        let addresses = server.addresses
        loop.resolver = { _, _ in .success(addresses) }
        let client = HTTPClient(loop: loop)
        let handle = client.handle
        let remote = loop.remote
        Task {
            let text: String
            do { text = try await body(handle) } catch { text = "error \(error)" }
            remote.callSoonThreadsafe { result.withLock { $0 = text } }
        }
        var isLate = false
        loop.callLater(.seconds(60)) { isLate = true }
        while !isLate {
            if let text = result.withLock({ $0 }) { return text }
            try loop.runOnce(timeout: nil)
        }
        return "stuck"
    }

    private static let post = HTTPRequest(method: .post, scheme: "http", authority: "a", path: "/x")

    @Test func fetchesFromAnotherThread() throws {
        let text = try run { client in
            let response = try await client.fetch(Self.post, body: .bytes(Array("hello".utf8)))
            return "\(response.head.status.code) " + String(decoding: response.body, as: UTF8.self)
                + (response.trailers?[.eTag] ?? "")
        }
        #expect(text == "200 hello/x")
    }

    @Test func streamsBothWays() throws {
        let text = try run { client in
            let response = try await client.send(Self.post, uploading: Pieces(count: 100))
            var size = 0
            for try await chunk in response.body { size += chunk.count }
            return "\(size)"
        }
        #expect(text == "1000000")
    }

    @Test(arguments: [(5, "5"), (4, "error the body is greater than 4 bytes; raise the limit")])
    func fetchingHasALimit(_ limit: Int, _ result: String) throws {
        let text = try run { client in
            let response = try await client.fetch(Self.post, body: .bytes(Array("hello".utf8)), limit: limit)
            return "\(response.body.count)"
        }
        #expect(text == result)
    }

    @Test func lettingGoOfAResponseFreesItsConnection() throws {
        let text = try run { client in
            for _ in 0..<20 {
                let response = try await client.send(Self.post, uploading: Pieces(count: 100))
                guard response.head.status == .ok else { return "refused" }
            }
            return "done"
        }
        #expect(text == "done", "more than there are connections to a host")
    }

    @Test func cancellingTheTaskCancelsTheRequest() throws {
        let text = try run { client in
            let task = Task { try await client.fetch(Self.post, body: .bytes([1])) }
            task.cancel()
            do {
                _ = try await task.value
                return "answered"
            } catch {
                return "\(error)"
            }
        }
        #expect(text == "the request was cancelled")
    }
}

/// A gate that tasks wait at until it is opened.
final class Gate: Sendable {
    private let state = Mutex<(isOpen: Bool, waiting: [CheckedContinuation<Void, Never>])>((false, []))

    func wait() async {
        await withCheckedContinuation { continuation in
            let isOpen = state.withLock { state in
                if !state.isOpen { state.waiting.append(continuation) }
                return state.isOpen
            }
            if isOpen { continuation.resume() }
        }
    }

    func open() {
        let waiting = state.withLock { state in
            defer { state = (true, []) }
            return state.waiting
        }
        for continuation in waiting { continuation.resume() }
    }
}
