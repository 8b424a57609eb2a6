import AnyloopCore
import AnyloopNativeLoop
import CAnyloopSystem
import NIOCore

extension NIOStreamTransport {
    func write(_ bytes: Span<UInt8>) {
        guard !bytes.isEmpty || isWriteEnded, acceptsWrite(), let context else { return }
        var buffer = context.channel.allocator.buffer(capacity: bytes.count)
        unsafe bytes.withUnsafeBytes { _ = unsafe buffer.writeBytes($0) }
        send(.byteBuffer(buffer), count: bytes.count)
    }

    func write(_ bytes: [UInt8]) { write(bytes.span) }

    func write(contentsOf pieces: [[UInt8]]) {
        let count = pieces.reduce(0) { $0 + $1.count }
        guard isWriteEnded || count > 0, acceptsWrite("writelines"), let context else { return }
        var buffer = context.channel.allocator.buffer(capacity: count)
        for piece in pieces { buffer.writeBytes(piece) }
        send(.byteBuffer(buffer), count: count)
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
        guard phase == .open, let context else { return finish(.failure(.usage("Transport is closing"))) }
        let size = anyloop_file_size(file)
        guard size >= 0 else { return finish(.failure(.system(Int32(-size), "fstat"))) }
        let available = Int(max(0, min(Int64(max(0, count)), size - offset)))
        guard available > 0 else { return finish(.success(0)) }
        let copy = anyloop_duplicate(file, 0)
        guard copy >= 0 else { return finish(.failure(.system(-copy, "dup"))) }
        let handle = NIOFileHandle(_deprecatedTakingOwnershipOfDescriptor: copy)
        let region = FileRegion(fileHandle: handle, readerIndex: Int(offset), endIndex: Int(offset) + available)
        let promise = context.eventLoop.makePromise(of: Void.self)
        promise.futureResult.assumeIsolated().whenComplete { [self] result in
            try? handle.close()
            switch result {
            case .success: finish(.success(available))
            case .failure(let error): finish(.failure(cause(of: error) ?? .cancelled))
            }
        }
        send(.fileRegion(region), count: 0, promise)
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

    private func send(_ data: IOData, count: Int, _ given: EventLoopPromise<Void>? = nil) {
        guard let context else { return }
        let promise = given ?? context.eventLoop.makePromise(of: Void.self)
        unconfirmed += 1
        promise.futureResult.assumeIsolated().whenComplete { [self] result in confirmed(result) }
        context.writeAndFlush(wrapOutboundOut(data), promise: promise)
        pauseIfFull()
    }

    /// SwiftNIO gave a piece to the socket, or failed to.
    private func confirmed(_ result: Result<Void, any Error>) {
        unconfirmed -= 1
        if case .failure(let error) = result {
            if phase == .open || phase == .closing { end(cause: TransportError.fromNIO(error, "send")) }
            return
        }
        guard unconfirmed == 0 || isWritingPaused else { return }
        nio.turns.noteActivity()
        resumeIfDrained()
        if unconfirmed == 0, phase == .closing { end(cause: nil) }
    }

    private func cause(of error: any Error) -> TransportError? { TransportError.fromNIO(error, "sendfile") }

    /// Whether bytes may be written now; otherwise they are dropped and counted, and misuse is reported.
    private func acceptsWrite(_ name: String = "write") -> Bool {
        if isWriteEnded {
            native.misuse("Cannot call \(name)() after write_eof()", self, streamProtocol)
            droppedWriteCount += 1
            return false
        }
        if phase == .open {
            guard isChannelGone else { return true }
            end(cause: .system(Errno.brokenPipe, "send"))
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

    func resumeIfDrained() {
        guard isWritingPaused, phase == .open || phase == .closing, writeBufferSize <= writeBufferLimits.low else {
            return
        }
        isWritingPaused = false
        nio.turns.noteActivity()
        do { try streamProtocol?.resumeWriting() } catch {
            native.report("protocol.resume_writing() failed", error, self, streamProtocol)
        }
    }
}
