import AnyloopAsync
import AnyloopCore
import AnyloopSystem
import AnyloopTestHosts
import AnyloopTesting
import CAnyloopSystem
import Testing

@testable import AnyloopNativeLoop

/// asyncio's `sock_*` functions, on both loops.
@Suite struct SocketTests {
    typealias SocketsLoop = DescriptorLoop & TaskLoop & DebugLoop & SocketLoop

    static let makers: [@Sendable () throws -> any SocketsLoop] = [{ try NativeLoop() }, { try CompatLoop() }]

    /// Runs `body` on a new loop with the two ends of a Unix stream.
    private func withPair(
        _ make: @Sendable () throws -> any SocketsLoop,
        _ body: @escaping (any SocketsLoop, Int32, Int32) async throws -> Void
    ) throws {
        let loop = try make()
        let (near, far) = try RawSocket.unixPair()
        defer {
            loop.closeLoop()
            RawSocket.close(near, far)
        }
        try loop.runUntilComplete { try await body(loop, near, far) }
    }

    @Test("rule 41: what is there is received at once, without a turn", arguments: makers)
    func receivesAtOnce(_ make: @Sendable () throws -> any SocketsLoop) throws {
        try withPair(make) { loop, near, far in
            var turns = 0
            loop.callSoon { turns += 1 }
            _ = RawSocket.send(far, Array("hello".utf8))
            #expect(try await loop.sockRecv(near, 3) == Array("hel".utf8))
            var buffer = [UInt8](repeating: 0, count: 4)
            let count2 = try await loop.sockRecvInto(near, &buffer)
            #expect(count2 == 2)
            #expect(buffer == Array("lo".utf8) + [0, 0])
            #expect(turns == 0)
        }
    }

    @Test("rule 41: what comes later is waited for, and the end of the stream is empty", arguments: makers)
    func waits(_ make: @Sendable () throws -> any SocketsLoop) throws {
        try withPair(make) { loop, near, far in
            loop.callSoon { _ = RawSocket.send(far, [7]) }
            #expect(try await loop.sockRecv(near, 10) == [7])
            loop.callSoon { _ = anyloop_shutdown_write(far) }
            #expect(try await loop.sockRecv(near, 10) == [])
            var buffer: [UInt8] = [1, 2]
            let count0 = try await loop.sockRecvInto(near, &buffer)
            #expect(count0 == 0)
            #expect(buffer == [1, 2])
            #expect(try !loop.removeReader(near))
        }
    }

    @Test("rule 41: a cancelled receive stops watching and loses no byte", arguments: makers)
    func cancelled(_ make: @Sendable () throws -> any SocketsLoop) throws {
        try withPair(make) { loop, near, far in
            let bound = LoopBound(loop, to: loop.remote)
            let task = Task(executorPreference: loop.loopTaskExecutor) {
                do {
                    _ = try await bound.value.sockRecv(near, 10)
                    return "received"
                } catch { return "\(error)" }
            }
            try await loop.sleep(for: .milliseconds(5))
            task.cancel()
            _ = RawSocket.send(far, [1, 2, 3])
            #expect(await task.value == "cancelled")
            #expect(try !loop.removeReader(near))
            #expect(try await loop.sockRecv(near, 10) == [1, 2, 3])
        }
    }

