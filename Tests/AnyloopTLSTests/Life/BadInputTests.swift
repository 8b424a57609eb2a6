import AnyloopCore
import AnyloopNativeLoop
import AnyloopTesting
import CAnyloopTLS
import Foundation
import Testing

@testable import AnyloopTLS

/// Handshakes that go wrong at every byte, and input that is no TLS.
@Suite(.serialized) struct BadInputTests {
    static let setups = TLSSetup.all.filter { $0.layers == 1 }

    /// Whatever goes wrong at whatever byte: an end by the deadline, with an error that says what it was.
    @Test(arguments: setups, BrokenHandshake.Fault.allCases)
    func everyByte(_ setup: TLSSetup, _ fault: BrokenHandshake.Fault) throws {
        let loop = MemoryLoop()
        let connections = anyloop_tls_connection_count()
        var place = 0
        while true {
            let broken = BrokenHandshake(setup: setup, fault: fault, place: place, bit: UInt8(place % 8))
            let outcome = try broken.run(on: loop)
            guard outcome.isBroken else { break }
            judge(outcome, fault, "\(setup) \(fault) at \(place)")
            place += 1
        }
        #expect(place > 200, "a handshake has more bytes than \(place)")
        loop.reset()
        #expect(anyloop_tls_connection_count() == connections, "connections are leaked")
    }

    private func judge(_ outcome: BrokenHandshake.Outcome, _ fault: BrokenHandshake.Fault, _ what: String) {
        #expect(outcome.isOver, "\(what): the transport below is open")
        guard let result = outcome.result else {
            Issue.record("\(what): nobody was told by the deadline")
            return
        }
        // A server's tickets come when it is through.
        if case .success = result { return }
        #expect(outcome.recorder.trace.all.isEmpty, "\(what): the protocol heard \(outcome.recorder.trace.all)")
        switch (fault, outcome.failure) {
        case (.stall, .timedOut):
            #expect(outcome.duration == BrokenHandshake.timeout, "\(what): timed out after \(outcome.duration)")
        case (.finish, .tls(let error)): #expect(error.kind == .truncated, "\(what): \(error)")
        case (.reset, .system(let error)): #expect(error.errno == 104, "\(what): \(error)")
        case (.flip, .tls(let error)):
            #expect(error.kind != .internal && error.kind != .configuration, "\(what): \(error)")
        case (.flip, .timedOut):
            #expect(outcome.duration == BrokenHandshake.timeout, "\(what): timed out after \(outcome.duration)")
        default: Issue.record("\(what): \(outcome.failure as Any)")
        }
    }

    /// Handshakes broken at random bytes leave nothing behind: no connection, no context, no memory.
    ///
    /// 2,000 of them; `ANYLOOP_TLS_HANDSHAKES` asks for another number and prints what the memory did.
    @Test func nothingIsLeaked() throws {
        let asked = ProcessInfo.processInfo.environment["ANYLOOP_TLS_HANDSHAKES"].flatMap { Int($0) }
        let count = asked ?? 2000
        let loop = MemoryLoop()
        for setup in Self.setups { _ = try setup.contexts() }
        let before = (anyloop_tls_connection_count(), anyloop_tls_context_count())
        var random = SplitMix(seed: 4)
        var counts: [String: Int] = [:]
        var middle = 0
        for index in 0..<count {
            let setup = Self.setups[index % Self.setups.count]
            let fault = BrokenHandshake.Fault.allCases[Int(random.next() % 4)]
            let outcome = try BrokenHandshake(
                setup: setup, fault: fault, place: Int(random.next() % 1200), bit: UInt8(random.next() % 8)
            ).run(on: loop)
            #expect(outcome.isOver && outcome.result != nil)
            counts["\(fault) \(outcome.failure == nil ? "late" : "failed")", default: 0] += 1
            if index == count / 2 { middle = try residentBytes() }
            if asked != nil, index % max(1, count / 10) == 0 { print(index, try residentBytes() >> 10, "KiB") }
        }
        loop.reset()
        let growth = try residentBytes() - middle
        if asked != nil { print(count, try residentBytes() >> 10, "KiB", counts.sorted { $0.key < $1.key }) }
        #expect(anyloop_tls_connection_count() == before.0)
        #expect(anyloop_tls_context_count() == before.1)
        #expect(growth < 4 << 20, "\(growth) bytes more after the second half")
    }

