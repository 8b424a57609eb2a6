import AnyloopCore

extension TaskLoop {
    /// Takes over a connected stream socket and returns once `connectionMade` has run (asyncio:
    /// `connect_accepted_socket`, rule 61).
    ///
    /// - Throws: `TransportError.usage` for a descriptor that is no stream socket; `.cancelled` with the task.
    public nonisolated(nonsending) func connectAcceptedSocket<Made: StreamProtocol>(
        _ protocolFactory: @escaping () throws -> Made, socket: Int32
    ) async throws(TransportError) -> (transport: any StreamTransport, protocol: Made) {
        try await createConnection(protocolFactory, socket: socket)
    }

    /// Reads a pipe and returns once `connectionMade` has run (asyncio: `connect_read_pipe`, rule 115).
    ///
    /// - Throws: as `PipeLoop.connectReadPipe`; `TransportError.usage` on a loop without pipes; `.cancelled`.
    public nonisolated(nonsending) func connectReadPipe<Made: StreamProtocol>(
        _ protocolFactory: @escaping () throws -> Made, descriptor: Int32
    ) async throws(TransportError) -> (transport: any PipeTransport, protocol: Made) {
        try await connectPipe(protocolFactory) { (loop, make) throws(TransportError) in
            try loop.connectReadPipe(descriptor: descriptor, protocolFactory: make)
        }
    }

    /// Writes to a pipe and returns once `connectionMade` has run (asyncio: `connect_write_pipe`, rule 115).
    ///
    /// - Throws: as `PipeLoop.connectWritePipe`; `TransportError.usage` on a loop without pipes; `.cancelled`.
    public nonisolated(nonsending) func connectWritePipe<Made: StreamProtocol>(
        _ protocolFactory: @escaping () throws -> Made, descriptor: Int32
    ) async throws(TransportError) -> (transport: any PipeTransport, protocol: Made) {
        try await connectPipe(protocolFactory) { (loop, make) throws(TransportError) in
            try loop.connectWritePipe(descriptor: descriptor, protocolFactory: make)
        }
    }

    private nonisolated(nonsending) func connectPipe<Made: StreamProtocol>(
        _ protocolFactory: @escaping () throws -> Made,
        _ connect: (any PipeLoop, () throws -> any StreamProtocol) throws(TransportError) -> any PipeTransport
    ) async throws(TransportError) -> (transport: any PipeTransport, protocol: Made) {
        try checkThread()
        guard let loop = self as? any PipeLoop else {
            throw .usage(.notImplemented("this loop connects no pipes; use another"))
        }
        var made: Made?
        let transport = try connect(loop) {
            let new = try protocolFactory()
            made = new
            return new
        }
        try await waitUntilMade(transport)
        guard let made else { throw .usage("the protocol factory was not called") }
        return (transport, made)
    }

    /// Starts a program and gives its streams (asyncio: `create_subprocess_exec`, rules 116 to 118).
    ///
    /// As in asyncio, a stream that `options` do not say otherwise of is this process's own. `limit` is the readers'.
    ///
    /// - Throws: as `ProcessLoop.subprocessExec`; `TransportError.usage` on a loop without processes, or for a limit
    ///   of zero or less; `.cancelled` with the task.
    public nonisolated(nonsending) func createSubprocessExec(
        _ program: String, _ arguments: [String] = [],
        options: SubprocessOptions = SubprocessOptions(stdin: .inherit, stdout: .inherit, stderr: .inherit),
        limit: Int = StreamReader.standardLimit
    ) async throws(TransportError) -> AsyncProcess {
        try await makeProcess(limit) { (loop, make, completion) throws(TransportError) in
            try loop.subprocessExec(
                program, arguments, options: options, protocolFactory: make, completion: completion)
        }
    }

    /// Starts `/bin/sh -c command` and gives its streams (asyncio: `create_subprocess_shell`).
    ///
    /// - Throws: as `createSubprocessExec`.
    public nonisolated(nonsending) func createSubprocessShell(
        _ command: String,
        options: SubprocessOptions = SubprocessOptions(stdin: .inherit, stdout: .inherit, stderr: .inherit),
        limit: Int = StreamReader.standardLimit
    ) async throws(TransportError) -> AsyncProcess {
        try await makeProcess(limit) { (loop, make, completion) throws(TransportError) in
            try loop.subprocessShell(command, options: options, protocolFactory: make, completion: completion)
        }
    }

    private nonisolated(nonsending) func makeProcess(
        _ limit: Int,
        _ start: (
            any ProcessLoop, () throws -> any SubprocessProtocol,
            @escaping (Result<Void, TransportError>) -> Void
        ) throws(TransportError) -> any SubprocessTransport
    ) async throws(TransportError) -> AsyncProcess {
        try checkThread()
        guard let loop = self as? any ProcessLoop else {
            throw .usage(.notImplemented("this loop runs no processes; use another"))
        }
        // A wrong limit is told before there is a process.
        _ = try StreamReader(loop: self, limit: limit)
        let streams = ProcessStreams(loop: self, limit: limit)
        var transport: (any SubprocessTransport)?
        do throws(TransportError) {
            try await wait {
                (done: @escaping (Result<Void, TransportError>) -> Void) throws(TransportError) in
                transport = try start(loop, { streams }, done)
                return nil
            }
        } catch {
            transport?.close()
            throw error
        }
        guard let transport else { throw .usage("the process was not made") }
        return AsyncProcess(loop: self, transport: transport, streams: streams)
    }
}
