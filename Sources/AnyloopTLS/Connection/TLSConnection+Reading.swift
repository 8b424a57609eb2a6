import AnyloopCore
import CAnyloopTLS

/// The protocol that the transport below sees.
extension TLSConnection: StreamProtocol {
    func connectionMade(_ transport: any StreamTransport) {
        // An attempt that was called off before it had a transport.
        guard phase == .idle else { return transport.abort() }
        lower = transport
        phase = .handshaking
        setLowerLimits()
        startTimer(options.handshakeTimeout) { connection in
            connection.end(.timedOut(what: "the TLS handshake", after: connection.options.handshakeTimeout))
        }
        if case .client = role { advanceHandshake() }
    }

    func dataReceived(_ data: Span<UInt8>) {
        if startsWithLetter == nil { startsWithLetter = (65...90).contains(data[0]) }
        guard phase != .lingering else { return discard(data.count) }
        guard held.isEmpty, mayDeliver else { return hold(data) }
        process(data)
    }

    /// Whether input may be read on: a close does so whatever the protocol said.
    private var mayDeliver: Bool {
        switch reading {
        case .flowing: true
        case .resuming: false
        case .paused: phase != .open
        }
    }

    /// Keeps what came while reading is paused.
    private func hold(_ data: Span<UInt8>) {
        held += data.copied
        guard held.count >= Self.heldHighLimit, !isLowerReadingPaused else { return }
        isLowerReadingPaused = true
        lower?.pauseReading()
    }

    private func discard(_ count: Int) {
        discardedCount += count
        if discardedCount > TLSConnectionOptions.lingerByteLimit { lower?.abort() }
    }

    /// Handshakes, decrypts and delivers, as far as `data` goes; keeps what a pause leaves over.
    private func process(_ data: Span<UInt8>) {
        if engine == nil, phase == .handshaking {
            // A server makes its engine with the first bytes, so that silent connections cost little.
            do throws(TLSError) { try makeEngine() } catch { return failHandshake(.tls(error)) }
        }
        guard let engine else { return }
        collectingOutput {
            engine.withInput(data) {
                if phase == .handshaking { advanceHandshake() }
                pump(engine)
            }
        }
        let unread = engine.unreadCount
        engine.endInput()
        if unread > 0, !mayDeliver { hold(data.extracting((data.count - unread)...)) }
        keepSession(engine)
    }

    private func keepSession(_ engine: TLSEngine) {
        guard case .client(let context, _, let key?) = role, let session = engine.takeSession() else { return }
        context.sessions.insert(session, for: key)
    }

    /// Decrypts and delivers until the input is used up, the protocol pauses, or the peer is done.
    private func pump(_ engine: TLSEngine) {
        guard phase == .open || phase == .closing || phase == .shuttingDown else { return }
        if let bufferedProtocol { fill(bufferedProtocol, engine) }
        unsafe TLSEngine.withScratch(Self.readSize) { scratch in
            var goesOn = true
            while goesOn, mayDeliver {
                switch phase {
                case .open, .closing, .shuttingDown: break
                default: return
                }
                var count = 0
                let step = unsafe engine.read(into: scratch, count: &count)
                if step != .done { goesOn = false }
                let error = step == .failed ? engine.takeError() : nil
                if count > 0, phase == .open {
                    unsafe deliver(UnsafeBufferPointer(rebasing: scratch[..<count]).span)
                }
                if step == .closed { peerClosed() }
                if let error { fail(error) }
            }
        }
    }

    /// Decrypts into the protocol's own buffer, until the input is used up, it pauses, or the connection closes.
    private func fill(_ lending: any BufferedStreamProtocol, _ engine: TLSEngine) {
        var step = TLSEngine.Step.done
        while step == .done, phase == .open, mayDeliver, streamProtocol === lending {
            var (room, count) = (0, 0)
            do {
                try lending.lendBuffer(sizeHint: -1) { buffer in
                    room = buffer.count
                    guard room > 0 else { return }
                    step = unsafe buffer.withUnsafeMutableBufferPointer { unsafe engine.read(into: $0, count: &count) }
                }
                guard room > 0 else { throw UsageError("get_buffer() returned an empty buffer") }
            } catch {
                return failCallback("lendBuffer", error)
            }
            let failure = step == .failed ? engine.takeError() : nil
            if count > 0 {
                do { try lending.bufferUpdated(count) } catch { return failCallback("bufferUpdated", error) }
            }
            if step == .closed { peerClosed() }
            if let failure { fail(failure) }
        }
    }

