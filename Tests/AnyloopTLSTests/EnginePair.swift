import AnyloopCore

@testable import AnyloopTLS

/// One side of TLS in memory: handshakes and reads by itself, and keeps what came of it.
final class EngineSide {
    let engine: TLSEngine
    private(set) var isOpen = false
    private(set) var isClosed = false
    private(set) var error: TLSError?
    private(set) var received: [UInt8] = []

    init(_ engine: TLSEngine) { self.engine = engine }

    /// What the handshake agreed on.
    var info: TLSInfo { engine.info(ending: nil) }

    /// Takes bytes from the other side as far as it can.
    func receive(_ bytes: [UInt8]) {
        engine.withInput(bytes.span) { advance() }
        engine.endInput()
    }

    /// Goes on with the handshake, then with reading.
    func advance() {
        guard error == nil, !isClosed else { return }
        if !isOpen {
            switch engine.handshake() {
            case .done: isOpen = true
            case .wants: return
            case .closed: isClosed = true
            case .failed: error = engine.takeError()
            }
        }
        while isOpen, error == nil, !isClosed, read() {}
    }

    private func read() -> Bool {
        var buffer = [UInt8](repeating: 0, count: 4096)
        var count = 0
        let step = unsafe buffer.withUnsafeMutableBufferPointer { unsafe engine.read(into: $0, count: &count) }
        received += buffer[..<count]
        switch step {
        case .done: return true
        case .wants: break
        case .closed: isClosed = true
        case .failed: error = engine.takeError()
        }
        return false
    }

    /// What it has to say.
    func takeOutput() -> [UInt8] {
        var bytes: [UInt8] = []
        engine.takeOutput { span in for index in 0..<span.count { bytes.append(span[index]) } }
        return bytes
    }
}

/// A client and a server of ours that talk in memory until neither has anything to say.
struct EnginePair {
    let client: EngineSide
    let server: EngineSide

    /// Handshakes, and resumes `session` if there is one.
    init(
        _ client: TLSClientContext, _ server: TLSServerContext, host: String? = Certificates.host,
        resuming session: TLSSessionCache.Session? = nil
    ) throws {
        self.client = EngineSide(try TLSEngine(client: client, serverName: host))
        self.server = EngineSide(try TLSEngine(server: server.handle))
        if let session { self.client.engine.resume(session) }
        self.client.advance()
        settle()
    }

    /// Carries bytes to and fro until nothing is left.
    func settle() {
        while true {
            let asked = client.takeOutput()
            if !asked.isEmpty { server.receive(asked) }
            let answered = server.takeOutput()
            if !answered.isEmpty { client.receive(answered) }
            if asked.isEmpty, answered.isEmpty { return }
        }
    }

    /// Whether both sides finished the handshake and neither failed.
    var isOpen: Bool { client.isOpen && server.isOpen && client.error == nil && server.error == nil }

    /// The session that the server gave, for another pair.
    func takeSession() -> TLSSessionCache.Session? { client.engine.takeSession() }
}
