import AnyloopCore
import CAnyloopSystem

/// The end of a pipe that is read (asyncio: `_UnixReadPipeTransport`).
final class NativeReadPipe: NativePipe {
    private var isPaused = false
    private var isStarted = false

    init(loop: NativeLoop, descriptor: Int32, protocol streamProtocol: any StreamProtocol) {
        super.init(loop: loop, descriptor: descriptor, direction: .reading, protocol: streamProtocol)
    }

    override func start() {
        isStarted = true
        if isReading { widen(.read) }
    }

    override var isReading: Bool { !isPaused && !isClosing }

    override func pauseReading() {
        guard isReading else { return }
        isPaused = true
        narrow(.read)
    }

    override func resumeReading() {
        guard !isClosing, isPaused else { return }
        isPaused = false
        if isStarted { widen(.read) }
    }

    override func ready(_ events: Interest) {
        let count = unsafe anyloop_read(descriptor, native.scratch.baseAddress, native.scratch.count)
        if count > 0 {
            guarded {
                let bytes = unsafe UnsafeBufferPointer(rebasing: native.scratch[..<Int(count)])
                try streamProtocol?.dataReceived(unsafe bytes.span)
            }
        } else if count == 0 {
            receiveEnd()
        } else if !Errno.isTransient(Int32(-count)) {
            fail(.system(Int32(-count), "read"))
        }
    }

    /// `eofReceived` and `connectionLost` come one after the other; what the first answers does not count.
    private func receiveEnd() {
        beginClosing()
        narrow(.read)
        native.callSoon { _ = try self.streamProtocol?.eofReceived() }
        lose(nil)
    }

    /// Ends with `error`; the end of a terminal (`EIO`) is nothing to report.
    private func fail(_ error: TransportError) {
        if error.errno != Errno.io {
            native.report("Fatal read error on pipe transport", error, self, streamProtocol)
        }
        lose(error)
    }
}
