import AnyloopCore
import CAnyloopSystem

/// A datagram socket on a `NativeLoop`: UDP or Unix.
final class NativeDatagramTransport: Watcher, DatagramTransport {
    private struct Waiting {
        var bytes: [UInt8]
        var address: SocketAddress?
    }

    let native: NativeLoop
    private(set) var datagramProtocol: (any DatagramProtocol)?
    private(set) var writeBufferLimits = WriteBufferLimits.standard
    private(set) var writeBufferSize = 0
    private(set) var droppedWriteCount = 0
    private(set) var socketName: SocketAddress?
    let peerName: SocketAddress?

    private var phase = NativeStreamTransport.Phase.open
    private var isMade = false
    private var isWritingPaused = false
    private var cause: TransportError?
    private var waiting: [Waiting] = []
    private var head = 0
    /// Bytes that a waiting datagram counts beyond its own, so that empty ones have a limit too.
    private static let overhead = 8

    init(
        loop: NativeLoop, descriptor: Int32, protocol datagramProtocol: any DatagramProtocol, peer: SocketAddress?
    ) {
        native = loop
        self.datagramProtocol = datagramProtocol
        socketName = .bound(descriptor)
        peerName = peer
        super.init(descriptor: descriptor)
        loop.attach(self)
    }

    var loop: any Loop { native.facade ?? native }

    var isClosing: Bool { phase != .open }

    func callConnectionMade() {
        guard phase != .over else { return }
        isMade = true
        do { try datagramProtocol?.connectionMade(self) } catch {
            native.report("Exception in callback connection_made", error, self)
        }
    }

    func startReading() {
        guard phase == .open else { return }
        let code = native.watch(self, interest.union(.read))
        if code != 0 { end(cause: .system(code, "watching a datagram socket")) }
    }

    // MARK: Receiving

    override func ready(_ events: Interest) {
        if events.contains(.read) { readReady() }
        if events.contains(.write), interest.contains(.write) { writeReady() }
    }

    private func readReady() {
        let budget = native.discipline == .asyncio ? 1 : native.options.datagramBudget
        var peer = anyloop_address()
        for _ in 0..<budget {
            let count = unsafe anyloop_receive_from(
                descriptor, native.scratch.baseAddress, native.scratch.count, &peer)
            if count < 0 {
                guard !Errno.isTransient(Int32(-count)) else { return }
                tellError(.system(Int32(-count), "recvfrom"))
            } else {
                tellDatagram(count: Int(count), from: SocketAddress(peer))
            }
            guard phase == .open else { return }
        }
    }

    private func tellDatagram(count: Int, from address: SocketAddress?) {
        guard let datagramProtocol else { return }
        // Not `scratch.span.extracting`: Swift 6.3's optimiser dies on that.
        let bytes = unsafe UnsafeBufferPointer(rebasing: native.scratch[..<count])
        do { try datagramProtocol.datagramReceived(unsafe bytes.span, from: address) } catch {
            native.report("Exception in callback datagram_received", error, self)
        }
    }

    private func tellError(_ error: TransportError) {
        do { try datagramProtocol?.errorReceived(error) } catch {
            native.report("Exception in callback error_received", error, self)
        }
    }

    // MARK: Sending

    func send(_ bytes: Span<UInt8>, to address: SocketAddress?) {
        guard phase == .open else {
            droppedWriteCount += 1
            return
        }
        if let peerName {
            guard address == nil || address == peerName else {
                return refuse(.argument("Invalid address: must be None or \(peerName)"))
            }
        } else if address == nil {
            return refuse("this endpoint has no peer; name an address to send to")
        }
        let target = peerName == nil ? address : nil
        if head == waiting.count {
            let code = unsafe bytes.withUnsafeBufferPointer { unsafe transmit($0, to: target) }
            guard Errno.isTransient(code) else {
                if code != 0 { tellError(.system(code, "sendto")) }
                return
            }
        }
        guard waiting.count - head < native.options.datagramQueueLimit else {
            droppedWriteCount += 1
            return tellError(.system(Errno.noBuffers, "sendto"))
        }
        let copy = unsafe bytes.withUnsafeBufferPointer { unsafe Array($0) }
        waiting.append(Waiting(bytes: copy, address: target))
        writeBufferSize += bytes.count + Self.overhead
        let code = native.watch(self, interest.union(.write))
        if code != 0 { return end(cause: .system(code, "watching a datagram socket")) }
        pauseIfFull()
    }

    private func refuse(_ misuse: UsageError) {
        droppedWriteCount += 1
        tellError(.usage(misuse))
    }

    /// 0, or an `errno`.
    private func transmit(_ bytes: UnsafeBufferPointer<UInt8>, to address: SocketAddress?) -> Int32 {
        var packed = anyloop_address()
        if let address {
            do { packed = try address.packed() } catch { return Errno.invalid }
        }
        let count = unsafe anyloop_send_to(descriptor, bytes.baseAddress, bytes.count, &packed)
        return count < 0 ? Int32(-count) : 0
    }

    private func writeReady() {
        for _ in 0..<native.options.datagramBudget where head < waiting.count {
            let next = waiting[head]
            let code = unsafe next.bytes.withUnsafeBufferPointer { unsafe transmit($0, to: next.address) }
            if Errno.isTransient(code) { break }
            waiting[head].bytes = []
            head += 1
            writeBufferSize -= next.bytes.count + Self.overhead
            if code != 0 {
                tellError(.system(code, "sendto"))
                guard phase == .open || phase == .closing else { return }
            }
        }
        if head == waiting.count {
            waiting = []
            head = 0
        } else if head >= 256, head * 2 > waiting.count {
            waiting.removeSubrange(..<head)
            head = 0
        }
        resumeIfDrained()
        guard head == waiting.count, phase == .open || phase == .closing else { return }
        native.watch(self, interest.subtracting(.write))
        if phase == .closing { end(cause: nil) }
    }

    func setWriteBufferLimits(_ limits: WriteBufferLimits) {
        writeBufferLimits = limits
        pauseIfFull()
    }

    private func pauseIfFull() {
        guard !isWritingPaused, phase == .open || phase == .closing, writeBufferSize > writeBufferLimits.high else {
            return
        }
        isWritingPaused = true
        do { try datagramProtocol?.pauseWriting() } catch {
            native.report("protocol.pause_writing() failed", error, self)
        }
    }

    private func resumeIfDrained() {
        guard isWritingPaused, writeBufferSize <= writeBufferLimits.low else { return }
        isWritingPaused = false
        do { try datagramProtocol?.resumeWriting() } catch {
            native.report("protocol.resume_writing() failed", error, self)
        }
    }

    // MARK: Ending

    func close() {
        guard phase == .open else { return }
        guard head < waiting.count else { return end(cause: nil) }
        phase = .closing
        native.watch(self, interest.subtracting(.read))
    }

    func abort() { end(cause: nil) }

    private func end(cause: TransportError?) {
        guard phase == .open || phase == .closing else { return }
        phase = .ending
        self.cause = cause
        native.watch(self, [])
        waiting = []
        head = 0
        writeBufferSize = 0
        native.end(self)
    }

    override func finish() {
        guard phase == .ending else { return }
        phase = .over
        do { if isMade { try datagramProtocol?.connectionLost(cause) } } catch {
            native.report("Exception in callback connection_lost", error, self)
        }
        datagramProtocol = nil
        native.detach(self)
        _ = anyloop_close(descriptor)
        descriptor = -1
    }

    override func loopCloses() { end(cause: .loopClosed) }
}