    private func deliver(_ data: Span<UInt8>) {
        do { try streamProtocol?.dataReceived(data) } catch { failCallback("dataReceived", error) }
    }

    /// The peer sent `close_notify`: what it had to say is complete.
    private func peerClosed() {
        guard ending == nil else { return }
        ending = .closeNotify
        switch phase {
        case .open: if tellEnd() { close() }
        case .closing: _ = tellEnd()
        case .shuttingDown:
            guard tellEnd() else { return }
            // In the next turn, as in asyncio: the peer gets to hear of our end first.
            loop.callSoon { [weak self] in self?.endLower() }
        default: break
        }
    }

    /// Tells the protocol, which cannot keep its side open (rule 127); false if that ended the connection.
    private func tellEnd() -> Bool {
        do {
            if try streamProtocol?.eofReceived() == true {
                warn("returning true from eof_received() has no effect when using ssl")
            }
            return true
        } catch {
            failCallback("eofReceived", error, message: "Error calling eof_received()")
            return false
        }
    }

    func eofReceived() -> Bool {
        if !mayDeliver || !held.isEmpty {
            // What is held comes first (rule 71).
            hasLowerEnded = true
        } else {
            lowerEnded()
        }
        // The transport below is closed by us alone, unless it is TLS, too.
        return lower?.canWriteEOF ?? true
    }

    /// The transport below has come to its end, and so has what it brought.
    private func lowerEnded() {
        switch phase {
        case .idle, .handshaking:
            failHandshake(
                .tls(TLSError(.truncated, "the peer ended the connection during the TLS handshake")))
            lower?.close()
        case .open:
            if ending == nil { ending = .truncated }
            if options.truncation == .endOfStream {
                if tellEnd() { close() }
            } else {
                end(
                    .tls(
                        TLSError(.truncated, "the peer ended the connection without close_notify: data may be missing"))
                )
            }
        case .closing:
            // Goes on sending; its end is known now.
            guard ending == nil else { return }
            ending = .truncated
            _ = tellEnd()
        case .shuttingDown:
            guard ending == nil else { return endLower() }
            ending = .truncated
            // Nothing is missing: what came after our close was not wanted.
            if tellEnd() { endLower() }
        case .lingering: lower?.close()
        case .ending, .over: break
        }
    }

    func connectionLost(_ error: TransportError?) {
        let before = phase
        guard before != .over else { return }
        stopTimer()
        phase = .over
        held = []
        cause = cause ?? error
        dropQueue()
        lastInfo = engine?.info(ending: ending)
        engine = nil
        switch before {
        case .idle, .handshaking:
            streamProtocol = nil
            let truncated = TLSError(.truncated, "the peer ended the connection during the TLS handshake")
            tellHandshake(.failure(error ?? .tls(truncated)))
        case .open, .closing, .shuttingDown, .lingering, .ending, .over: tellLost(cause)
        }
    }

    // MARK: Pausing

    func pauseReading() {
        guard phase == .open else { return }
        reading = .paused
    }

    func resumeReading() {
        guard reading == .paused, phase == .open else { return }
        reading = .resuming
        readSoon()
    }

    /// Has `readOn` called in the next turn.
    func readSoon() {
        loop.callSoon { [weak self] in self?.readOn() }
    }

    /// Delivers what was held while reading was paused, then lets the transport below go on.
    private func readOn() {
        if reading == .resuming || phase != .open { reading = .flowing }
        guard mayDeliver else { return }
        let bytes = held
        held = []
        process(bytes.span)
        if isLowerReadingPaused, held.count <= Self.heldLowLimit {
            isLowerReadingPaused = false
            lower?.resumeReading()
        }
        guard hasLowerEnded, held.isEmpty, mayDeliver else { return }
        hasLowerEnded = false
        lowerEnded()
    }
}
