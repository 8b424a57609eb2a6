import AnyloopAgents
import AnyloopCore
import AnyloopTesting
import HTTPTypes
import Testing

/// One server connection over memory, with a clock that stands still.
final class ServerStage {
    let loop = MemoryLoop()
    let service: HTTPService
    let connection: HTTPServerProtocol
    let transport: MemoryTransport
    let peer: MemoryPeer

    init(
        options change: (inout HTTPServerOptions) -> Void,
        handler: @escaping HTTPService.Handler
    ) {
        var options = HTTPServerOptions()
        options.serverName = nil
        options.sendsDate = false
        change(&options)
        service = HTTPService(options: options, handler: handler)
        connection = service.makeProtocol()
        (transport, peer) = MemoryStream.pair(on: loop, connection)
        loop.runUntilIdle()
    }

    convenience init(handler: @escaping HTTPService.Handler) {
        self.init(options: { _ in }, handler: handler)
    }

    convenience init() {
        self.init(handler: sayHello)
    }

    /// Sends `text` in one piece and lets the server work it off.
    func send(_ text: String) {
        peer.send(text)
        loop.runUntilIdle()
    }

    func finish() {
        peer.finish()
        loop.runUntilIdle()
    }

    func advance(_ duration: Duration) {
        loop.advance(by: duration)
    }

    /// What came back since the last call.
    func received() -> String {
        String(decoding: peer.takeReceived(), as: UTF8.self)
    }

    /// The status codes in what came back since the last call.
    func statuses() -> [Int] {
        received().split(separator: "\r\n").filter { $0.hasPrefix("HTTP/1.1 ") }.compactMap {
            Int($0.dropFirst(9).prefix(3))
        }
    }

    var isClosed: Bool { transport.isClosing }

    deinit {
        loop.closeLoop()
    }
}

let get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
let hello = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"

/// A box for what callbacks leave behind.
final class Box<Value> {
    var value: Value
    init(_ value: Value) { self.value = value }
}

func sayHello(_ exchange: HTTPServerExchange) {
    exchange.respond(HTTPResponse(status: .ok), body: Array("hello".utf8))
}

extension HTTPServerExchange {
    /// Answers with what comes, no faster than it is taken.
    func echo() {
        start(HTTPResponse(status: .ok))
        onWritable = { self.resumeBody() }
        readBody { chunk in
            self.write((0..<chunk.count).map { chunk[$0] })
            if !self.isWritable { self.pauseBody() }
        } onEnd: { _ in
            self.finish()
        }
    }
}
