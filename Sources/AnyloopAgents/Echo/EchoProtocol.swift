import AnyloopCore

/// Sends every byte back (RFC 862), and reads no faster than the peer takes it.
///
/// When the peer stops reading, the write buffer rises above its high watermark and reading pauses until it
/// has drained: what is held is bounded by the watermark and one read.
public final class EchoProtocol: StreamProtocol {
    private let service: EchoService?
    private var transport: (any StreamTransport)?

    /// An echo for one connection, known to no server.
    public convenience init() {
        self.init(service: nil)
    }

    init(service: EchoService?) {
        self.service = service
    }

    /// Keeps the transport.
    public func connectionMade(_ transport: any StreamTransport) {
        self.transport = transport
        service?.add(self, transport)
    }

    /// Sends `data` back.
    public func dataReceived(_ data: Span<UInt8>) {
        transport?.write(data)
    }

    /// Closes once everything went back.
    public func eofReceived() -> Bool { false }

    /// Stops reading while the peer does not take its echo.
    public func pauseWriting() {
        transport?.pauseReading()
    }

    /// Reads on.
    public func resumeWriting() {
        transport?.resumeReading()
    }

    /// Lets go of the transport.
    public func connectionLost(_ error: TransportError?) {
        transport = nil
        service?.remove(self)
    }
}