    /// What cannot be TLS, with what it has to be told from.
    static let noise: [(String, [UInt8], Set<TLSError.Kind>)] = [
        ("an HTTP request", Array("GET / HTTP/1.1\r\nHost: a\r\n\r\n".utf8), [.plainText]),
        ("a POST", Array("POST / HTTP/1.1\r\nHost: a\r\n\r\n".utf8), [.plainText]),
        ("a request for a proxy", Array("CONNECT a:443 HTTP/1.1\r\n\r\n".utf8), [.plainText]),
        ("SMTP", Array("EHLO example.com\r\n".utf8), [.plainText, .malformed, .noCommonVersion]),
        ("SSH", Array("SSH-2.0-OpenSSH_9.6\r\n".utf8), [.plainText, .malformed, .noCommonVersion]),
        ("zeros", [UInt8](repeating: 0, count: 64), [.plainText, .malformed, .noCommonVersion]),
        ("a record too long", [22, 3, 1, 0x41, 0x01] + [UInt8](repeating: 1, count: 0x4101), [.malformed]),
        ("an empty handshake message", [22, 3, 1, 0, 4, 99, 0, 0, 0], [.malformed]),
        ("an empty ClientHello", [22, 3, 1, 0, 4, 1, 0, 0, 0], [.malformed]),
        ("a huge handshake message", [22, 3, 1, 0, 4, 1, 0xFF, 0xFF, 0xFF], [.malformed]),
        ("data before the handshake", [23, 3, 3, 0, 1, 0], [.malformed]),
        ("empty records", (0..<200).flatMap { _ in [22, 3, 3, 0, 0] as [UInt8] }, [.malformed]),
        ("warnings", (0..<200).flatMap { _ in [21, 3, 3, 0, 2, 1, 90] as [UInt8] }, [.malformed, .alert(90)]),
        ("an alert", [21, 3, 3, 0, 2, 2, 40], [.alert(40), .malformed]),
    ]

    @Test(arguments: LifeSetup.all, noise.indices) func noiseIsTold(_ setup: LifeSetup, _ index: Int) throws {
        let (name, bytes, kinds) = Self.noise[index]
        let scene = try TLSScene(setup)
        scene.carries = false
        try scene.settle(2)
        scene.raw.send(bytes)
        scene.raw.finish()
        try scene.wait("the failure") { scene.handshake != nil }
        let told = scene.tlsFailure
        let isTold = told.map { kinds.contains($0) || $0 == .malformed && setup.tls.side == .client } ?? false
        #expect(isTold || told == .plainText, "\(name): \(scene.failure as Any)")
        try scene.wait("the end") { scene.connection.phase == .over && scene.raw.end != nil }
        #expect(scene.recorder.trace.all.isEmpty)
    }

    /// Random bytes, after nothing and after an honest beginning.
    @Test(arguments: LifeSetup.memory) func garbage(_ setup: LifeSetup) throws {
        var random = SplitMix(seed: 7)
        for round in 0..<300 {
            var options = TLSConnectionOptions()
            options.handshakeTimeout = .seconds(1)
            let scene = try TLSScene(setup, options: options)
            scene.carries = false
            try scene.settle(2)
            let honest = scene.far.takeOutput()
            let part = round % 3 == 0 ? 0 : Int(random.next() % UInt64(honest.count + 1))
            let count = 1 + Int(random.next() % 3000)
            scene.raw.send(honest[..<part] + (0..<count).map { _ in UInt8(truncatingIfNeeded: random.next()) })
            let start = scene.loop.now
            while scene.handshake == nil, scene.loop.now <= start + .seconds(2) {
                try scene.loop.runOnce(timeout: .milliseconds(100))
            }
            switch scene.failure {
            case .tls(let error)?: #expect(error.kind != .internal, "round \(round): \(error)")
            case .timedOut?: break
            default: Issue.record("round \(round): \(scene.handshake as Any)")
            }
            #expect(scene.recorder.trace.all.isEmpty)
        }
    }

