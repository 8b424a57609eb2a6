import AnyloopCore
import CAnyloopSystem

extension NativeStreamTransport {
    func write(_ bytes: Span<UInt8>) {
        guard acceptsWrite(isEmpty: bytes.isEmpty) else { return }
        var sent = 0
        if queue == nil {
            let count = unsafe bytes.withUnsafeBufferPointer {
                unsafe anyloop_send(descriptor, $0.baseAddress, $0.count)
            }
            if count == bytes.count { return }
            guard let accepted = accepted(Int(count), "send") else { return }
            sent = accepted
        }
        openQueue().append(copying: bytes, from: sent)
        bytesQueued()
    }

    func write(_ bytes: [UInt8]) {
        guard acceptsWrite(isEmpty: bytes.isEmpty) else { return }
        var sent = 0
        if queue == nil {
            let count = unsafe bytes.withUnsafeBufferPointer {
                unsafe anyloop_send(descriptor, $0.baseAddress, $0.count)
            }
            if count == bytes.count { return }
            guard let accepted = accepted(Int(count), "send") else { return }
            sent = accepted
        }
        openQueue().append(bytes, from: sent)
        bytesQueued()
    }

    func write(contentsOf pieces: [[UInt8]]) {
        guard acceptsWrite("writelines", isEmpty: pieces.allSatisfy { $0.isEmpty }) else { return }
        var sent = 0
        if queue == nil {
            let (count, offered) = sendPieces(pieces)
            guard let accepted = accepted(count, "sendmsg") else { return }
            if accepted == offered, pieces.count <= WriteQueue.sliceLimit { return }
            sent = accepted
        }
        let queue = openQueue()
        for piece in pieces {
            let skipped = min(sent, piece.count)
            sent -= skipped
            queue.append(piece, from: skipped)
        }
        bytesQueued()
    }

    func sendFile(
        descriptor file: Int32, offset: Int64, count: Int,
        completion: @escaping (Result<Int, TransportError>) -> Void
    ) {
        send(FileTransfer(file: file, offset: offset, count: count, loop: native, completion: completion))
    }

    func send(_ transfer: FileTransfer) {
        if let error = refusal.fileError(isClosing: isClosing, cause: cause) {
            return transfer.finish(.failure(error))
        }
        let wasIdle = queue == nil
        openQueue().append(transfer)
        if wasIdle { writeReady() }
        if queue != nil { widen(.write) }
    }

    func writeEOF() {
        guard phase == .open, !refusal.contains(.ended) else { return }
        refusal.insert(.ended)
        if queue == nil { _ = anyloop_shutdown_write(descriptor) }
    }

    func setWriteBufferLimits(_ limits: WriteBufferLimits) {
        flow.limits = limits
        pauseIfFull()
    }

    /// The socket takes bytes again, or failed.
    func writeReady() {
        guard let queue, phase == .open || phase == .closing else { return narrow(.write) }
        switch queue.flush(to: descriptor) {
        case .failed(let code, let operation): return end(cause: .system(code, operation))
        case .drained: self.queue = nil
        case .blocked: break
        }
        // May write more, close or abort.
        if flow.resumes(at: writeBufferSize) { tell(.resume) }
        guard self.queue == nil else { return }
        narrow(.write)
        if phase == .closing {
            end(cause: nil)
            if native.discipline == .asyncio { finish() }
        } else if refusal.contains(.ended), phase == .open {
            _ = anyloop_shutdown_write(descriptor)
        }
    }

    /// Whether bytes may be written now; otherwise they are dropped and counted, and misuse is reported.
    private func acceptsWrite(_ call: String = "write", isEmpty: Bool) -> Bool {
        if takesWrites, !isEmpty, phase == .open || phase == .closing { return true }
        drop(call, isEmpty: isEmpty)
        return false
    }

    @inline(never)
    private func drop(_ call: String, isEmpty: Bool) {
        if let error = refusal.error(of: call) {
            flow.refuse()
            native.misuse(error, self, streamProtocol)
        } else if !isEmpty, flow.drop() {
            native.logDroppedWrite()
        }
    }

    /// How many bytes a send took; nil if it failed, which ends the connection (asyncio rule 84).
    private func accepted(_ count: Int, _ operation: String) -> Int? {
        if count >= 0 { return count }
        let code = Int32(-count)
        if Errno.isTransient(code) { return 0 }
        end(cause: .system(code, operation))
        return nil
    }

    private func openQueue() -> WriteQueue {
        if let queue { return queue }
        let queue = WriteQueue()
        self.queue = queue
        return queue
    }

    private func bytesQueued() {
        widen(.write)
        pauseIfFull()
    }

    private func pauseIfFull() {
        guard phase == .open || phase == .closing, flow.pauses(at: writeBufferSize) else { return }
        tell(.pause)
    }

    private func sendPieces(_ pieces: [[UInt8]]) -> (sent: Int, offered: Int) {
        unsafe withUnsafeTemporaryAllocation(of: anyloop_slice.self, capacity: WriteQueue.sliceLimit) { slices in
            var count = 0
            var offered = 0
            for piece in pieces.prefix(WriteQueue.sliceLimit) {
                // The pointer outlives the closure: `pieces` holds the array, unchanged, until after the call.
                unsafe slices[count] = unsafe anyloop_slice(
                    bytes: piece.withUnsafeBufferPointer { $0.baseAddress }, count: piece.count)
                count += 1
                offered += piece.count
            }
            return (Int(unsafe anyloop_send_slices(descriptor, slices.baseAddress, count)), offered)
        }
    }
}
