import AnyloopCore
import CAnyloopTLS

/// The protocol that the transport below sees.
extension TLSConnection: StreamProtocol {
    func connectionMade(_ transport: any StreamTransport) {
        guard phase == .idle else { return }
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
        guard held.isEmpty else {
            // A transport below that goes on although it was told to pause.
            for index in 0..<data.count { held.append(data[index]) }
            return
        }
        process(data)
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
        engine.withInput(data) {
            if phase == .handshaking { advanceHandshake() }
            pump(engine)
        }
        let unread = engine.unreadCount
        engine.endInput()
        if unread > 0, isReadingPaused, phase == .open {
            held.reserveCapacity(unread)
            for index in (data.count - unread)..<data.count { held.append(data[index]) }
        }
        keepSession(engine)
    }

    private func keepSession(_ engine: TLSEngine) {
        guard case .client(let context, _, let key?) = role, let session = engine.takeSession() else { return }
        context.sessions.insert(session, for: key)
    }

    /// Decrypts and delivers until the input is used up, the protocol pauses, or the peer is done.
    private func pump(_ engine: TLSEngine) {
        guard phase == .open || phase == .closing || phase == .shuttingDown else { return }
        unsafe withUnsafeTemporaryAllocation(of: UInt8.self, capacity: Self.readSize) { scratch in
            var goesOn = true
            while goesOn, !isReadingPaused || phase != .open {
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
        flushOutput()
    }

    private func deliver(_ data: Span<UInt8>) {
        do { try streamProtocol?.dataReceived(data) } catch {
            failCallback("data_received", "dataReceived", error)
        }
    }

    /// The peer sent `close_notify`: what it had to say is complete.
    private func peerClosed() {
        guard ending == nil else { return }
        ending = .closeNotify
        switch phase {
        case .open: endOfStream()
        case .shuttingDown: endLower()
        default: break
        }
    }

    /// Tells the protocol, which cannot keep its side open (rule 127), and closes.
    private func endOfStream() {
        do {
            if try streamProtocol?.eofReceived() == true {
                report(
                    "returning true from eof_received() has no effect when using ssl",
                    UsageError.notImplemented("TLS connections cannot be half closed: answer before eofReceived"))
            }
        } catch {
            return failCallback("eof_received", "eofReceived", error)
        }
        close()
    }

    func eofReceived() -> Bool {
        switch phase {
        case .idle, .handshaking:
            failHandshake(
                .tls(TLSError(.truncated, "the peer ended the connection during the TLS handshake")))
            lower?.close()
        case .open:
            if ending == nil { ending = .truncated }
            if options.truncation == .endOfStream {
                endOfStream()
            } else {
                end(
                    .tls(
                        TLSError(.truncated, "the peer ended the connection without close_notify: data may be missing"))
                )
            }
        case .closing:
            // Goes on sending; its end is known now.
            if ending == nil { ending = .truncated }
        case .shuttingDown:
            if ending == nil { ending = .truncated }
            endLower()
        case .lingering: lower?.close()
        case .ending, .over: break
        }
        // The transport below is closed by us alone.
        return true
    }

    func connectionLost(_ error: TransportError?) {
        let before = phase
        guard before != .over else { return }
        stopTimer()
        phase = .over
        held = []
        let reason = cause ?? error
        for file in queue.drop() { finish(file, .failure(reason ?? .cancelled)) }
        switch before {
        case .idle, .handshaking:
            tellHandshake(
                .failure(
                    error
                        ?? .tls(TLSError(.truncated, "the peer ended the connection during the TLS handshake"))))
        case .lingering, .over: break
        case .open, .closing, .shuttingDown, .ending:
            do { try streamProtocol?.connectionLost(reason) } catch {
                report("Exception in callback connection_lost", error)
            }
        }
        streamProtocol = nil
    }

    // MARK: Pausing

    func pauseReading() {
        guard phase == .open, !isReadingPaused else { return }
        isReadingPaused = true
        isLowerReadingPaused = true
        lower?.pauseReading()
    }

    func resumeReading() {
        guard isReadingPaused else { return }
        isReadingPaused = false
        guard phase == .open else { return }
        loop.callSoon { [weak self] in self?.readOn() }
    }

    /// Delivers what was held while reading was paused, then lets the transport below go on.
    func readOn() {
        guard !isReadingPaused || phase != .open else { return }
        let bytes = held
        held = []
        process(bytes.span)
        guard isLowerReadingPaused, !isReadingPaused || phase != .open else { return }
        isLowerReadingPaused = false
        lower?.resumeReading()
    }
}