    /// Records damaged after the handshake end the connection with an error, and an alert for the peer.
    @Test(arguments: LifeSetup.memory) func damagedRecords(_ setup: LifeSetup) throws {
        var place = 0
        var total = 1
        while place < total {
            let scene = try TLSScene(setup)
            try scene.open()
            try scene.settle()
            scene.carries = false
            scene.say([1, 2, 3])
            var bytes = scene.far.takeOutput()
            total = bytes.count
            bytes[place] ^= 1 << UInt8(place % 8)
            scene.raw.send(bytes)
            scene.raw.finish()
            try scene.waitForLost()
            let kind = scene.lostKind
            #expect(
                kind == .malformed || kind == .truncated || kind == .noCommonVersion, "byte \(place): \(kind as Any)")
            #expect(scene.recorder.byteCount == 0, "byte \(place): damaged bytes were delivered")
            #expect(scene.recorder.count(.eof) == 0)
            place += 1
        }
        #expect(total > 20)
    }

    /// While a hundred others break off, an honest connection is served, and so is the next.
    @Test(arguments: [LifeSetup.Below.native, .compat, .nio]) func othersAreUnharmed(_ below: LifeSetup.Below) throws {
        let setup = LifeSetup(below: below, tls: TLSSetup(side: .server))
        let host = try setup.host()
        defer { host.tearDown() }
        let loop = host.loop
        let contexts = try setup.tls.contexts()
        var failures: [TransportError] = []
        let echo = RecordingProtocol()
        echo.onData = { transport, bytes in transport.write(bytes) }
        var made = 0
        let server = try loop.createServer(
            on: [.loopback(port: 0)], tls: contexts.server,
            handshakeFailed: { _, error in failures.append(error) }
        ) {
            made += 1
            return made == 1 ? echo : RecordingProtocol()
        }
        let address = try #require(server.addresses.first)
        let client = RecordingProtocol()
        loop.createConnection(to: .address(address), tls: contexts.client, serverName: "localhost") {
            client
        } completion: { _ in
        }
        func spin(_ what: String, _ isDone: () -> Bool) throws {
            let end = ContinuousClock.now + .seconds(20)
            while !isDone() {
                try #require(ContinuousClock.now < end, "waited in vain for \(what)")
                try loop.runOnce(timeout: .milliseconds(10))
            }
        }
        try spin("the honest one") { client.isOpen && echo.isOpen }
        // SwiftNIO's loop takes a descriptor when it first looks without waiting.
        try loop.runOnce(timeout: .zero)
        let descriptors = try openDescriptors()
        for round in 0..<100 {
            let engine = try TLSEngine(client: contexts.client, serverName: "localhost")
            _ = engine.handshake()
            var hello: [UInt8] = []
            engine.takeOutput { hello = $0.copied }
            hello[(round * 37) % hello.count] ^= 0x40
            let part = Array(hello.prefix(1 + round * 3))
            let bad = RecordingProtocol(.made) { _, transport in
                transport.write(part)
                if round % 3 == 0 { transport.reset() } else { transport.close() }
            }
            loop.createConnection(to: .address(address), options: ConnectOptions()) {
                bad
            } completion: { _ in
            }
            client.transport?.write([UInt8(round)])
            try spin("the echo") { client.byteCount == round + 1 }
        }
        try spin("the failures") { failures.count == 100 && server.connectionCount == 1 }
        // The last clients' own ends close in a turn of their own.
        try spin("the descriptors") { (try? openDescriptors()) == descriptors }
        #expect(client.isOpen && echo.isOpen)
        server.close()
    }

    private func openDescriptors() throws -> Int {
        try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count
    }
}

/// Random numbers that are the same each time (SplitMix64).
struct SplitMix {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = (state ^ (state >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}
