import AnyloopCore

/// One of a subprocess's pipes, as a protocol that tells the subprocess's transport
/// (asyncio: `ReadSubprocessPipeProto`, `WriteSubprocessPipeProto`).
final class SubprocessPipe: StreamProtocol {
    /// Held until the pipe is closed: whoever started the process may have let go of it.
    private var process: NativeSubprocess?
    private let number: Int32
    private(set) var transport: (any PipeTransport)?
    private(set) var isDisconnected = false

    init(_ process: NativeSubprocess, _ number: Int32) {
        self.process = process
        self.number = number
    }

    func connectionMade(_ transport: any StreamTransport) { self.transport = transport as? any PipeTransport }

    func dataReceived(_ data: Span<UInt8>) {
        var bytes: [UInt8] = []
        unsafe data.withUnsafeBufferPointer { unsafe bytes.append(contentsOf: $0) }
        process?.pipeDataReceived(number, bytes)
    }

    func connectionLost(_ error: TransportError?) {
        isDisconnected = true
        process?.pipeConnectionLost(number, error)
        process = nil
    }

    func pauseWriting() throws { try process?.subprocessProtocol?.pauseWriting() }

    func resumeWriting() throws { try process?.subprocessProtocol?.resumeWriting() }
}
