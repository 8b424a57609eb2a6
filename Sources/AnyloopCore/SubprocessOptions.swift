/// What a child process gets from its parent (asyncio: the keywords of `subprocess_exec`).
public struct SubprocessOptions: Sendable {
    /// What one of the process's first three descriptors is.
    public enum Stream: Hashable, Sendable {
        /// A pipe to this process (Python: `PIPE`).
        case pipe
        /// What this process has there (Python: `None`).
        case inherit
        /// The null device (Python: `DEVNULL`).
        case devNull
        /// An open descriptor of this process, which stays the caller's.
        case descriptor(Int32)
        /// What descriptor 1 is; for descriptor 2 only (Python: `STDOUT`).
        case standardOutput
    }

    /// The process's standard input.
    public var stdin: Stream
    /// The process's standard output.
    public var stdout: Stream
    /// The process's standard error.
    public var stderr: Stream
    /// The whole environment; nil hands this process's on.
    public var environment: [String: String]?
    /// Where the process starts; nil: where this process is.
    public var workingDirectory: String?
    /// Makes the process the leader of a session of its own, without a terminal (`setsid`).
    public var startNewSession = false
    /// The process group it joins, 0 for one of its own; nil: this process's.
    public var processGroup: Int32?
    /// Descriptors from 3 on that the process gets, under their numbers; every other one is closed there.
    public var passDescriptors: [Int32] = []

    /// Streams as asyncio's `subprocess_exec` has them by default: three pipes.
    public init(stdin: Stream = .pipe, stdout: Stream = .pipe, stderr: Stream = .pipe) {
        self.stdin = stdin
        self.stdout = stdout
        self.stderr = stderr
    }
}

/// A loop that runs child processes (asyncio rules 116 to 118).
public protocol ProcessLoop: PipeLoop {
    /// Starts `program`, which is looked for in `PATH` unless it has a slash, with `arguments`
    /// (asyncio: `subprocess_exec`).
    ///
    /// The process starts with no signal blocked. `connectionMade` comes once its pipes are connected, from the ready
    /// queue; `completion` runs when it has been queued, so that a task which `completion` resumes goes on after it.
    ///
    /// - Throws: `TransportError.system` if the program cannot be run (`ENOENT`, `EACCES`, …) or there are no more
    ///   descriptors or processes; `.usage` for texts with a NUL and wrong options; `.callback` if the factory threw;
    ///   `.loopClosed`.
    @discardableResult
    func subprocessExec(
        _ program: String, _ arguments: [String], options: SubprocessOptions,
        protocolFactory: () throws -> any SubprocessProtocol,
        completion: @escaping (Result<Void, TransportError>) -> Void
    ) throws(TransportError) -> any SubprocessTransport

    /// Starts `/bin/sh -c command`; otherwise as `subprocessExec` (asyncio: `subprocess_shell`).
    @discardableResult
    func subprocessShell(
        _ command: String, options: SubprocessOptions, protocolFactory: () throws -> any SubprocessProtocol,
        completion: @escaping (Result<Void, TransportError>) -> Void
    ) throws(TransportError) -> any SubprocessTransport
}

extension ProcessLoop {
    /// Starts `program`, for those to whom `connectionMade` says enough.
    @discardableResult
    public func subprocessExec(
        _ program: String, _ arguments: [String] = [], options: SubprocessOptions = SubprocessOptions(),
        protocolFactory: () throws -> any SubprocessProtocol
    ) throws(TransportError) -> any SubprocessTransport {
        try subprocessExec(program, arguments, options: options, protocolFactory: protocolFactory) { _ in }
    }

    /// Starts `/bin/sh -c command`, for those to whom `connectionMade` says enough.
    @discardableResult
    public func subprocessShell(
        _ command: String, options: SubprocessOptions = SubprocessOptions(),
        protocolFactory: () throws -> any SubprocessProtocol
    ) throws(TransportError) -> any SubprocessTransport {
        try subprocessShell(command, options: options, protocolFactory: protocolFactory) { _ in }
    }
}
