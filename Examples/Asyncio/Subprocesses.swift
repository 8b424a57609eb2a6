import Anyloop

// begin: subprocess-protocol
final class DateProtocol: SubprocessProtocol {
    private let exited: Future<Bool>
    private(set) var output: [UInt8] = []
    private var isPipeClosed = false
    private var hasExited = false

    init(_ exited: Future<Bool>) { self.exited = exited }

    func pipeConnectionLost(_ descriptor: Int32, _ error: TransportError?) throws {
        isPipeClosed = true
        try checkForExit()
    }

    func pipeDataReceived(_ descriptor: Int32, _ data: Span<UInt8>) {
        for index in data.indices { output.append(data[index]) }
    }

    func processExited() throws {
        hasExited = true
        // processExited() can be called before pipeConnectionLost(): wait until both were called.
        try checkForExit()
    }

    private func checkForExit() throws {
        if isPipeClosed, hasExited { try exited.setResult(true) }
    }
}

func printDate(on loop: any TaskLoop & ProcessLoop) throws {
    try loop.runUntilComplete {
        let exited = loop.createFuture(of: Bool.self)
        let date = DateProtocol(exited)
        // Create the subprocess controlled by DateProtocol; redirect the standard output into a pipe.
        let transport = try loop.subprocessExec(
            "date", ["+%Y-%m-%d"], options: SubprocessOptions(stdin: .inherit, stdout: .pipe, stderr: .inherit)
        ) { date }

        // Wait for the subprocess exit.
        _ = try await exited.value
        // Close the stdout pipe.
        transport.close()
        // Read the output which was collected by the pipeDataReceived() method of the protocol.
        print("Current date: \(text(date.output).filter { !$0.isNewline })")
    }
}
// end: subprocess-protocol

// begin: subprocess-streams
func getDate(on loop: any TaskLoop & ProcessLoop) async throws -> String {
    // Create the subprocess; redirect the standard output into a pipe.
    let process = try await loop.createSubprocessExec(
        "date", ["+%Y-%m-%d"], options: SubprocessOptions(stdin: .inherit, stdout: .pipe, stderr: .inherit))

    // Read one line of output.
    let data = try await process.stdout?.readLine() ?? []
    let line = text(data).filter { !$0.isNewline }

    // Wait for the subprocess exit.
    _ = try await process.wait()
    return line
}
// end: subprocess-streams

// begin: subprocess-communicate
func runInShell(_ command: String, on loop: any TaskLoop & ProcessLoop) async throws {
    let process = try await loop.createSubprocessShell(
        command, options: SubprocessOptions(stdin: .inherit, stdout: .pipe, stderr: .pipe))

    let (stdout, stderr) = try await process.communicate()

    print("[\(command) exited with \(process.returnCode.map(String.init) ?? "nothing")]")
    if let stdout, !stdout.isEmpty { print("[stdout] \(text(stdout))") }
    if let stderr, !stderr.isEmpty { print("[stderr] \(text(stderr))") }
}
// end: subprocess-communicate
