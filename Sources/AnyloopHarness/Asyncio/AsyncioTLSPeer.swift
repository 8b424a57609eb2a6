import AnyloopCore
import AnyloopTLS

/// What a peer sends and receives bytes through: its socket, or TLS above it.
protocol AsyncioByteStream: AnyObject {
    /// How many of `bytes` from `start` were taken; nil if there is no room.
    func send(_ bytes: [UInt8], from start: Int) throws -> Int?
    /// At most `limit` bytes, none at the end of the stream; nil if there are none now.
    func receive(_ limit: Int) throws -> [UInt8]?
}

/// What reading ends with where the other side said `close_notify`.
struct AsyncioCloseNotify: Error {}

/// TLS by hand over a peer's socket, or over another one of these.
final class AsyncioTLSPeer: AsyncioByteStream {
    private static let recordSize = 16384

    let below: any AsyncioByteStream
    private let engine: TLSEngine
    /// Whether the handshake is done.
    private(set) var isOpen = false
    private var unsent: [UInt8] = []
    private var plain: [UInt8] = []
    private var isClosed = false
    private var isEnded = false
    private var failure: TransportError?

    init(over below: any AsyncioByteStream, _ engine: TLSEngine) {
        self.below = below
        self.engine = engine
    }

    /// Whether something waits for room below.
    var isFlushed: Bool { unsent.isEmpty }

    /// Sends what there is to send, as far as there is room.
    func flush() throws {
        engine.takeOutput { unsent += AsyncioBytes.array($0) }
        while !unsent.isEmpty, let count = try below.send(unsent, from: 0) { unsent.removeFirst(count) }
    }

    /// Goes on with the handshake, with what came.
    func shakeHands(_ bytes: [UInt8] = []) throws {
        take(bytes) {
            switch engine.handshake() {
            case .done: isOpen = true
            case .wants: break
            case .closed, .failed: failure = .tls(engine.takeError())
            }
        }
        if let failure { throw failure }
    }

    /// Lends `bytes` to TLS, and decrypts what it can.
    private func take(_ bytes: [UInt8], _ body: () -> Void) {
        engine.withInput(bytes.span) {
            body()
            guard isOpen else { return }
            decrypt()
        }
        engine.endInput()
    }

    private func decrypt() {
        while true {
            var count = 0
            var step = TLSEngine.Step.wants
            plain += unsafe [UInt8](unsafeUninitializedCapacity: Self.recordSize) { buffer, filled in
                step = unsafe engine.read(into: buffer, count: &count)
                filled = count
            }
            switch step {
            case .done: continue
            case .wants: return
            case .closed: isClosed = true
            case .failed: failure = .tls(engine.takeError())
            }
            return
        }
    }

    func send(_ bytes: [UInt8], from start: Int) throws -> Int? {
        try flush()
        guard unsent.isEmpty else { return nil }
        let count = min(bytes.count - start, Self.recordSize)
        try encrypt(bytes[start..<(start + count)])
        try flush()
        return count
    }

    func receive(_ limit: Int) throws -> [UInt8]? {
        while plain.isEmpty {
            if let failure { throw failure }
            if isClosed { throw AsyncioCloseNotify() }
            if isEnded { return [] }
            guard let bytes = try below.receive(1 << 16) else { return nil }
            isEnded = bytes.isEmpty
            take(bytes) {}
        }
        let taken = Array(plain.prefix(limit))
        plain.removeFirst(taken.count)
        return taken
    }

    /// Encrypts all of `bytes`; nothing is sent yet.
    func encrypt(_ bytes: some Sequence<UInt8>) throws {
        if engine.write(Array(bytes).span) != .done { throw TransportError.tls(engine.takeError()) }
    }

    /// Says that nothing more will come; nothing is sent yet.
    func closeNotify() throws {
        if engine.close() == .failed { throw TransportError.tls(engine.takeError()) }
    }
}
