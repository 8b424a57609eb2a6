import AnyloopCore
import CAnyloopSystem

extension NativeLoop: SendFileLoop {
    /// Sends a file over `transport`, which neither reads nor takes writes until the completion (rule 93).
    @discardableResult
    public func sendFile(
        _ transport: any StreamTransport, _ source: SendFileSource, offset: Int64, count: Int?, allowsFallback: Bool,
        completion: @escaping (Result<Int, TransportError>) -> Void
    ) throws(TransportError) -> any Cancellable {
        guard !isClosed else { throw .loopClosed }
        try checkSendFile(transport, offset: offset, count: count)
        let copy = { [self] in
            FileCopy(
                loop: self, transport: transport, source: source, offset: offset, count: count, completion)
        }
        guard let near = transport as? NativeStreamTransport, near.native === self else {
            guard allowsFallback else {
                throw .usage(
                    "fallback is disabled and native sendfile is not supported for transport <\(type(of: transport))>")
            }
            return copy().started()
        }
        guard !near.refusal.contains(.sendingFile) else { throw .usage("Empty waiter is already set") }
        guard case .descriptor(let file) = source else {
            guard allowsFallback else { throw .sendFileUnavailable }
            return copy().started()
        }
        let work = FileWork()
        let wasReading = near.isReading
        near.pauseReading()
        let transfer = FileTransfer(
            file: file, offset: offset, count: count ?? Int.max, loop: self, isExclusive: true
        ) { result in
            near.refusal.remove(.sendingFile)
            work.part = nil
            if wasReading { near.resumeReading() }
            if case .failure(let error) = result, error.isSendFileUnavailable, allowsFallback, !near.isClosing {
                work.part = copy().started()
            } else {
                completion(result)
            }
        }
        transfer.wake = { near.writeReady() }
        work.part = transfer
        near.send(transfer)
        near.refusal.insert(.sendingFile)
        return work
    }
}

extension NativeLoop {
    /// Reads a file and writes it to `transport`, whatever both are (asyncio: `_sendfile_fallback`).
    package func copyFile(
        _ transport: any StreamTransport, _ source: SendFileSource, offset: Int64, count: Int?,
        _ completion: @escaping (Result<Int, TransportError>) -> Void
    ) -> any Cancellable {
        FileCopy(loop: self, transport: transport, source: source, offset: offset, count: count, completion).started()
    }
}

/// The part of a sending that is under way.
package final class FileWork: Cancellable {
    package var part: (any Cancellable)?

    package init() {}

    package func cancel() { part?.cancel() }
}

extension NativeLoopFacade {
    /// Sends a file over `transport`, which neither reads nor takes writes until the completion (rule 93).
    @discardableResult
    public func sendFile(
        _ transport: any StreamTransport, _ source: SendFileSource, offset: Int64, count: Int?, allowsFallback: Bool,
        completion: @escaping (Result<Int, TransportError>) -> Void
    ) throws(TransportError) -> any Cancellable {
        try native.sendFile(
            transport, source, offset: offset, count: count, allowsFallback: allowsFallback, completion: completion)
    }
}
