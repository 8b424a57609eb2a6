import AnyloopCore

extension MemoryTransport {
    /// Gives the other end what it has room for and queues the rest.
    public func write(_ bytes: Span<UInt8>) {
        guard mayWrite("write", isEmpty: bytes.isEmpty) else { return }
        var start = 0
        if queueStart == queue.count {
            guard let taken = give(bytes) else { return }
            start = taken
        }
        guard start < bytes.count else { return }
        var rest: [UInt8] = []
        let tail = bytes.extracting(start...)
        unsafe tail.withUnsafeBufferPointer { unsafe rest.append(contentsOf: $0) }
        enqueue(.bytes(rest, start: 0), size: rest.count)
    }

    /// Gives the other end what it has room for and queues the rest.
    public func write(_ bytes: [UInt8]) {
        put(bytes, "write")
    }

    /// Gives the other end what it has room for and queues the rest.
    public func write(contentsOf pieces: [[UInt8]]) {
        // As one write: the joined bytes (rule 80).
        put(Array(pieces.joined()), "writelines")
    }

    private func put(_ bytes: [UInt8], _ call: String) {
        guard mayWrite(call, isEmpty: bytes.isEmpty) else { return }
        var start = 0
        if queueStart == queue.count {
            guard let taken = give(bytes.span) else { return }
            start = taken
        }
        guard start < bytes.count else { return }
        enqueue(.bytes(bytes, start: start), size: bytes.count - start)
    }

    /// Ends our side once the queue is sent.
    public func writeEOF() {
        guard !isClosing, !refusal.contains(.ended) else { return }
        refusal.insert(.ended)
        if queueStart == queue.count { finishOutlet() }
    }

    private func mayWrite(_ call: String, isEmpty: Bool) -> Bool {
        if let error = refusal.error(of: call) {
            flow.refuse()
            report(error.text, TransportError.usage(error))
            return false
        }
        if isEmpty { return false }
        guard isEnding else { return true }
        flow.drop()
        return false
    }

    func enqueue(_ piece: Piece, size: Int) {
        queue.append(piece)
        writeBufferSize += size
        memoryLoop.enlist(self)
        pauseIfFull()
    }

    /// How many bytes the other end took; nil after a send error, which ends the transport (rule 84).
    func give(_ bytes: Span<UInt8>) -> Int? {
        if inboxReset {
            end(with: MemoryTransport.connectionReset(during: "send"))
            return nil
        }
        switch outlet {
        case .none:
            end(with: .system(SystemError(errno: 32, operation: "send", text: "Broken pipe")))
            return nil
        case .peer(let peer):
            return peer.accept(bytes)
        case .transport(let other):
            let count = min(bytes.count, other.window)
            if count > 0 { other.receive(bytes.extracting(..<count)) }
            return count
        }
    }

    private func finishOutlet() {
        switch outlet {
        case .none: break
        case .peer(let peer): peer.noteEnd(.finish)
        case .transport(let other): other.receiveFinish()
        }
    }

    /// Whether a write event would move something.
    var canWrite: Bool {
        guard queueStart < queue.count, !isEnding else { return false }
        if inboxReset { return true }
        return switch outlet {
        case .none: true
        case .peer(let peer): peer.window > 0
        case .transport(let other): other.window > 0
        }
    }

    /// Gives the other end what it takes (asyncio: `_write_ready`).
    func writeEvent() {
        guard canWrite else { return }
        drain: while queueStart < queue.count {
            switch queue[queueStart] {
            case .bytes(let bytes, let start):
                guard let taken = give(bytes.span.extracting(start...)) else { return }
                writeBufferSize -= taken
                guard start + taken == bytes.count else {
                    queue[queueStart] = .bytes(bytes, start: start + taken)
                    break drain
                }
            case .file(let file):
                guard let isDone = file.advance(on: self) else { return }
                guard isDone else { break drain }
            }
            queueStart += 1
        }
        if queueStart == queue.count {
            queue.removeAll(keepingCapacity: true)
            queueStart = 0
        }
        if flow.resumes(at: writeBufferSize) { tell(.resume) }
        guard queueStart == queue.count, !isEnding else {
            if canWrite { memoryLoop.enlist(self) }
            return
        }
        if isClosing {
            isEnding = true
            performLost()
        } else if refusal.contains(.ended) {
            finishOutlet()
        }
    }

    func pauseIfFull() {
        if flow.pauses(at: writeBufferSize) { tell(.pause) }
    }
}
