/// What `SendFileLoop.sendFile` reads.
public enum SendFileSource: Sendable {
    /// A file that the system has open; it stays the caller's, and must stay open.
    case descriptor(Int32)
    /// Anything else that can be read at an offset, such as bytes in memory (Python: a file object without a
    /// descriptor).
    case file(any ReadableFile)
}

/// A file without a descriptor, for `SendFileSource.file`.
public protocol ReadableFile: AnyObject, Sendable {
    /// At most `count` bytes from `offset`; none at the end. Called on any thread, and may block.
    func read(_ count: Int, at offset: Int64) throws(TransportError) -> [UInt8]

    /// Leaves the file's position at `offset`; called on the loop's thread when the sending is over.
    func seek(to offset: Int64)
}

/// A loop that sends files over transports as asyncio does (rule 93).
public protocol SendFileLoop: Loop {
    /// Sends `count` bytes of `source` from `offset`, or all from there (asyncio: `sendfile`).
    ///
    /// What was written before goes first. Until the completion the transport does not read, and what is written to it
    /// is dropped and reported to the exception handler: 'unable to write; sendfile is in progress'.
    /// (`StreamTransport.sendFile` queues instead, in order with writes.) Afterwards the file's position is behind
    /// the last byte that was sent, if any was.
    ///
    /// Where the kernel cannot move the bytes by itself, they are read on a thread of the loop's pool, 256 KiB at a
    /// time, and written as the watermarks allow; the protocol's `pauseWriting` and `resumeWriting` are not called.
    /// Without `allowsFallback` that is an error (asyncio: `SendfileNotAvailableError`).
    ///
    /// - Parameter completion: runs later on the loop, with the number of bytes sent: fewer than `count` if the file
    ///   ended early. A failed send is told here; whether it ends the connection shows in reading on.
    /// - Returns: what calls the rest of the file off; the completion gets `TransportError.cancelled` then.
    /// - Throws: `TransportError.usage` with asyncio's texts: 'Transport is closing'; 'sendfile is not supported …'
    ///   for pipes; a `count` below 1, an `offset` below 0; a second file before the first is through.
    @discardableResult
    func sendFile(
        _ transport: any StreamTransport, _ source: SendFileSource, offset: Int64, count: Int?, allowsFallback: Bool,
        completion: @escaping (Result<Int, TransportError>) -> Void
    ) throws(TransportError) -> any Cancellable
}

/// What `SendFileLoop.sendFile` asks of its arguments, in asyncio's words.
package func checkSendFile(
    _ transport: any StreamTransport, offset: Int64, count: Int?
) throws(TransportError) {
    guard !transport.isClosing else { throw .transportIsClosing }
    guard !(transport is any PipeTransport) else {
        throw .usage("sendfile is not supported for transport \(type(of: transport))")
    }
    if let count, count <= 0 {
        throw .usage(.argument("count must be a positive integer (got \(count))"))
    }
    guard offset >= 0 else {
        throw .usage(.argument("offset must be a non-negative integer (got \(offset))"))
    }
}
