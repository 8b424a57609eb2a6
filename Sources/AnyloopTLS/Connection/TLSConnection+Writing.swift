import AnyloopCore
import CAnyloopTLS

/// The transport that the protocol above sees.
extension TLSConnection: StreamTransport {
    var isClosing: Bool { phase != .open }
    var isReading: Bool { phase == .open && reading != .paused }
    var socketName: SocketAddress? { lower?.socketName }
    var peerName: SocketAddress? { lower?.peerName }
    var tls: TLSInfo? { lastInfo ?? engine?.info(ending: ending) }
    /// Never: a TLS connection is closed as a whole (rule 123).
    var canWriteEOF: Bool { false }

    /// Plaintext that waits here, and ciphertext that waits below.
    var writeBufferSize: Int { queue.byteCount + (phase == .over ? 0 : lower?.writeBufferSize ?? 0) }

    var writeBufferLimits: WriteBufferLimits { flow.limits }
    var droppedWriteCount: Int { flow.droppedCount }

    // MARK: Writing

    func write(_ bytes: Span<UInt8>) {
        guard !bytes.isEmpty, acceptsWrite() else { return }
        var sent = 0
        if queue.isEmpty { sent = encrypt(bytes) }
        if sent < bytes.count, phase == .open {
            queue.append(bytes.extracting(sent...).copied)
        }
        pauseIfFull()
    }

    func write(_ bytes: [UInt8]) {
        guard !bytes.isEmpty, acceptsWrite() else { return }
        var sent = 0
        if queue.isEmpty { sent = encrypt(bytes.span) }
        if sent < bytes.count, phase == .open { queue.append(bytes, from: sent) }
        pauseIfFull()
    }

    func write(contentsOf pieces: [[UInt8]]) {
        let count = pieces.reduce(0) { $0 + $1.count }
        guard count > 0, acceptsWrite() else { return }
        if count <= 16384 {
            // One record instead of several.
            return unsafe TLSEngine.withScratch(count) { joined in
                var end = 0
                for piece in pieces { end = unsafe joined[end...].initialize(fromContentsOf: piece) }
                write(unsafe joined.span)
            }
        }
        collectingOutput {
            for piece in pieces { write(piece) }
        }
    }

    func sendFile(
        descriptor: Int32, offset: Int64, count: Int,
        completion: @escaping (Result<Int, TransportError>) -> Void
    ) {
        let file = PlainQueue.File(
            descriptor: descriptor, offset: offset, remaining: count, completion: completion)
        guard phase == .open else { return finish(file, .failure(cause ?? .transportIsClosing)) }
        queue.append(file)
        flushQueue()
    }

    func finish(_ file: PlainQueue.File, _ result: Result<Int, TransportError>) {
        loop.callSoon { file.completion(result) }
    }

    func writeEOF() {
        let error = UsageError.notImplemented("TLS connections cannot be half closed: use close()")
        report(error.text, TransportError.usage(error))
    }

    private func acceptsWrite() -> Bool {
        if phase == .open { return true }
        // asyncio counts the end itself as a loss (rule 129).
        if flow.drop(after: phase == .over ? 1 : 0) { warn("SSL connection is closed") }
        return false
    }

    /// Encrypts and sends while the transport below has room; how many bytes that were.
    private func encrypt(_ bytes: Span<UInt8>) -> Int {
        guard let engine else { return 0 }
        var sent = 0
        while sent < bytes.count, !isLowerPaused, phase == .open || phase == .closing {
            let count = min(bytes.count - sent, Self.writeSize)
            guard engine.write(bytes.extracting(sent..<(sent + count))) == .done else {
                fail(engine.takeError())
                return sent
            }
            sent += count
            sendOutput()
        }
        return sent
    }

    /// Sends in one go what `body` makes of output, as far as that is not too much.
    func collectingOutput(_ body: () -> Void) {
        guard !isCollectingOutput else { return body() }
        isCollectingOutput = true
        body()
        isCollectingOutput = false
        flushOutput()
        pauseIfFull()
    }

