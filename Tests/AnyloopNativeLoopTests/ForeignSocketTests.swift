import AnyloopCore
import AnyloopNativeLoop
import AnyloopTestHosts
import AnyloopTesting
import CAnyloopSystem
import Foundation
import Testing

/// Servers and endpoints on sockets of the application's, and what servers do at their end.
@Suite struct ForeignSocketTests {
    static let makers: [@Sendable () throws -> any SocketLoop] = [{ try NativeLoop() }, { try CompatLoop() }]

    private func turns(_ loop: any Loop, _ count: Int = 6) throws {
        for _ in 0..<count { try loop.runOnce(timeout: .milliseconds(1)) }
    }

    private func boundSocket(_ kind: Int) throws -> (Int32, anyloop_address) {
        let socket = try RawSocket.check(anyloop_socket(Int32(ANYLOOP_V4), Int32(kind)), "socket")
        var address = RawSocket.loopback(0)
        _ = try RawSocket.check(unsafe anyloop_bind(socket, &address), "bind")
        _ = try RawSocket.check(unsafe anyloop_socket_name(socket, &address), "getsockname")
        return (socket, address)
    }

    @Test("rules 51, 52: a bound socket is served, once it is asked to", arguments: makers)
    func servesDescriptors(_ make: @Sendable () throws -> any SocketLoop) throws {
        let loop = try make()
        defer { loop.closeLoop() }
        let (socket, address) = try boundSocket(Int(ANYLOOP_STREAM))
        var options = ServerOptions()
        options.startServing = false
        options.keepAlive = true
        var made: [RecordingProtocol] = []
        let server = try loop.createServer(descriptors: [socket], options: options) {
            made.append(RecordingProtocol())
            return made[made.count - 1]
        }
        #expect(server.addresses == [.loopback(port: address.port)])
        #expect(!server.isServing)
        let early = try RawSocket.connect(to: address)
        #expect(anyloop_socket_error(early) == 111)
        RawSocket.close(early)
        try server.startServing()
        let peer = try RawSocket.connect(to: address)
        try turns(loop)
        #expect(made.map(\.isOpen) == [true])
        #expect(server.clients.count == 1)
        #expect(throws: TransportError.self) {
            try loop.createServer(descriptors: [socket], options: options) { RecordingProtocol() }
        }
        server.close()
        #expect(server.addresses.isEmpty)
        RawSocket.close(peer)
    }

    @Test("rule 45: what is no stream socket is refused with asyncio's text, and stays the caller's", arguments: makers)
    func refusesOthers(_ make: @Sendable () throws -> any SocketLoop) throws {
        let loop = try make()
        defer { loop.closeLoop() }
        let (datagram, _) = try boundSocket(Int(ANYLOOP_DATAGRAM))
        let (near, far) = try RawSocket.unixPair()
        defer { RawSocket.close(datagram, near, far) }
        let options = ServerOptions()
        let asServer = #expect(throws: TransportError.self) {
            try loop.createServer(descriptors: [datagram], options: options) { RecordingProtocol() }
        }
        #expect(asServer?.description == "A Stream Socket was expected, got <descriptor \(datagram)>")
        let asConnection = #expect(throws: TransportError.self) {
            try loop.adoptConnection(descriptor: datagram) { RecordingProtocol() }
        }
        #expect(asConnection?.description == "A Stream Socket was expected, got <descriptor \(datagram)>")
        let asEndpoint = #expect(throws: TransportError.self) {
            try loop.createDatagramEndpoint(descriptor: near) { RecordingDatagramProtocol() }
        }
        #expect(asEndpoint?.description == "A datagram socket was expected, got <descriptor \(near)>")
        #expect(throws: TransportError.self) {
            try loop.createServer(descriptors: [], options: options) { RecordingProtocol() }
        }
        #expect(anyloop_socket_kind(datagram) == Int32(ANYLOOP_DATAGRAM))
    }

    @Test("rule 114: a datagram socket of the application's sends and receives", arguments: makers)
    func adoptsDatagrams(_ make: @Sendable () throws -> any SocketLoop) throws {
        let loop = try make()
        defer { loop.closeLoop() }
        let (first, firstAddress) = try boundSocket(Int(ANYLOOP_DATAGRAM))
        let (second, secondAddress) = try boundSocket(Int(ANYLOOP_DATAGRAM))
        let receiver = RecordingDatagramProtocol()
        var received: [[UInt8]] = []
        receiver.onDatagram = { _, bytes, address in
            received.append(bytes.indices.map { bytes[$0] })
            #expect(address == .loopback(port: firstAddress.port))
        }
        let near = try loop.createDatagramEndpoint(descriptor: first) { RecordingDatagramProtocol() }
        _ = try loop.createDatagramEndpoint(descriptor: second) { receiver }
        try turns(loop)
        near.send([5, 6].span, to: .loopback(port: secondAddress.port))
        try turns(loop)
        #expect(received == [[5, 6]])
    }

    @Test("rule 60: closing clients flushes them, aborting drops what waits", arguments: makers, [true, false])
    func endsClients(_ make: @Sendable () throws -> any SocketLoop, _ isClosing: Bool) throws {
        let loop = try make()
        defer { loop.closeLoop() }
        let big = [UInt8](repeating: 1, count: 8 << 20)
        let server = try loop.createServer(on: [.loopback(port: 0)], options: ServerOptions()) {
            RecordingProtocol(.made) { _, transport in transport.write(big) }
        }
        let address = RawSocket.loopback(try #require(server.addresses.first?.port))
        let peers = [try RawSocket.connect(to: address), try RawSocket.connect(to: address)]
        defer { for peer in peers { RawSocket.close(peer) } }
        try turns(loop)
        #expect(server.clients.count == 2)
        server.close()
        if isClosing { server.closeClients() } else { server.abortClients() }
        var isOver = false
        server.whenClosed { isOver = true }
        var counts = [0, 0]
        for _ in 0..<100_000 where !isOver {
            for (index, peer) in peers.enumerated() { counts[index] += RawSocket.receive(peer)?.count ?? 0 }
            try loop.runOnce(timeout: .zero)
        }
        for (index, peer) in peers.enumerated() {
            while let bytes = RawSocket.receive(peer), !bytes.isEmpty { counts[index] += bytes.count }
        }
        #expect(isOver)
        #expect(server.clients.isEmpty)
        #expect(counts.map { $0 == big.count } == [isClosing, isClosing])
    }

    @Test("rule 62: a Unix server's file goes with it, unless it is told not to or is another's", arguments: makers)
    func removesFiles(_ make: @Sendable () throws -> any SocketLoop) throws {
        let loop = try make()
        defer { loop.closeLoop() }
        let path = FileManager.default.temporaryDirectory.path + "/anyloop-\(UInt64.random(in: 0 ... .max)).sock"
        defer { RawSocket.unlink(path) }
        var exists: Bool { FileManager.default.fileExists(atPath: path) }
        var options = ServerOptions()
        let first = try loop.createServer(on: [.unix(path: path)], options: options) { RecordingProtocol() }
        #expect(exists)
        first.close()
        #expect(!exists)
        let second = try loop.createServer(on: [.unix(path: path)], options: options) { RecordingProtocol() }
        options.cleanUpSocket = false
        let third = try loop.createServer(on: [.unix(path: path)], options: options) { RecordingProtocol() }
        second.close()
        #expect(exists)
        third.close()
        #expect(exists)
    }

    @Test("rules 104 to 106: a buffered protocol's own buffer is filled", arguments: makers, [1, 4, 100])
    func fillsBuffers(_ make: @Sendable () throws -> any SocketLoop, _ size: Int) throws {
        let loop = try make()
        let (near, far) = try RawSocket.unixPair()
        defer {
            loop.closeLoop()
            RawSocket.close(far)
        }
        let buffered = BufferProtocol(size)
        try loop.adoptConnection(descriptor: near) { buffered }
        _ = RawSocket.send(far, Array(0..<10))
        _ = anyloop_shutdown_write(far)
        try turns(loop, 20)
        #expect(buffered.bytes == Array(0..<10))
        #expect(buffered.pieces.allSatisfy { $0 <= size })
        #expect(Set(buffered.hints) == [-1])
        // One for each receive, the one that found the end too.
        #expect(buffered.hints.count == buffered.pieces.count + 1)
        #expect(buffered.isLost)
        #expect(buffered.error == nil)
    }

    @Test("rule 105: an empty buffer ends the connection", arguments: makers)
    func refusesEmptyBuffers(_ make: @Sendable () throws -> any SocketLoop) throws {
        let loop = try make()
        let (near, far) = try RawSocket.unixPair()
        defer {
            loop.closeLoop()
            RawSocket.close(far)
        }
        var messages: [String] = []
        loop.exceptionHandler = { exception in
            messages.append(exception.message)
            if let error = exception.error { messages.append("\(error)") }
        }
        let buffered = BufferProtocol(0)
        try loop.adoptConnection(descriptor: near) { buffered }
        _ = RawSocket.send(far, [1])
        try turns(loop)
        #expect(
            messages == [
                "Fatal error: protocol.get_buffer() call failed.", "get_buffer() returned an empty buffer",
            ])
        #expect(buffered.isLost)
        #expect(buffered.error != nil)
    }

    @Test("rule 104: elsewhere the bytes are copied into the lent buffers") func copies() throws {
        let buffered = BufferProtocol(4)
        let nine: [UInt8] = [1, 2, 3, 4, 5, 6, 7, 8, 9]
        try buffered.dataReceived(nine.span)
        #expect(buffered.bytes == [1, 2, 3, 4, 5, 6, 7, 8, 9])
        #expect(buffered.pieces == [4, 4, 1])
        #expect(buffered.hints == [9, 5, 1])
        let one: [UInt8] = [1]
        #expect(throws: UsageError.self) { try BufferProtocol(0).dataReceived(one.span) }
    }
}

/// Lends a buffer of its own and notes what comes.
private final class BufferProtocol: BufferedStreamProtocol {
    private var buffer: [UInt8]
    private(set) var bytes: [UInt8] = []
    private(set) var pieces: [Int] = []
    private(set) var hints: [Int] = []
    private(set) var isLost = false
    private(set) var error: TransportError?

    init(_ size: Int) {
        buffer = [UInt8](repeating: 0, count: size)
    }

    func lendBuffer(sizeHint: Int, to receive: (inout MutableSpan<UInt8>) -> Void) {
        hints.append(sizeHint)
        var lent = buffer
        buffer = []
        defer { buffer = lent }
        var span = lent.mutableSpan
        receive(&span)
    }

    func bufferUpdated(_ count: Int) {
        pieces.append(count)
        bytes += buffer[..<count]
    }

    func connectionLost(_ error: TransportError?) {
        isLost = true
        self.error = error
    }
}
