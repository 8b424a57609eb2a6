import AnyloopCore
import CAnyloopSystem

extension NativeLoop: SendFileLoop {
    /// Sends a file over `transport`, which neither reads nor takes writes until the completion (rule 93).
    public func sendFile(
        _ transport: any StreamTransport, descriptor: Int32, offset: Int64, count: Int?, allowsFallback: Bool,
        completion: @escaping (Result<Int, TransportError>) -> Void
    ) throws(TransportError) {
        guard !isClosed else { throw .loopClosed }
        try checkSendFile(transport, offset: offset, count: count)
        let fallback = { [self] in
            FileCopy(loop: self, transport: transport, file: descriptor, offset: offset, count: count, completion)
                .start()
        }
        guard let transport = transport as? NativeStreamTransport, transport.native === self else {
            guard allowsFallback else {
                throw .usage(
                    "fallback is disabled and native sendfile is not supported for transport \(type(of: transport))")
            }
            return fallback()
        }
        guard !transport.isSendingFile else { throw .usage("Empty waiter is already set") }
        let wasReading = transport.isReading
        transport.pauseReading()
        let transfer = FileTransfer(
            file: descriptor, offset: offset, count: count ?? Int.max, loop: self, readsByItself: false
        ) { result in
            transport.isSendingFile = false
            if wasReading { transport.resumeReading() }
            if case .success(let sent) = result, sent > 0 {
                _ = anyloop_seek(descriptor, offset + Int64(sent))
            }
            if case .failure(let error) = result, error.isSendFileUnavailable, allowsFallback, !transport.isClosing {
                fallback()
            } else {
                completion(result)
            }
        }
        transport.send(transfer)
        transport.isSendingFile = true
    }
}

extension CompatLoop: SendFileLoop {
    /// Sends a file over `transport`, which neither reads nor takes writes until the completion (rule 93).
    public func sendFile(
        _ transport: any StreamTransport, descriptor: Int32, offset: Int64, count: Int?, allowsFallback: Bool,
        completion: @escaping (Result<Int, TransportError>) -> Void
    ) throws(TransportError) {
        try native.sendFile(
            transport, descriptor: descriptor, offset: offset, count: count, allowsFallback: allowsFallback,
            completion: completion)
    }
}
