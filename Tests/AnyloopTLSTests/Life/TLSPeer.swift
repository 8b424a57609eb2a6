import AnyloopCore
import AnyloopTesting

@testable import AnyloopTLS

/// Speaks TLS on another host's raw end, with an engine and nothing else of ours.
final class TLSPeer: BatteryPeer {
    let raw: any BatteryPeer
    let side: EngineSide
    private var pending: [UInt8] = []
    private var isReading = true
    private var isFinishing = false
    private var isTruncating = false
    private var takenCount = 0
    private var hasSaidEnd = false
    private(set) var end: StreamEnd?

    init(_ raw: any BatteryPeer, _ engine: TLSEngine) {
        self.raw = raw
        side = EngineSide(engine)
        side.advance()
        move()
    }

    var received: [UInt8] { Array(side.received[takenCount...]) }

    func takeReceived() -> [UInt8] {
        defer { takenCount = side.received.count }
        return received
    }

    func send(_ bytes: [UInt8]) {
        pending += bytes
        move()
    }

    func finish() {
        isFinishing = true
        move()
    }

    func truncate() {
        isTruncating = true
        move()
    }

    func reset() { raw.reset() }

    func stopReading() {
        isReading = false
        raw.stopReading()
    }

    func resumeReading() {
        isReading = true
        raw.resumeReading()
    }

    /// Takes what came and sends what there is to say.
    func move() {
        (raw as? TLSPeer)?.move()
        if isReading {
            let bytes = raw.takeReceived()
            if !bytes.isEmpty { side.receive(bytes) }
            if side.isClosed {
                end = .finish
                isFinishing = true
            } else if end == nil, let below = raw.end {
                end = below == .reset ? .reset : .truncated
            }
        }
        if side.isOpen { speak() }
        let output = side.takeOutput()
        if !output.isEmpty { raw.send(output) }
        if hasSaidEnd, side.isClosed || isTruncating { raw.finish() }
    }

    private func speak() {
        if !pending.isEmpty {
            _ = side.engine.write(pending.span)
            pending = []
        }
        if isTruncating { hasSaidEnd = true }
        guard isFinishing, !hasSaidEnd else { return }
        hasSaidEnd = true
        _ = side.engine.close()
    }
}
