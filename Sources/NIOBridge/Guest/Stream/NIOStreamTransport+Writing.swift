import AnyloopCore
import AnyloopNativeLoop
import CAnyloopSystem
import NIOCore

extension NIOStreamTransport {
    func write(_ bytes: Span<UInt8>) {
        guard !bytes.isEmpty || isWriteEnded, acceptsWrite(), let context else { return }
        var buffer = context.channel.allocator.buffer(capacity: bytes.count)
        unsafe bytes.withUnsafeBytes { _ = unsafe buffer.writeBytes($0) }
        send(.byteBuffer(buffer))
    }

    func write(_ bytes: [UInt8]) { write(bytes.span) }

    func write(contentsOf pieces: [[UInt8]]) {
        let count = pieces.reduce(0) { $0 + $1.count }
        guard isWriteEnded || count > 0, acceptsWrite("writelines"), let context else { return }
        var buffer = context.channel.allocator.buffer(capacity: count)
        for piece in pieces { buffer.writeBytes(piece) }
        send(.byteBuffer(buffer))
    }

    func sendFile(
        descriptor file: Int32, offset: Int64, count: Int,
        completion: @escaping (Result<Int, TransportError>) -> Void
    ) {
        let finish: (Result<Int, TransportError>) -> Void = { [native] result in
            if native.isClosed { completion(result) } else { native.callSoon { completion(result) } }
        }
        guard !isWriteEnded || phase != .open else {
            return finish(.failure(.usage("Cannot call write() after write_eof()")))
        }
        guard !isSendingFile else { return finish(.failure(.usage("unable to write; sendfile is in progress"))) }
        guard phase == .open else { return finish(.failure(.usage("Transport is closing"))) }
        switch NIOFileKind(file, offset: offset, count: count) {
        case .regular(let available):
            sendRegion(file, offset: offset, count: available) { finish($0.map { available }) }
        case .ended: finish(.success(0))
        case .other: finish(.failure(.sendFileUnavailable))
        case .failed(let error): finish(.failure(error))
        }
    }

    /// Sends bytes that the file has, in order with other writes; `completion` runs when they are sent.
    func sendRegion(
        _ file: Int32, offset: Int64, count: Int, completion: @escaping (Result<Void, TransportError>) -> Void
    ) {
        guard let context, !isChannelGone else { return completion(.failure(.usage("Transport is closing"))) }
        let handle: NIOFileHandle
        do throws(TransportError) { handle = try .copying(file) } catch { return completion(.failure(error)) }
        let region = FileRegion(fileHandle: handle, readerIndex: Int(offset), endIndex: Int(offset) + count)
        let promise = context.eventLoop.makePromise(of: Void.self)
        promise.futureResult.assumeIsolated().whenComplete { [self] result in
            try? handle.close()
            completion(result.mapError { TransportError.fromNIO($0, "sendfile") ?? cause ?? .cancelled })
        }
        send(.fileRegion(region), promise)
    }

    func writeEOF() {
        guard phase == .open, !isWriteEnded else { return }
        isWriteEnded = true
        context?.close(mode: .output, promise: nil)
    }

    var writeBufferSize: Int {
        guard unconfirmed > 0, !isChannelGone else { return 0 }
        return (try? context?.channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0
    }

    func setWriteBufferLimits(_ limits: WriteBufferLimits) {
        writeBufferLimits = limits
        // Above `high` the one, below `low` the other: asyncio resumes at `low`.
        let mark = ChannelOptions.Types.WriteBufferWaterMark(
            low: Int(clamping: limits.low.addingReportingOverflow(1).partialValue),
            high: max(limits.high, limits.low + 1))
        try? context?.channel.syncOptions?.setOption(.writeBufferWaterMark, value: mark)
        pauseIfFull()
    }

    private func send(_ data: IOData, _ given: EventLoopPromise<Void>? = nil) {
        guard let context else { return }
        let promise = given ?? context.eventLoop.makePromise(of: Void.self)
        unconfirmed += 1
        promise.futureResult.assumeIsolated().whenComplete { [self] result in confirmed(result) }
        context.writeAndFlush(wrapOutboundOut(data), promise: promise)
        // A file is not held in memory: it pauses nobody.
        if case .byteBuffer = data { pauseIfFull() }
    }

    /// SwiftNIO gave a piece to the socket, or failed to.
    private func confirmed(_ result: Result<Void, any Error>) {
        unconfirmed -= 1
        if case .failure(let error) = result {
            if phase == .open || phase == .closing { end(cause: TransportError.fromNIO(error, "send")) }
            return
        }
        guard isWritingPaused || phase == .closing else { return }
        nio.turns.noteActivity()
        resumeIfDrained()
        if unconfirmed == 0, phase == .closing { end(cause: nil) }
    }

    /// Whether bytes may be written now; otherwise they are dropped and counted, and misuse is reported.
    private func acceptsWrite(_ name: String = "write") -> Bool {
        if isWriteEnded {
            native.misuse("Cannot call \(name)() after write_eof()", self, streamProtocol)
            droppedWriteCount += 1
            return false
        }
        if isSendingFile {
            native.misuse("unable to \(name); sendfile is in progress", self, streamProtocol)
            droppedWriteCount += 1
            return false
        }
        if phase == .open || phase == .closing {
            guard isChannelGone else { return true }
            end(cause: heldFailure ?? .system(Errno.brokenPipe, "send"))
            return false
        }
        droppedWriteCount += 1
        native.logDroppedWrite(droppedWriteCount)
        return false
    }

    private func pauseIfFull() {
        guard unconfirmed > 0, !isWritingPaused, phase == .open || phase == .closing,
            writeBufferSize > writeBufferLimits.high
        else { return }
        isWritingPaused = true
        do { try streamProtocol?.pauseWriting() } catch {
            native.report("protocol.pause_writing() failed", error, self, streamProtocol)
        }
    }

    /// Asks for `resumeWriting` if the buffer is low: in the next turn, because SwiftNIO may be in the middle of writing,
    /// where what the protocol writes would only be queued, and the protocol may be, too.
    func resumeIfDrained() {
        guard isWritingPaused, !isResumeQueued, phase != .over, writeBufferSize <= writeBufferLimits.low else { return }
        isResumeQueued = true
        nio.turns.noteActivity()
        native.callSoon { [self] in
            isResumeQueued = false
            guard isWritingPaused, phase != .over, writeBufferSize <= writeBufferLimits.low else { return }
            isWritingPaused = false
            do { try streamProtocol?.resumeWriting() } catch {
                native.report("protocol.resume_writing() failed", error, self, streamProtocol)
            }
        }
    }
}
