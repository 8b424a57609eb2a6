import AnyloopCore
import AnyloopNativeLoop
import CAnyloopSystem
import NIOCore

extension NIOStreamTransport {
    func write(_ bytes: Span<UInt8>) {
        guard acceptsWrite(isEmpty: bytes.isEmpty), let context else { return }
        var buffer = context.channel.allocator.buffer(capacity: bytes.count)
        unsafe bytes.withUnsafeBytes { _ = unsafe buffer.writeBytes($0) }
        send(.byteBuffer(buffer))
    }

    func write(_ bytes: [UInt8]) { write(bytes.span) }

    func write(contentsOf pieces: [[UInt8]]) {
        let count = pieces.reduce(0) { $0 + $1.count }
        guard acceptsWrite("writelines", isEmpty: count == 0), let context else { return }
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
        if let error = refusal.fileError(isClosing: phase != .open, cause: cause) { return finish(.failure(error)) }
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
        guard let context, intake != .gone else { return completion(.failure(.transportIsClosing)) }
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
        guard phase == .open, !refusal.contains(.ended) else { return }
        refusal.insert(.ended)
        context?.close(mode: .output, promise: nil)
    }

    var writeBufferSize: Int {
        guard unconfirmed > 0, intake != .gone else { return 0 }
        return (try? context?.channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0
    }

    func setWriteBufferLimits(_ limits: WriteBufferLimits) {
        flow.limits = limits
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
        guard flow.isPaused || phase == .closing else { return }
        nio.turns.noteActivity()
        resumeIfDrained()
        if unconfirmed == 0, phase == .closing { end(cause: nil) }
    }

    /// Whether bytes may be written now; otherwise they are dropped and counted, and misuse is reported.
    private func acceptsWrite(_ call: String = "write", isEmpty: Bool) -> Bool {
        if let error = refusal.error(of: call) {
            flow.refuse()
            native.misuse(error, self, streamProtocol)
            return false
        }
        if isEmpty { return false }
        if phase == .open || phase == .closing {
            guard intake == .gone else { return true }
            end(cause: inbound.heldFailure ?? .system(Errno.brokenPipe, "send"))
            return false
        }
        if flow.drop() { native.logDroppedWrite() }
        return false
    }

    private func pauseIfFull() {
        // SwiftNIO is asked for the size only where it matters.
        guard unconfirmed > 0, !flow.isPaused, phase == .open || phase == .closing, flow.pauses(at: writeBufferSize)
        else { return }
        tell(.pause)
    }

    /// Asks for `resumeWriting` if the buffer is low: in the next turn, because SwiftNIO may be in the middle of writing,
    /// where what the protocol writes would only be queued, and the protocol may be, too.
    func resumeIfDrained() {
        guard flow.isPaused, phase != .over, flow.resumesLater(at: writeBufferSize) else { return }
        nio.turns.noteActivity()
        native.callSoon { [self] in
            if phase != .over, flow.resumes(at: writeBufferSize) { tell(.resume) }
        }
    }
}
