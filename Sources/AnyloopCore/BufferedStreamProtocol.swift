/// A stream protocol that says where received bytes go, so that they need no copy (asyncio: `BufferedProtocol`).
///
/// Where a transport can, it receives into the lent buffer itself; elsewhere the default `dataReceived` copies, with
/// the same callbacks (rules 104 to 106). Everything else is as in `StreamProtocol`.
public protocol BufferedStreamProtocol: StreamProtocol {
    /// Lends `receive` the place for the next bytes: calls it once, with at least one byte of room (asyncio:
    /// `get_buffer`).
    ///
    /// An array is lent without a copy so:
    ///
    ///     var lent = buffer
    ///     buffer = []
    ///     defer { buffer = lent }
    ///     var span = lent.mutableSpan
    ///     receive(&span)
    ///
    /// Called before each receive, also the one that finds the end. Room of zero, no call at all and an error end
    /// the connection (rules 105, 106). `sizeHint` is how much is about to come, -1 where that is not known.
    func lendBuffer(sizeHint: Int, to receive: (inout MutableSpan<UInt8>) -> Void) throws

    /// `count` bytes, at least one, are in the buffer that was lent last.
    func bufferUpdated(_ count: Int) throws
}

extension BufferedStreamProtocol {
    /// Copies `data` into lent buffers, as many as it takes.
    public func dataReceived(_ data: Span<UInt8>) throws {
        var offset = 0
        while offset < data.count {
            var count = 0
            try lendBuffer(sizeHint: data.count - offset) { buffer in
                count = min(buffer.count, data.count - offset)
                for index in 0..<count { buffer[index] = data[offset + index] }
            }
            guard count > 0 else { throw UsageError("get_buffer() returned an empty buffer") }
            try bufferUpdated(count)
            offset += count
        }
    }
}
