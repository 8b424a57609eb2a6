import AnyloopAsync
import AnyloopCore

/// A subprocess's protocol that writes what happens to it and does what the scenario says.
final class AsyncioSubprocess: SubprocessProtocol {
    private let actor: String
    private unowned let player: AsyncioPlayer
    /// Callbacks whose order is luck: without a line.
    private let silent: Set<String>
    /// What was called, each once.
    private(set) var seen: Set<String> = []
    private(set) var transport: (any SubprocessTransport)?

    init(_ actor: String, _ player: AsyncioPlayer, silent: Set<String>) {
        self.actor = actor
        self.player = player
        self.silent = silent
    }

    func connectionMade(_ transport: any SubprocessTransport) throws {
        self.transport = transport
        try tell("connection_made")
    }

    func pipeDataReceived(_ descriptor: Int32, _ data: Span<UInt8>) throws {
        seen.insert("pipe_data_received")
        if !silent.contains("pipe_data_received") {
            player.bytesLine(actor, "pipe_data_received \(descriptor)", AsyncioBytes.array(data))
        }
        try player.react(actor, "pipe_data_received")
    }

    func pipeConnectionLost(_ descriptor: Int32, _ error: TransportError?) throws {
        try tell("pipe_connection_lost", "\(descriptor)" + (error.map { " \(AsyncioText.error($0))" } ?? ""))
    }

    func processExited() throws { try tell("process_exited") }

    func connectionLost(_ error: TransportError?) throws {
        try tell("connection_lost", error.map(AsyncioText.error))
    }

    func pauseWriting() throws { try tell("pause_writing") }

    func resumeWriting() throws { try tell("resume_writing") }

    private func tell(_ name: String, _ text: String? = nil) throws {
        seen.insert(name + (text.map { " \($0)" } ?? ""))
        if silent.contains(name) {
            try player.react(actor, name)
        } else {
            try player.callback(actor, name, text)
        }
    }
}

/// The subprocesses of a scenario, by actor.
final class AsyncioProcessTable {
    var processes: [String: AsyncioSubprocess] = [:]
}

extension AsyncioOperation {
    /// Child processes.
    static let subprocesses: [String: AsyncioOperation] = [
        "subprocess": .waits { player, step, _ in try await startProcess(player, step) },
        "pipe": .plain { player, step in
            let number = Int32(try step.table.number("number"))
            guard let pipe = try player.processTransport(step).pipeTransport(number) else {
                throw AsyncioPlayerError("\(step.table.place): the process has no pipe \(number)")
            }
            player.transports[try step.table.text("as")] = pipe
        },
        "has_pipe": .plain { player, step in
            let (process, number) = (try player.processTransport(step), try step.table.number("number"))
            player.call("\(try step.on()).has_pipe \(number)", getter: true) {
                .flag(process.pipeTransport(Int32(number)) != nil)
            }
        },
        "has_pid": .plain { player, step in
            let process = try player.processTransport(step)
            player.call("\(try step.on()).has_pid", getter: true) { .flag(process.pid > 0) }
        },
        "get_returncode": .plain { player, step in
            let process = try player.processTransport(step)
            player.call("\(try step.on()).get_returncode", getter: true) {
                process.returnCode.map { .number(Int($0)) } ?? .none
            }
        },
        "send_signal": .plain { player, step in
            let numbers: [String: Int32] = ["HUP": 1, "INT": 2, "KILL": 9, "USR1": 10, "USR2": 12, "TERM": 15]
            guard let signal = numbers[try step.table.text("signal")] else {
                throw step.table.error("signal", expected: "one of \(numbers.keys.sorted())")
            }
            try signalling(player, step, "send_signal") { (process) throws(TransportError) in
                try process.sendSignal(signal)
            }
        },
        "terminate": .plain { player, step in
            try signalling(player, step, "terminate") { (process) throws(TransportError) in try process.terminate() }
        },
        "kill_process": .plain { player, step in
            try signalling(player, step, "kill") { (process) throws(TransportError) in try process.kill() }
        },
        "seen": .plain { player, step in
            let seen = player.process(try step.on())?.seen ?? []
            player.line("\(try step.on()) seen [\(seen.sorted().joined(separator: ", "))]")
        },
    ]

    private static func signalling(
        _ player: AsyncioPlayer, _ step: AsyncioStep, _ name: String,
        _ body: (any SubprocessTransport) throws(TransportError) -> Void
    ) throws {
        let process = try player.processTransport(step)
        player.call("\(try step.on()).\(name)") {
            try body(process)
            return .none
        }
    }

    private nonisolated(nonsending) static func startProcess(
        _ player: AsyncioPlayer, _ step: AsyncioStep
    ) async throws {
        guard let loop = player.loop as? any TaskLoop & ProcessLoop else {
            throw LiveScenario.Unsupported("this loop runs no subprocesses (protocol ProcessLoop)")
        }
        let actor = try step.table.text("as")
        let silent = Set(step.table.has("silent") ? try step.table.texts("silent") : [])
        var options = SubprocessOptions(
            stdin: try stream(step, "stdin"), stdout: try stream(step, "stdout"), stderr: try stream(step, "stderr"))
        options.workingDirectory = try step.table.optionalText("cwd")
        if case .table(let variables)? = step.table.values["env"] {
            options.environment = [:]
            for (name, value) in variables {
                guard case .text(let text) = value else { throw step.table.error("env", expected: "texts") }
                options.environment?[name] = text
            }
        }
        let made = AsyncioSubprocess(actor, player, silent: silent)
        let factory = {
            player.store(AsyncioProcessTable.init).processes[actor] = made
            return made
        }
        let command = try step.table.optionalText("command")
        let arguments = command == nil ? try step.table.texts("args") : []
        let settings = options
        try await player.result(step, "subprocess") {
            if let command {
                _ = try await loop.subprocessShell(factory, command, options: settings)
            } else {
                _ = try await loop.subprocessExec(
                    factory, arguments[0], Array(arguments.dropFirst()), options: settings)
            }
            return .name(actor)
        }
    }

    private static func stream(_ step: AsyncioStep, _ key: String) throws -> SubprocessOptions.Stream {
        switch try step.table.text(key, or: "null") {
        case "pipe": .pipe
        case "null": .devNull
        case "stdout": .standardOutput
        default: throw step.table.error(key, expected: "pipe, null or stdout")
        }
    }
}

extension AsyncioPlayer {
    func process(_ actor: String) -> AsyncioSubprocess? { store(AsyncioProcessTable.init).processes[actor] }

    /// The transport of the step's subprocess.
    func processTransport(_ step: AsyncioStep) throws -> any SubprocessTransport {
        let name = try step.on()
        guard let transport = process(name)?.transport else {
            throw AsyncioPlayerError("\(step.table.place): '\(name)' has no subprocess (yet)")
        }
        return transport
    }

    /// Writes the bytes that a callback got.
    func bytesLine(_ actor: String, _ name: String, _ bytes: [UInt8]) {
        if !isEnded { trace.append(actor, name, bytes) }
    }
}
