import AnyloopCore
import CAnyloopSystem

/// The end of a pipe that is written (asyncio: `_UnixWritePipeTransport`).
final class NativeWritePipe: NativePipe {
    /// Whether the reader's going can be seen by watching for input; not with devices.
    private let noticesReader: Bool
    /// What waits, from `start` on.
    private var buffer: [UInt8] = []
    private var sent = 0
    /// A write failed, which ended the pipe.
    private var hasFailed = false

    init(loop: NativeLoop, descriptor: Int32, protocol streamProtocol: any StreamProtocol, noticesReader: Bool) {
        self.noticesReader = noticesReader
        super.init(loop: loop, descriptor: descriptor, direction: .writing, protocol: streamProtocol)
    }

    override func start() {
        // The writing end of a pipe is "readable" once nobody reads the other.
        if noticesReader, !isClosing { widen(.read) }
    }

    override var writeBufferSize: Int { buffer.count - sent }

    override var canWriteEOF: Bool { true }

    // MARK: Writing

    override func write(_ bytes: Span<UInt8>) {
        unsafe bytes.withUnsafeBufferPointer { unsafe put($0) }
    }

    override func write(_ bytes: [UInt8]) {
        unsafe bytes.withUnsafeBufferPointer { unsafe put($0) }
    }

    override func write(contentsOf pieces: [[UInt8]]) {
        write(Array(pieces.joined()))
    }

    private func put(_ bytes: UnsafeBufferPointer<UInt8>) {
        guard bytes.count > 0 else { return }
        guard !isClosing else { return dropWrite() }
        var taken = 0
        if writeBufferSize == 0 {
            let count = unsafe anyloop_write(descriptor, bytes.baseAddress, bytes.count)
            if count == bytes.count { return }
            if count < 0, !Errno.isTransient(Int32(-count)) { return fail(Int32(-count)) }
            taken = max(0, Int(count))
            widen(.write)
        }
        unsafe buffer.append(contentsOf: bytes[taken...])
        pauseIfFull()
    }

    private func dropWrite() {
        // asyncio counts a failed write as a loss, and no other end.
        guard flow.drop(after: hasFailed ? 1 : 0) else { return }
        native.log(.warning, "pipe closed by peer or os.write(pipe, data) raised exception.")
    }

    private func fail(_ code: Int32) {
        hasFailed = true
        lose(.system(code, "write"))
    }

    override func setWriteBufferLimits(_ limits: WriteBufferLimits) {
        flow.limits = limits
        pauseIfFull()
    }

    private func pauseIfFull() {
        if flow.pauses(at: writeBufferSize) { tell(.pause) }
    }

    // MARK: Events

    override func ready(_ events: Interest) {
        if events.contains(.read), interest.contains(.read) { readerWent() }
        if events.contains(.write), interest.contains(.write) { writeReady() }
    }

    private func readerWent() {
        lose(writeBufferSize > 0 ? .system(Errno.brokenPipe, "write") : nil)
    }

    private func writeReady() {
        let offset = sent
        let count = unsafe buffer.withUnsafeBufferPointer {
            unsafe anyloop_write(descriptor, $0.baseAddress.map { unsafe $0 + offset }, $0.count - offset)
        }
        guard count >= 0 else {
            if !Errno.isTransient(Int32(-count)) { fail(Int32(-count)) }
            return
        }
        sent += Int(count)
        guard sent == buffer.count else {
            // Half of it gone: the rest moves to the front.
            if sent * 2 > buffer.count {
                buffer.removeFirst(sent)
                sent = 0
            }
            return
        }
        buffer = []
        sent = 0
        narrow(.write)
        // May write more.
        if flow.resumes(at: writeBufferSize) { tell(.resume) }
        if isClosing, writeBufferSize == 0 { finish() }
    }

    // MARK: Ending

    override func writeEOF() {
        guard !isClosing else { return }
        beginClosing()
        if writeBufferSize == 0 { lose(nil) }
    }

    override func close() { writeEOF() }

    override func lose(_ cause: TransportError?) {
        buffer = []
        sent = 0
        super.lose(cause)
    }
}
