import AnyloopCore

extension ProcessLoop where Self: TaskLoop {
    /// Starts `program` and returns once `connectionMade` has run (asyncio: `subprocess_exec`, rules 116, 117).
    ///
    /// - Throws: as `ProcessLoop.subprocessExec`; `TransportError.cancelled` with the task, which kills the process.
    public nonisolated(nonsending) func subprocessExec<Made: SubprocessProtocol>(
        _ protocolFactory: @escaping () throws -> Made, _ program: String, _ arguments: [String] = [],
        options: SubprocessOptions = SubprocessOptions()
    ) async throws(TransportError) -> (transport: any SubprocessTransport, protocol: Made) {
        try await start(protocolFactory) { (factory, completion) throws(TransportError) in
            try subprocessExec(
                program, arguments, options: options, protocolFactory: factory, completion: completion)
        }
    }

    /// Starts `/bin/sh -c command`; otherwise as `subprocessExec` (asyncio: `subprocess_shell`).
    ///
    /// - Throws: as `subprocessExec`.
    public nonisolated(nonsending) func subprocessShell<Made: SubprocessProtocol>(
        _ protocolFactory: @escaping () throws -> Made, _ command: String,
        options: SubprocessOptions = SubprocessOptions()
    ) async throws(TransportError) -> (transport: any SubprocessTransport, protocol: Made) {
        try await start(protocolFactory) { (factory, completion) throws(TransportError) in
            try subprocessShell(command, options: options, protocolFactory: factory, completion: completion)
        }
    }

    private nonisolated(nonsending) func start<Made: SubprocessProtocol>(
        _ protocolFactory: @escaping () throws -> Made,
        _ start: (
            () throws -> any SubprocessProtocol, @escaping (Result<Void, TransportError>) -> Void
        ) throws(TransportError) -> any SubprocessTransport
    ) async throws(TransportError) -> (transport: any SubprocessTransport, protocol: Made) {
        var made: Made?
        var transport: (any SubprocessTransport)?
        do throws(TransportError) {
            try await wait { (done: @escaping (Result<Void, TransportError>) -> Void) throws(TransportError) in
                transport = try start(
                    {
                        let new = try protocolFactory()
                        made = new
                        return new
                    }, done)
                return nil
            }
        } catch {
            transport?.close()
            throw error
        }
        guard let transport, let made else { throw .usage("the protocol factory was not called") }
        return (transport, made)
    }
}
