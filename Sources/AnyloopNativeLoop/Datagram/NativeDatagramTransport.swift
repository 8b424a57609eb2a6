import AnyloopCore
import AnyloopSystem
import CAnyloopSystem

/// A datagram socket on a `NativeLoop`: UDP or Unix.
final class NativeDatagramTransport: Watcher, DatagramTransport {
    private struct Waiting {
        var bytes: [UInt8]
        var address: SocketAddress?
    }

    let native: NativeLoop
    private(set) var datagramProtocol: (any DatagramProtocol)?
    private(set) var writeBufferSize = 0
    private(set) var socketName: SocketAddress?
    let peerName: SocketAddress?
    /// Whom this endpoint was made to talk to alone; a socket that came connected has a `peerName` only.
    private let address: SocketAddress?

    private var phase = NativeStreamTransport.Phase.open
    private var isMade = false
    private var flow = WriteFlow()
    private var cause: TransportError?
    private var waiting: [Waiting] = []
    private var head = 0

    init(
        loop: NativeLoop, descriptor: Int32, protocol datagramProtocol: any DatagramProtocol,
        address: SocketAddress?, peer: SocketAddress?
    ) {
        native = loop
        self.datagramProtocol = datagramProtocol
        socketName = .bound(descriptor)
        self.address = address
        peerName = peer
        super.init(descriptor: descriptor)
        loop.attach(self)
    }

    var loop: any Loop { native.facade ?? native }

    var isClosing: Bool { phase != .open }

    var writeBufferLimits: WriteBufferLimits { flow.limits }

    var droppedWriteCount: Int { flow.droppedCount }

    func callConnectionMade() {
        guard phase != .over else { return }
        isMade = true
        do { try datagramProtocol?.connectionMade(self) } catch {
            native.reportCallback("connection_made", error)
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
            native.reportCallback("datagram_received", error)
        }
    }

    private func tellError(_ error: TransportError) {
        do { try datagramProtocol?.errorReceived(error) } catch {
            native.reportCallback("error_received", error)
        }
    }

    // MARK: Sending

    func send(_ bytes: Span<UInt8>, to target: SocketAddress?) {
        guard accepts(target) else { return }
        let target = peerName == nil ? target : nil
        if head == waiting.count {
            let code = unsafe bytes.withUnsafeBufferPointer { unsafe transmit($0, to: target) }
            guard Errno.isTransient(code) else {
                if code != 0 { tellError(.system(code, "sendto")) }
                return
            }
        }
        // An endpoint without an address tries as long as it has its socket (rule 113), and no longer.
        guard phase == .open || phase == .closing else {
            flow.refuse()
            return
        }
        guard waiting.count - head < native.options.datagramQueueLimit else {
            flow.refuse()
            return tellError(.system(Errno.noBuffers, "sendto"))
        }
        let copy = unsafe bytes.withUnsafeBufferPointer { unsafe Array($0) }
        waiting.append(Waiting(bytes: copy, address: target))
        writeBufferSize += bytes.count
        let code = native.watch(self, interest.union(.write))
        if code != 0 { return end(cause: .system(code, "watching a datagram socket")) }
        pauseIfFull()
    }

    /// Whether a datagram to `target` may be sent now; otherwise it is dropped and counted.
    ///
    /// In asyncio's discipline an endpoint without an address sends until its socket is closed (rule 113), and
    /// misuse is an error of the caller's (rule 109) or ends the endpoint (rule 110).
    private func accepts(_ target: SocketAddress?) -> Bool {
        let isNative = native.discipline == .native
        if isNative, phase != .open {
            countDrop()
            return false
        }
        if let only = address ?? (isNative ? peerName : nil), let target, target != only {
            refuse(.argument("Invalid address: must be None or \(only)"))
            return false
        }
        if address != nil ? phase == .ending || phase == .over : phase == .over {
            countDrop()
            return false
        }
        guard peerName == nil, target == nil else { return true }
        if isNative {
            refuse("this endpoint has no peer; name an address to send to")
        } else {
            fail("Fatal write error on datagram transport", missingAddress)
        }
        return false
    }

    /// Python's words for a missing address.
    private var missingAddress: UsageError {
        switch socketName {
        case .v6: .type("sendto(): AF_INET6 address must be tuple, not NoneType")
        case .unix: .type("a bytes-like object is required, not 'NoneType'")
        default: .type("sendto(): AF_INET address must be tuple, not NoneType")
        }
    }

    private func refuse(_ misuse: UsageError) {
        flow.refuse()
        if native.discipline == .native {
            tellError(.usage(misuse))
        } else {
            native.misuse(misuse, self, datagramProtocol)
        }
    }

    private func countDrop() {
        // asyncio says so of endpoints with an address only.
        if flow.drop(), address != nil { native.logDroppedWrite() }
    }

    /// Reports `error` and ends the endpoint (asyncio: `_fatal_error`).
    private func fail(_ message: String, _ error: UsageError) {
        flow.refuse()
        native.report(message, TransportError.usage(error), self, datagramProtocol)
        end(cause: .usage(error))
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
            writeBufferSize -= next.bytes.count
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
        if flow.resumes(at: writeBufferSize) { tell(.resume) }
        guard head == waiting.count, phase == .open || phase == .closing else { return }
        native.watch(self, interest.subtracting(.write))
        guard phase == .closing else { return }
        end(cause: nil)
        // Straight from the write event, as a stream's (rule 94).
        if native.discipline == .asyncio { finish() }
    }

    func setWriteBufferLimits(_ limits: WriteBufferLimits) {
        flow.limits = limits
        pauseIfFull()
    }

    private func pauseIfFull() {
        guard phase == .open || phase == .closing, flow.pauses(at: writeBufferSize) else { return }
        tell(.pause)
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
            native.reportCallback("connection_lost", error)
        }
        datagramProtocol = nil
        native.detach(self)
        _ = anyloop_close(descriptor)
        descriptor = -1
    }

    override func loopCloses() { end(cause: .loopClosed) }
}
