import AnyloopCore
import CAnyloopTLS
import Testing

@testable import AnyloopTLS
@testable import AnyloopTesting

/// What the peer may say besides data once the handshake is over.
@Suite struct AfterHandshakeTests {
    static func setups(_ version: TLSVersion) -> [LifeSetup] { LifeSetup.all.filter { $0.tls.version == version } }

    static let limit = Int(ANYLOOP_TLS_MESSAGE_LIMIT)

    /// New keys, with and without ours changed too, between data both ways.
    @Test(arguments: setups(.v1_3)) func keysAreUpdated(_ setup: LifeSetup) throws {
        let scene = try TLSScene(setup)
        try scene.open()
        try scene.settle()
        var expected: [UInt8] = []
        for round in 0..<200 {
            #expect(scene.far.engine.updateKey(asksPeer: round % 2 == 0))
            let bytes = pattern(1 + round * 13)
            scene.say(bytes)
            scene.connection.write(bytes)
            expected += bytes
            try scene.settle(2)
        }
        try scene.wait("the data both ways") {
            scene.recorder.byteCount == expected.count && scene.far.received.count == expected.count
        }
        #expect(scene.recorder.trace.bytes == expected)
        #expect(scene.far.received == expected)
    }

    /// A flood of them without data ends the connection at a named limit, and costs no memory: answers are one.
    @Test(arguments: setups(.v1_3), [true, false]) func keyUpdatesAreBounded(_ setup: LifeSetup, _ asks: Bool) throws {
        for count in [Self.limit, Self.limit + 1] {
            let scene = try TLSScene(setup)
            try scene.open()
            scene.say([0])
            try scene.wait("a byte") { scene.recorder.byteCount == 1 }
            scene.carries = false
            for _ in 0..<count {
                #expect(scene.far.engine.updateKey(asksPeer: asks))
                let bytes = scene.far.takeOutput()
                scene.raw.send(bytes)
                try scene.host.step()
            }
            try scene.settle()
            #expect(scene.connection.writeBufferSize == 0)
            if count == Self.limit {
                scene.say([1, 2, 3])
                scene.raw.send(scene.far.takeOutput())
                try scene.wait("the data") { scene.recorder.byteCount == 4 }
            } else {
                try scene.waitForLost()
                #expect(scene.lostKind == .malformed)
            }
        }
    }

    /// Refused with a warning, and we go on (RFC 5246 §7.2.2, `no_renegotiation`); OpenSSL as the peer does not.
    @Test(arguments: setups(.v1_2)) func renegotiationIsRefused(_ setup: LifeSetup) throws {
        let scene = try TLSScene(setup)
        try scene.open()
        try scene.settle()
        #expect(scene.far.engine.renegotiate())
        _ = scene.far.engine.handshake()
        let asked = scene.far.takeOutput()
        #expect(!asked.isEmpty)
        scene.carries = false
        scene.raw.send(asked)
        try scene.wait("the refusal") { scene.far.error != nil }
        #expect(scene.far.error?.reason == "NO_RENEGOTIATION")
        #expect(scene.recorder.trace.all == [.made], "it ended, or something was delivered")
        #expect(scene.connection.phase == .open)
        scene.carries = true
        try scene.waitForLost()
        #expect(scene.lostKind == .alert(40))
    }

    /// An open connection waits as long as it has to.
    @Test(arguments: LifeSetup.all) func silenceIsNoEnd(_ setup: LifeSetup) throws {
        let scene = try TLSScene(setup)
        try scene.open()
        try scene.settle(30)
        #expect(scene.recorder.isOpen)
        #expect(scene.connection.timer == nil, "an idle connection has a timer")
    }
}