    /// Gives the transport below what TLS has to say, now or with what is being collected.
    func sendOutput() {
        guard isCollectingOutput, let engine, engine.outputCount < Self.writeSize else { return flushOutput() }
    }

    /// Gives the transport below what TLS has to say, now.
    func flushOutput() {
        engine?.takeOutput { lower?.write($0) }
    }

    /// Sends what waits, as far as there is room; then goes on with what had to wait for it.
    func flushQueue() {
        while !isLowerPaused, phase == .open || phase == .closing, let piece = queue.takeFirst() {
            switch piece {
            case .bytes(let bytes, let start):
                let sent = encrypt(bytes.span.extracting(start...))
                if start + sent < bytes.count { queue.putBack(.bytes(bytes, from: start + sent)) }
            case .file(let file): sendPiece(of: file)
            }
        }
        if flow.resumes(at: writeBufferSize) { tell(.resume) }
        if phase == .closing, queue.isEmpty { sendCloseNotify() }
    }

    /// Reads and sends the next piece of a file; puts back what there was no room for.
    private func sendPiece(of file: PlainQueue.File) {
        var file = file
        let wanted = min(file.remaining, Self.writeSize)
        let (result, sent) = unsafe TLSEngine.withScratch(wanted) { buffer in
            let result = Int(unsafe anyloop_tls_read_file(file.descriptor, buffer.baseAddress, wanted, file.offset))
            return (result, result > 0 ? encrypt(unsafe UnsafeBufferPointer(rebasing: buffer[..<result]).span) : 0)
        }
        guard result >= 0 else {
            let error = SystemError(errno: Int32(-result), operation: "pread", text: "reading a file to send")
            return finish(file, .failure(.system(error)))
        }
        file.offset += Int64(sent)
        file.sent += sent
        file.remaining -= sent
        if sent == result, result < wanted || file.remaining == 0 {
            finish(file, .success(file.sent))
        } else {
            queue.putBack(.file(file))
        }
    }

    // MARK: Watermarks

    func setWriteBufferLimits(_ limits: WriteBufferLimits) {
        flow.limits = limits
        setLowerLimits()
        pauseIfFull()
    }

    /// The transport below pauses no later than our low mark: whatever it holds unpaused counts as drained.
    func setLowerLimits() {
        let high = min(WriteBufferLimits.standard.high, writeBufferLimits.low)
        if let limits = try? WriteBufferLimits(high: high) { lower?.setWriteBufferLimits(limits) }
    }

    private func pauseIfFull() {
        guard phase == .open, isLowerPaused || !queue.isEmpty, flow.pauses(at: writeBufferSize) else { return }
        tell(.pause)
    }

    func pauseWriting() { isLowerPaused = true }

    func resumeWriting() {
        isLowerPaused = false
        flushQueue()
    }

    // MARK: Ending

    func close() {
        switch phase {
        case .idle, .handshaking: end(nil)
        case .open:
            phase = .closing
            limitShutdown { connection, error in connection.end(error) }
            if queue.isEmpty { sendCloseNotify() }
            // The peer's close_notify has to be read.
            if reading == .paused { readSoon() }
        case .closing, .shuttingDown, .lingering, .ending, .over: break
        }
    }

    private func sendCloseNotify() {
        guard let engine, phase == .closing else { return }
        phase = .shuttingDown
        // Who ended TCP without a word waits for none.
        guard ending != .truncated else { return endLower() }
        _ = engine.close()
        flushOutput()
        guard ending != nil || !options.awaitsCloseNotify else { return }
        loop.callSoon { [weak self] in self?.endLower() }
    }

    func abort() { end(nil) }

    func reset() {
        guard phase != .over else { return }
        flushOutput()
        lower?.reset()
        end(nil)
    }
}

extension Span<UInt8> {
    /// The bytes in an array.
    var copied: [UInt8] {
        unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            unsafe withUnsafeBufferPointer { source in
                initialized = unsafe buffer.initialize(from: source).index
            }
        }
    }
}