    @Test("rule 42: all is sent, more than the socket holds and nothing at all", arguments: makers, [0, 1, 3_000_000])
    func sendsAll(_ make: @Sendable () throws -> any SocketsLoop, _ count: Int) throws {
        try withPair(make) { loop, near, far in
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31) }
            var received: [UInt8] = []
            try loop.addReader(far) { received += RawSocket.receive(far) ?? [] }
            try await loop.sockSendAll(near, bytes)
            while received.count < count { try await loop.sleep(for: .zero) }
            #expect(received == bytes)
            #expect(try !loop.removeWriter(near))
            try loop.removeReader(far)
        }
    }

    @Test("rule 40: a socket that blocks is refused in debug mode only", arguments: makers)
    func blocking(_ make: @Sendable () throws -> any SocketsLoop) throws {
        let loop = try make()
        defer { loop.closeLoop() }
        // Standard input blocks or not, a plain file always does.
        let file = try TemporaryFile.make([1, 2, 3])
        defer { RawSocket.close(file) }
        try loop.runUntilComplete {
            loop.isDebug = true
            let refusal = await #expect(throws: TransportError.self) { try await loop.sockRecv(file, 1) }
            #expect(refusal?.description == "the socket must be non-blocking")
            loop.isDebug = false
            // 88: not a socket, says the system.
            let failure = await #expect(throws: TransportError.self) { try await loop.sockRecv(file, 1) }
            #expect(failure?.errno == 88)
            await #expect(throws: TransportError.self) { try await loop.sockRecv(file, 0) }
        }
    }

    @Test("rule 36: a transport's descriptor is refused once one has to wait", arguments: makers)
    func transports(_ make: @Sendable () throws -> any SocketsLoop) throws {
        let loop = try make()
        let (near, far) = try RawSocket.unixPair()
        defer {
            loop.closeLoop()
            RawSocket.close(far)
        }
        try loop.runUntilComplete {
            try loop.adoptConnection(descriptor: near) { RecordingProtocol() }
            let error = await #expect(throws: TransportError.self) { try await loop.sockRecv(near, 1) }
            #expect(error?.description.hasPrefix("File descriptor \(near) is used by transport") == true)
        }
    }

    @Test("rules 40, 43: a name is resolved and connected to, accepted, and refused with its errno", arguments: makers)
    func connects(_ make: @Sendable () throws -> any SocketsLoop) throws {
        let loop = try make()
        defer { loop.closeLoop() }
        let (listener, address) = try RawSocket.listener()
        try loop.runUntilComplete {
            for endpoint in [Endpoint.host("localhost", port: address.port), .address(.loopback(port: address.port))] {
                let near = anyloop_socket(Int32(ANYLOOP_V4), Int32(ANYLOOP_STREAM))
                try await loop.sockConnect(near, to: endpoint)
                let (far, peer) = try await loop.sockAccept(listener)
                #expect(peer == SocketAddress.bound(near))
                #expect(anyloop_is_non_blocking(far) == 1)
                RawSocket.close(near, far)
            }
            RawSocket.close(listener)
            let near = anyloop_socket(Int32(ANYLOOP_V4), Int32(ANYLOOP_STREAM))
            let error = await #expect(throws: TransportError.self) {
                try await loop.sockConnect(near, to: .address(.loopback(port: address.port)))
            }
            #expect(error?.errno == 111)
            #expect(error?.description.contains("Connect call failed 127.0.0.1:\(address.port)") == true)
            RawSocket.close(near)
        }
    }

    @Test("rule 40: datagrams are sent to an address and received from one", arguments: makers)
    func datagrams(_ make: @Sendable () throws -> any SocketsLoop) throws {
        let loop = try make()
        let sockets = (0..<2).map { _ in anyloop_socket(Int32(ANYLOOP_V4), Int32(ANYLOOP_DATAGRAM)) }
        defer {
            loop.closeLoop()
            RawSocket.close(sockets[0], sockets[1])
        }
        for socket in sockets {
            var address = RawSocket.loopback(0)
            _ = try RawSocket.check(unsafe anyloop_bind(socket, &address), "bind")
        }
        let target = try #require(SocketAddress.bound(sockets[1]))
        try loop.runUntilComplete {
            #expect(try await loop.sockSendTo(sockets[0], [1, 2, 3], to: target) == 3)
            let (bytes, sender) = try await loop.sockRecvFrom(sockets[1], 2)
            #expect(bytes == [1, 2])
            #expect(sender == SocketAddress.bound(sockets[0]))
            loop.callSoon {
                _ = unsafe [UInt8]([9]).withUnsafeBytes {
                    var packed = RawSocket.loopback(target.port ?? 0)
                    return unsafe anyloop_send_to(sockets[0], $0.baseAddress, $0.count, &packed)
                }
            }
            var buffer = [UInt8](repeating: 0, count: 2)
            let (count, _) = try await loop.sockRecvFromInto(sockets[1], &buffer)
            #expect(count == 1)
            #expect(buffer == [9, 0])
        }
    }

    @Test(
        "rule 44: a file is sent, whole or in part, and its position is behind what was sent", arguments: makers,
        [(offset: 0, count: nil), (100, nil), (100, 50), (600_000, 1), (0, 1_000_000)] as [(offset: Int64, count: Int?)]
    )
    func sendsFiles(
        _ make: @Sendable () throws -> any SocketsLoop, _ part: (offset: Int64, count: Int?)
    ) throws {
        let bytes = (0..<600_000).map { UInt8(truncatingIfNeeded: $0 / 7) }
        let file = try TemporaryFile.make(bytes)
        defer { RawSocket.close(file) }
        let expected = bytes.dropFirst(Int(part.offset)).prefix(part.count ?? .max)
        try withPair(make) { loop, near, far in
            var received: [UInt8] = []
            try loop.addReader(far) { received += RawSocket.receive(far) ?? [] }
            let sent = try await loop.sockSendFile(near, file: file, offset: part.offset, count: part.count)
            #expect(sent == expected.count)
            while received.count < sent { try await loop.sleep(for: .zero) }
            #expect(received.elementsEqual(expected))
            try loop.removeReader(far)
            var rest = [UInt8](repeating: 0, count: 1)
            if sent > 0, Int(part.offset) + sent < bytes.count {
                // As read(2) goes on from the file's position.
                let next = bytes[Int(part.offset) + sent]
                let count = unsafe rest.withUnsafeMutableBytes { unsafe anyloop_pipe_read(file, $0.baseAddress, 1) }
                #expect(count == 1)
                #expect(rest[0] == next)
            }
        }
    }

    @Test("rule 44: a pipe is no file for the kernel: refused without the fallback, read with it", arguments: makers)
    func sendsPipes(_ make: @Sendable () throws -> any SocketsLoop) throws {
        try withPair(make) { loop, near, far in
            let (reader, writer) = try RawSocket.unixPair()
            _ = RawSocket.send(writer, [1, 2, 3])
            RawSocket.close(writer)
            let error = await #expect(throws: TransportError.self) {
                try await loop.sockSendFile(near, file: reader, count: 10, fallback: false)
            }
            #expect(error?.description == "os.sendfile call failed")
            #expect(try await loop.sockSendFile(near, file: reader, count: 10) == 3)
            #expect(RawSocket.receive(far) == [1, 2, 3])
            RawSocket.close(reader)
        }
    }

    @Test(
        "rule 44: asyncio's complaints about arguments", arguments: makers,
        [
            (0, 0, "count must be a positive integer (got 0)"), (0, -1, "count must be a positive integer (got -1)"),
            (-1, 1, "offset must be a non-negative integer (got -1)"),
        ] as [(Int64, Int, String)])
    func fileArguments(_ make: @Sendable () throws -> any SocketsLoop, _ row: (Int64, Int, String)) throws {
        try withPair(make) { loop, near, _ in
            let error = await #expect(throws: TransportError.self) {
                try await loop.sockSendFile(near, file: 0, offset: row.0, count: row.1)
            }
            #expect(error?.description == row.2)
            let datagram = anyloop_socket(Int32(ANYLOOP_V4), Int32(ANYLOOP_DATAGRAM))
            let refusal = await #expect(throws: TransportError.self) {
                try await loop.sockSendFile(datagram, file: 0)
            }
            #expect(refusal?.description == "only SOCK_STREAM type sockets are supported")
            RawSocket.close(datagram)
        }
    }

    @Test("rule 39: names of addresses and addresses of names, by family, kind and flags", arguments: makers)
    func names(_ make: @Sendable () throws -> any SocketsLoop) throws {
        let loop = try make()
        defer { loop.closeLoop() }
        try loop.runUntilComplete {
            let address = SocketAddress.loopback(port: 80)
            let (host, service) = try await loop.getnameinfo(address, flags: [.numericHost, .numericService])
            #expect(host == "127.0.0.1")
            #expect(service == "80")
            var query = AddressQuery(host: "127.0.0.1", port: 80)
            #expect(try await loop.getaddrinfo(query).map(\.address) == [address])
            query.kind = nil
            #expect(try await Set(loop.getaddrinfo(query).map(\.kind)).isSuperset(of: [.stream, .datagram]))
            query.family = .v6
            query.flags = .numericHost
            let error = await #expect(throws: TransportError.self) { try await loop.getaddrinfo(query) }
            guard case .resolution = error else {
                Issue.record("unexpected \(String(describing: error))")
                return
            }
            query = AddressQuery(host: nil, port: 7)
            query.family = .v4
            query.flags = .passive
            #expect(try await loop.getaddrinfo(query).map(\.address) == [.any(port: 7)])
            await #expect(throws: TransportError.self) {
                try await loop.getaddrinfo(AddressQuery(host: "a\0b", port: 7))
            }
            await #expect(throws: TransportError.self) { try await loop.getnameinfo(.unix(path: "x")) }
        }
    }
}
