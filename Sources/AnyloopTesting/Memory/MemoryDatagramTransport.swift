import AnyloopCore

/// A datagram endpoint among those of one `MemoryLoop`; datagrams to nobody are dropped, as on a network.
final class MemoryDatagramTransport: DatagramTransport {
    /// The largest datagram, in bytes: UDP over IPv4 without options.
    static let sizeLimit = 65507
    /// Datagrams an endpoint holds until it reads them; further ones are dropped.
    static let queueLimit = 1024

    let memoryLoop: MemoryLoop
    let socketName: SocketAddress?
    let peerName: SocketAddress?
    private(set) var datagramProtocol: (any DatagramProtocol)?
    private(set) var isClosing = false
    private(set) var droppedWriteCount = 0
    private(set) var writeBufferLimits = WriteBufferLimits.standard
    private var inbox: [(bytes: [UInt8], source: SocketAddress?)] = []
    private var inboxStart = 0
    private var failures: [TransportError] = []
    private var endError: TransportError?
    private var isStarted = false
    private var isDetached = false

    init(loop: MemoryLoop, socketName: SocketAddress?, peerName: SocketAddress?) {
        memoryLoop = loop
        self.socketName = socketName
        self.peerName = peerName
    }

    var loop: any Loop { memoryLoop }
    var writeBufferSize: Int { 0 }

    func setWriteBufferLimits(_ limits: WriteBufferLimits) { writeBufferLimits = limits }

    func start(_ datagramProtocol: any DatagramProtocol) {
        self.datagramProtocol = datagramProtocol
        memoryLoop.ready.append(.datagramMade(self))
    }

    func performMade() {
        call("connection_made") { try $0.connectionMade(self) }
        isStarted = true
        memoryLoop.enlist(self)
    }

    func send(_ bytes: Span<UInt8>, to address: SocketAddress?) {
        guard !isClosing else {
            droppedWriteCount += 1
            return
        }
        guard let target = address ?? peerName else {
            fail(.usage("this endpoint has no peer: send to an address"))
            return
        }
        if let peerName, target != peerName {
            fail(.usage(.argument("Invalid address: must be None or \(peerName)")))
            return
        }
        guard bytes.count <= MemoryDatagramTransport.sizeLimit else {
            fail(.system(SystemError(errno: 90, operation: "sendto", text: "Message too long")))
            return
        }
        let receiver = memoryLoop.datagrams[target] ?? target.wildcard.flatMap { memoryLoop.datagrams[$0] }
        guard let receiver, !receiver.isClosing else {
            if peerName != nil {
                fail(.system(SystemError(errno: 111, operation: "recvfrom", text: "Connection refused")))
            }
            return
        }
        receiver.receive(bytes, from: socketName)
    }

    private func receive(_ bytes: Span<UInt8>, from source: SocketAddress?) {
        guard peerName == nil || peerName == source else { return }
        guard inbox.count - inboxStart < MemoryDatagramTransport.queueLimit else { return }
        var copy: [UInt8] = []
        unsafe bytes.withUnsafeBufferPointer { unsafe copy.append(contentsOf: $0) }
        inbox.append((copy, source))
        memoryLoop.enlist(self)
    }

    private func fail(_ error: TransportError) {
        failures.append(error)
        memoryLoop.enlist(self)
    }

    /// One datagram or one error, as one `recvfrom` of a readable event.
    func readEvent() {
        guard isStarted, !isClosing else { return }
        if !failures.isEmpty {
            let error = failures.removeFirst()
            call("error_received") { try $0.errorReceived(error) }
        } else if inboxStart < inbox.count {
            let (bytes, source) = inbox[inboxStart]
            inboxStart += 1
            if inboxStart == inbox.count {
                inbox.removeAll(keepingCapacity: true)
                inboxStart = 0
            }
            do {
                try LentBuffer(bytes.span).lend { lent throws in
                    try datagramProtocol?.datagramReceived(lent, from: source)
                }
            } catch {
                report("Exception in callback datagram_received()", error)
            }
        }
        if !isClosing, inboxStart < inbox.count || !failures.isEmpty { memoryLoop.enlist(self) }
    }

    func close() { end(with: nil) }

    func end(with error: TransportError?) {
        guard !isClosing else { return }
        isClosing = true
        endError = error
        memoryLoop.ready.append(.datagramLost(self))
    }

    func abort() { close() }

    func performLost() {
        guard !isDetached else { return }
        isDetached = true
        if let socketName, memoryLoop.datagrams[socketName] === self { memoryLoop.datagrams[socketName] = nil }
        call("connection_lost") { try $0.connectionLost(endError) }
        datagramProtocol = nil
        inbox = []
        inboxStart = 0
    }

    private func call(_ name: String, _ body: (any DatagramProtocol) throws -> Void) {
        guard let datagramProtocol else { return }
        do { try body(datagramProtocol) } catch { report("Exception in callback \(name)()", error) }
    }

    private func report(_ message: String, _ error: any Error) {
        memoryLoop.callExceptionHandler(LoopException(message: message, error: error, transport: self))
    }
}
