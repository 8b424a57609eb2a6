import Anyloop
import AnyloopHarness

extension RuleChecks {
    /// Rule 77: what can be written is bytes by its type; each form of it sends the same.
    static func bytesToWrite(_ loop: any TaskLoop, _ findings: inout Findings) throws {
        guard let pair = try LoopedPair(on: loop), let transport = pair.client.transport else {
            return findings.expect(false, LoopedPair.missing)
        }
        let array: ([UInt8]) -> Void = { transport.write($0) }
        let span: (Span<UInt8>) -> Void = { transport.write($0) }
        let pieces: ([[UInt8]]) -> Void = { transport.write(contentsOf: $0) }
        let text = Array("bytes".utf8)
        array(text)
        span(text.span)
        pieces([Array(text[..<2]), [], Array(text[2...])])
        let expected = text + text + text
        let arrived = try loop.turns(until: { pair.server.received.count >= expected.count })
        findings.expect(arrived, "what was written did not arrive within 5 seconds")
        findings.equal("what arrived", pair.server.received, expected)
    }

    /// Rule 79, by every way to write: the reader rests until the writer's memory has changed.
    static func copies(_ loop: any TaskLoop, _ findings: inout Findings) throws {
        guard
            let pair = try LoopedPair(on: loop, prepare: { server, _ in server.startsPaused = true }),
            let transport = pair.client.transport
        else { return findings.expect(false, LoopedPair.missing) }
        let limit = 64
        let chunk = [UInt8](repeating: 0x2E, count: 1 << 20)
        var filled = 0
        while transport.writeBufferSize == 0, filled < limit {
            transport.write(chunk)
            filled += 1
        }
        guard transport.writeBufferSize > 0 else {
            return findings.expect(
                false, "\(limit) MiB went into the kernel's buffers, so that nothing is buffered here")
        }
        let count = 100_000
        var lent = [UInt8](repeating: 0x61, count: count)
        var shared = [UInt8](repeating: 0x62, count: count)
        var pieces = [[UInt8](repeating: 0x63, count: count), [UInt8](repeating: 0x64, count: count)]
        transport.write(lent.span)
        transport.write(shared)
        transport.write(contentsOf: pieces)
        for index in 0..<count {
            lent[index] = 0x21
            shared[index] = 0x21
            pieces[0][index] = 0x21
            pieces[1][index] = 0x21
        }
        pair.server.transport?.resumeReading()
        let total = filled * chunk.count + 4 * count
        let arrived = try loop.turns(until: { pair.server.received.count >= total })
        findings.expect(arrived, "\(pair.server.received.count) of \(total) bytes arrived within 5 seconds")
        let tail = pair.server.received.dropFirst(filled * chunk.count)
        for (number, byte) in [UInt8](0x61...0x64).enumerated() {
            let part = tail.dropFirst(number * count).prefix(count)
            findings.expect(
                part.count == count && part.allSatisfy { $0 == byte },
                "what was written \(["as a span", "as an array", "as the first piece", "as the second piece"][number]) "
                    + "changed with the caller's memory")
        }
    }

    /// Rule 100: with every connection's end, or the loop's, nothing of a dropped transport is left.
    static func droppedTransports(_ provider: LoopProvider, _ findings: inout Findings) throws {
        let before = try OpenDescriptors.count()
        let loop = try taskLoop(provider)
        let count = 20
        var held = WeakList()
        for _ in 0..<count {
            // The server's end is dropped, and goes once the client's has gone.
            guard let pair = try LoopedPair(on: loop) else { return findings.expect(false, LoopedPair.missing) }
            held.append(pair.server)
            held.append(pair.client)
            pair.client.transport?.close()
        }
        findings.expect(try loop.turns(until: { held.count == 0 }), "\(held.count) ends of closed connections are kept")
        findings.expect(try OpenDescriptors.areBack(to: before + 4), "closed connections left descriptors open")
        for number in 0..<count {
            // Both ends are dropped while the connection stands, some that do not even read.
            let pair = try LoopedPair(on: loop, prepare: { server, _ in server.startsPaused = number % 2 == 0 })
            guard let pair else { return findings.expect(false, LoopedPair.missing) }
            held.append(pair.server)
            held.append(pair.client)
        }
        loop.closeLoop()
        findings.equal("ends of connections that a closed loop keeps", held.count, 0)
        findings.expect(try OpenDescriptors.areBack(to: before), "a closed loop's connections left descriptors open")
    }

    /// Rule 103: what the calls return is what the protocols promise, also when asked at run time.
    static func types(_ loop: any TaskLoop, _ findings: inout Findings) throws {
        let anything: Any = loop
        findings.expect(anything is any DescriptorLoop, "the loop is no DescriptorLoop")
        findings.expect(anything is any SignalLoop, "the loop is no SignalLoop")
        findings.expect(anything is any SocketLoop, "the loop is no SocketLoop")
        findings.expect(anything is any ResolvingLoop, "the loop is no ResolvingLoop")
        findings.expect(anything is any SendFileLoop, "the loop is no SendFileLoop")
        findings.expect(anything is any ProcessLoop, "the loop is no ProcessLoop")
        findings.expect(anything is any DebugLoop, "the loop is no DebugLoop")
        let timer: Any = loop.callLater(.seconds(60)) {}
        findings.expect(timer is Handle && timer is TimerHandle, "a timer's handle is no Handle")
        let server: Any = try loop.createServer(on: [.loopback(port: 0)], options: ServerOptions()) { PairEnd() }
        findings.expect(server is any Server, "a server is no Server")
        guard let pair = try LoopedPair(on: loop), let transport = pair.client.transport else {
            return findings.expect(false, LoopedPair.missing)
        }
        findings.expect(transport as Any is any Transport, "a stream transport is no Transport")
        findings.expect(!(transport as Any is any DatagramTransport), "a stream transport is a DatagramTransport")
        findings.expect(transport.streamProtocol === pair.client, "a transport's protocol is another one")
        findings.expect(transport.loop === loop, "a transport's loop is another one")
        let endpoint: Any = try loop.createDatagramEndpoint(
            local: .loopback(port: 0), remote: nil, options: DatagramOptions()
        ) { QuietDatagrams() }
        findings.expect(
            endpoint is any DatagramTransport && endpoint is any Transport, "a datagram endpoint is no Transport")
        findings.expect(!(endpoint is any StreamTransport), "a datagram endpoint is a StreamTransport")
    }
}

private final class QuietDatagrams: DatagramProtocol {
    func datagramReceived(_ data: Span<UInt8>, from address: SocketAddress?) {}
}

/// Objects that nobody is to keep.
private struct WeakList {
    private struct Entry {
        weak var object: AnyObject?
    }

    private var entries: [Entry] = []

    /// How many are still there.
    var count: Int { entries.count { $0.object != nil } }

    mutating func append(_ object: AnyObject) { entries.append(Entry(object: object)) }
}
