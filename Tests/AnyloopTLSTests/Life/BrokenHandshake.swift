import AnyloopCore
import AnyloopTesting
import CAnyloopTLS
import Foundation
import Testing

@testable import AnyloopTLS

/// A handshake in memory of which one byte, and what follows it, goes wrong.
struct BrokenHandshake {
    /// What becomes of the byte that is next.
    enum Fault: CaseIterable {
        /// It never comes.
        case stall
        /// The connection ends before it.
        case finish
        /// The connection is reset before it.
        case reset
        /// It comes with a bit changed.
        case flip
    }

    /// What came of it.
    struct Outcome {
        let result: Result<any StreamTransport, TransportError>?
        let recorder: RecordingProtocol
        /// Whether the fault's place was reached.
        let isBroken: Bool
        /// How long the attempt took on the loop's clock.
        let duration: Duration
        /// Whether the transport below has ended.
        let isOver: Bool

        var failure: TransportError? { if case .failure(let error)? = result { error } else { nil } }
    }

    let setup: TLSSetup
    let fault: Fault
    /// The place of the byte among all that the peer says.
    let place: Int
    var bit: UInt8 = 0

    static let timeout = Duration.seconds(5)

    /// Plays it on `loop`, which is fit for the next one afterwards.
    func run(on loop: MemoryLoop) throws -> Outcome {
        loop.reset()
        let recorder = RecordingProtocol()
        var result: Result<any StreamTransport, TransportError>?
        var options = TLSConnectionOptions()
        options.handshakeTimeout = Self.timeout
        let near = try setup.near(loop, recorder, options: options, handshake: { result = $0 })
        let far = EngineSide(try setup.farEngine())
        let peer = MemoryStream.pair(on: loop, near).peer
        far.advance()
        try loop.runOnce(timeout: .zero)
        let start = loop.now
        var count = 0
        var isBroken = false
        var idleTurns = 0
        while idleTurns < 2 {
            let output = far.takeOutput()
            if !output.isEmpty {
                isBroken = send(output, at: count, to: peer, wasBroken: isBroken)
                count += output.count
            }
            try loop.runOnce(timeout: .zero)
            let answer = peer.takeReceived()
            if !answer.isEmpty { far.receive(answer) }
            idleTurns = output.isEmpty && answer.isEmpty ? idleTurns + 1 : 0
            if far.error != nil || far.isClosed { peer.finish() }
        }
        while result == nil, loop.now < start + Self.timeout { try loop.runOnce(timeout: Self.timeout) }
        for _ in 0..<2 where result == nil { try loop.runOnce(timeout: .zero) }
        let duration = loop.now - start
        if recorder.isOpen { recorder.transport?.abort() }
        for _ in 0..<4 where peer.end == nil { try loop.runOnce(timeout: .seconds(60)) }
        return Outcome(
            result: result, recorder: recorder, isBroken: isBroken, duration: duration, isOver: peer.end != nil)
    }

    private func send(_ bytes: [UInt8], at count: Int, to peer: MemoryPeer, wasBroken: Bool) -> Bool {
        let offset = place - count
        guard !wasBroken, offset < bytes.count else {
            if !wasBroken || fault == .flip { peer.send(bytes) }
            return wasBroken
        }
        switch fault {
        case .stall: peer.send(Array(bytes[..<offset]))
        case .finish:
            peer.send(Array(bytes[..<offset]))
            peer.finish()
        case .reset:
            peer.send(Array(bytes[..<offset]))
            peer.reset()
        case .flip:
            var changed = bytes
            changed[offset] ^= 1 << bit
            peer.send(changed)
        }
        return true
    }
}

/// Bytes of this process that are in memory.
func residentBytes() throws -> Int {
    let text = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8)
    return try #require(text.split(separator: " ").dropFirst().first.flatMap { Int($0) }) * 4096
}
