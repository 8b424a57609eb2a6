public import AnyloopCore
import AnyloopNativeLoop

extension NIOLoop {
    /// Sends a file over `transport`, which neither reads nor takes writes until the completion (asyncio rule 93).
    @discardableResult
    public func sendFile(
        _ transport: any StreamTransport, _ source: SendFileSource, offset: Int64, count: Int?, allowsFallback: Bool,
        completion: @escaping (Result<Int, TransportError>) -> Void
    ) throws(TransportError) -> any Cancellable {
        guard let near = transport as? NIOStreamTransport, near.nio === self, case .descriptor(let file) = source else {
            guard allowsFallback || !(transport is NIOStreamTransport) else { throw .sendFileUnavailable }
            return try native.sendFile(
                transport, source, offset: offset, count: count, allowsFallback: allowsFallback, completion: completion)
        }
        guard !isClosed else { throw .loopClosed }
        try checkSendFile(transport, offset: offset, count: count)
        guard !near.refusal.contains(.sendingFile) else { throw .usage("Empty waiter is already set") }
        let work = FileWork()
        let wasReading = near.isReading
        near.pauseReading()
        near.refusal.insert(.sendingFile)
        let transfer = NIOFileTransfer(near, file: file, offset: offset, count: count ?? Int.max) { [native] result in
            near.refusal.remove(.sendingFile)
            work.part = nil
            if wasReading { near.resumeReading() }
            if case .failure(let error) = result, error.isSendFileUnavailable, allowsFallback, !near.isClosing {
                work.part = native.copyFile(near, source, offset: offset, count: count, completion)
            } else {
                completion(result)
            }
        }
        work.part = transfer
        transfer.sendNext()
        return work
    }
}
