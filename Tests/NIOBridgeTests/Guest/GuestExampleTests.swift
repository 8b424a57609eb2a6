import AnyloopCore
import AnyloopNativeLoop
import NIOBridge
import NIOCore
import NIOPosix
import Testing

/// What Documentation/nio.md shows of our protocols on SwiftNIO's loop.
@Suite struct GuestExampleTests {
    @Test func aServerOnALoopOfItsOwn() throws {
        // begin: nio-guest
        let loop = try NIOLoop()
        let server = try loop.createServer(on: [.loopback(port: 0)], options: ServerOptions()) {
            Shout()
        }
        // end: nio-guest
        #expect(server.isServing)
        let answer = try askOnce(loop, server.addresses[0])
        #expect(answer == "HELLO")
    }

    @Test func aServerOnALoopOfSwiftNIOs() throws {
        // begin: nio-attached
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let port = try group.next().submit {
            let loop = try NIOLoop(on: group.next())
            let server = try loop.createServer(on: [.loopback(port: 0)], options: ServerOptions()) {
                Shout()
            }
            return server.addresses[0].port
        }.wait()
        // end: nio-attached
        #expect(port != nil)
        try group.syncShutdownGracefully()
    }

    /// Says hello to `address` on the same loop, and what came back.
    private func askOnce(_ loop: NIOLoop, _ address: AnyloopCore.SocketAddress) throws -> String {
        var answer = ""
        loop.createConnection(
            to: .address(address), options: ConnectOptions(),
            protocolFactory: {
                Question { text in
                    answer = text
                    loop.stop()
                }
            }, completion: { _ in })
        // begin: nio-guest-run
        try loop.run()
        loop.closeLoop()
        // end: nio-guest-run
        return answer
    }
}

// begin: nio-guest-protocol
final class Shout: StreamProtocol {
    private var transport: (any StreamTransport)?

    func connectionMade(_ transport: any StreamTransport) { self.transport = transport }

    func dataReceived(_ data: Span<UInt8>) {
        var shouted: [UInt8] = []
        for index in data.indices {
            shouted.append((0x61...0x7A).contains(data[index]) ? data[index] - 32 : data[index])
        }
        transport?.write(shouted)
    }
}
// end: nio-guest-protocol

private final class Question: StreamProtocol {
    private let answered: (String) -> Void

    init(_ answered: @escaping (String) -> Void) {
        self.answered = answered
    }

    func connectionMade(_ transport: any StreamTransport) { transport.write(Array("hello".utf8)) }

    func dataReceived(_ data: Span<UInt8>) {
        answered(String(decoding: data.indices.map { data[$0] }, as: UTF8.self))
    }
}
