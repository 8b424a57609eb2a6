/// Reacts to what happens on a stream transport (asyncio: `Protocol`).
///
/// The callbacks obey this grammar, on every loop:
///
///     made (data | pause | resume)* eof? (data-free, may still write) lost
///
/// None runs after `connectionLost`, none re-enters while another callback of the same protocol runs.
/// All run on the loop's thread. A callback that throws ends the connection: `connectionLost` gets
/// `TransportError.callback`, and the loop's exception handler hears of it (asyncio rules 64 to 66).
public protocol StreamProtocol: AnyObject {
    /// The first callback, once: the connection stands. Keep `transport` to write on it.
    func connectionMade(_ transport: any StreamTransport) throws

    /// The next bytes from the peer: at least one, lent for the length of the call only.
    func dataReceived(_ data: Span<UInt8>) throws

    /// The peer ended its side. True keeps ours open for writing; false closes once what is queued is sent.
    func eofReceived() throws -> Bool

    /// The last callback, once. `error` is nil after a clean close or end of stream.
    func connectionLost(_ error: TransportError?) throws

    /// The write buffer went above the high watermark: stop writing. Paired with `resumeWriting`.
    func pauseWriting() throws

    /// The write buffer drained to the low watermark or below: go on.
    func resumeWriting() throws
}

extension StreamProtocol {
    /// Does nothing.
    public func connectionMade(_ transport: any StreamTransport) {}
    /// Closes the transport.
    public func eofReceived() -> Bool { false }
    /// Does nothing.
    public func connectionLost(_ error: TransportError?) {}
    /// Does nothing.
    public func pauseWriting() {}
    /// Does nothing.
    public func resumeWriting() {}
}

/// Reacts to what happens on a datagram transport (asyncio: `DatagramProtocol`).
///
///     made (datagram | error | pause | resume)* lost
public protocol DatagramProtocol: AnyObject {
    /// The first callback, once: the endpoint is open.
    func connectionMade(_ transport: any DatagramTransport) throws

    /// One datagram, possibly empty, lent for the length of the call. `address` is nil where the peer has none.
    func datagramReceived(_ data: Span<UInt8>, from address: SocketAddress?) throws

    /// A send or receive failed (for example `ECONNREFUSED` by ICMP); the endpoint stays open (asyncio rule 111).
    func errorReceived(_ error: TransportError) throws

    /// The last callback, once.
    func connectionLost(_ error: TransportError?) throws

    /// The send buffer went above the high watermark.
    func pauseWriting() throws

    /// The send buffer drained to the low watermark or below.
    func resumeWriting() throws
}

extension DatagramProtocol {
    /// Does nothing.
    public func connectionMade(_ transport: any DatagramTransport) {}
    /// Does nothing.
    public func errorReceived(_ error: TransportError) {}
    /// Does nothing.
    public func connectionLost(_ error: TransportError?) {}
    /// Does nothing.
    public func pauseWriting() {}
    /// Does nothing.
    public func resumeWriting() {}
}
