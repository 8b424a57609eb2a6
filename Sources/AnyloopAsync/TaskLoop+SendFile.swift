import AnyloopCore

extension SendFileLoop where Self: TaskLoop {
    /// Sends a file over `transport`; the number of bytes sent (asyncio: `sendfile`, rule 93).
    ///
    /// Meanwhile the transport neither reads nor takes writes. Cancelling the task calls the rest of the file off.
    ///
    /// - Throws: as `SendFileLoop.sendFile`, and what its completion got; `TransportError.cancelled` with the task.
    public nonisolated(nonsending) func sendFile(
        _ transport: any StreamTransport, _ source: SendFileSource, offset: Int64 = 0, count: Int? = nil,
        fallback: Bool = true
    ) async throws(TransportError) -> Int {
        try await wait { (done: @escaping (Result<Int, TransportError>) -> Void) throws(TransportError) in
            try sendFile(
                transport, source, offset: offset, count: count, allowsFallback: fallback, completion: done)
        }
    }
}
