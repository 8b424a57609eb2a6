import AnyloopAsync
import AnyloopCore
import AnyloopNativeLoop
import AnyloopTesting
import CAnyloopSystem
import Testing

/// Child processes, pipes and files by awaiting.
@Suite(.serialized) struct AsyncProcessTests {
    private func run(
        _ kind: LoopKind, _ body: @escaping (any TaskLoop & ProcessLoop & SendFileLoop) async throws -> Void
    ) throws {
        try kind.run { loop in
            try await body(#require(loop as? any TaskLoop & ProcessLoop & SendFileLoop))
        }
    }

    private static let threePipes = SubprocessOptions()

    @Test("rule 117: communicate of megabytes both ways does not lock", arguments: LoopKind.allCases)
    func communicate(_ kind: LoopKind) throws {
        let bytes = (0..<5_000_000).map { UInt8(truncatingIfNeeded: $0 >> 5 &+ $0) }
        try run(kind) { loop in
            let process = try await loop.createSubprocessExec("cat", options: Self.threePipes)
            #expect(process.pid > 0 && process.returnCode == nil)
            let (output, errors) = try await process.communicate(bytes)
            #expect(output == bytes && errors == [])
            #expect(process.returnCode == 0)
        }
    }

    @Test("rule 117: communicate gives what both outputs had, and closes the input", arguments: LoopKind.allCases)
    func outputs(_ kind: LoopKind) throws {
        try run(kind) { loop in
            let process = try await loop.createSubprocessShell(
                "cat; printf out; printf err >&2; exit 4", options: Self.threePipes)
            let (output, errors) = try await process.communicate()
            #expect(output == Array("out".utf8) && errors == Array("err".utf8) && process.returnCode == 4)
            let half = try await loop.createSubprocessShell(
                "printf x", options: SubprocessOptions(stdin: .devNull, stdout: .pipe, stderr: .devNull))
            #expect(half.stdin == nil && half.stderr == nil)
            let results = try await half.communicate()
            #expect(results.stdout == Array("x".utf8) && results.stderr == nil)
            do {
                _ = try await half.communicate([1])
                Issue.record("input went nowhere")
            } catch let error as TransportError {
                #expect(error.description.hasPrefix("the process has no pipe for its input"))
            }
        }
    }

    @Test("rule 117: a process that has enough of its input is no error", arguments: LoopKind.allCases)
    func inputNotRead(_ kind: LoopKind) throws {
        try run(kind) { loop in
            let process = try await loop.createSubprocessShell("exec <&-; printf done", options: Self.threePipes)
            let (output, _) = try await process.communicate([UInt8](repeating: 0, count: 1 << 20))
            #expect(output == Array("done".utf8) && process.returnCode == 0)
        }
    }

    @Test("rule 117: a conversation by lines", arguments: LoopKind.allCases)
    func conversation(_ kind: LoopKind) throws {
        try run(kind) { loop in
            let process = try await loop.createSubprocessShell(
                "while read -r line; do echo \"<$line>\"; done", options: Self.threePipes)
            let (stdin, stdout) = (try #require(process.stdin), try #require(process.stdout))
            for word in ["one", "two", "three"] {
                stdin.write(Array("\(word)\n".utf8))
                try await stdin.drain()
                #expect(try await stdout.readLine() == Array("<\(word)>\n".utf8))
            }
            stdin.close()
            try await stdin.waitClosed()
            #expect(try await process.wait() == 0)
            #expect(try await process.wait() == 0)
            #expect(stdout.atEOF)
        }
    }

    @Test("rules 89, 117: drain waits for a process that does not read, up to the mark", arguments: LoopKind.allCases)
    func draining(_ kind: LoopKind) throws {
        try run(kind) { loop in
            let process = try await loop.createSubprocessExec(
                "sleep", ["60"], options: SubprocessOptions(stdin: .pipe, stdout: .devNull, stderr: .devNull))
            let stdin = try #require(process.stdin)
            // The pipe's own 64 KiB, and as much again as the mark allows.
            stdin.write([UInt8](repeating: 0, count: 65536 + 65536))
            try await stdin.drain()
            stdin.write([0])
            let waiting = loop.createTask { try await stdin.drain() }
            try await loop.sleep(for: .milliseconds(5))
            #expect(!waiting.isDone)
            try process.kill()
            await #expect(throws: TransportError.self) { try await waiting.value }
            #expect(try await process.wait() == -9)
        }
    }

    @Test("rule 118: signals, and what comes too late", arguments: LoopKind.allCases)
    func signals(_ kind: LoopKind) throws {
        try run(kind) { loop in
            let process = try await loop.createSubprocessExec("sleep", ["60"])
            let waiting = loop.createTask { try await process.wait() }
            try await loop.sleep(for: .zero)
            try process.terminate()
            #expect(try await waiting.value == -15)
            let late = #expect(throws: TransportError.self) { try process.sendSignal(15) }
            #expect(late?.errno == 3)
        }
    }

    @Test("rule 116: what cannot start is thrown", arguments: LoopKind.allCases)
    func cannotStart(_ kind: LoopKind) throws {
        try run(kind) { loop in
            do throws(TransportError) {
                _ = try await loop.createSubprocessExec("/nowhere/program")
                Issue.record("it started")
            } catch { #expect(error.errno == 2) }
            do throws(TransportError) {
                _ = try await loop.createSubprocessExec("true", limit: 0)
                Issue.record("a limit of zero was taken")
            } catch { #expect(error.description == "Limit cannot be <= 0") }
        }
    }

    @Test("rule 118: cancelling the start kills the process; cancelling wait() does not", arguments: LoopKind.allCases)
    func cancelling(_ kind: LoopKind) throws {
        try run(kind) { loop in
            let starting = loop.createTask { _ = try await loop.createSubprocessExec("sleep", ["60"]) }
            try await loop.sleep(for: .zero)
            starting.cancel()
            await #expect(throws: (any Error).self) { try await starting.value }
            let process = try await loop.createSubprocessExec("sleep", ["60"])
            let waiting = loop.createTask { try await process.wait() }
            try await loop.sleep(for: .zero)
            waiting.cancel()
            await #expect(throws: (any Error).self) { try await waiting.value }
            #expect(process.returnCode == nil)
            try process.kill()
            #expect(try await process.wait() == -9)
            // ECHILD, or another test's; the cancelled one is reaped either way.
            try await loop.sleep(for: .milliseconds(20))
        }
    }

    @Test("rule 115: stream readers over pipes", arguments: LoopKind.allCases)
    func pipes(_ kind: LoopKind) throws {
        try run(kind) { loop in
            var (source, sink) = (Int32(-1), Int32(-1))
            try #require(unsafe anyloop_pipe(&source, &sink) == 0)
            let reader = try StreamReader(loop: loop)
            let (near, _) = try await loop.connectReadPipe(
                { StreamReaderProtocol(loop: loop, reader: reader) }, descriptor: source)
            let (far, made) = try await loop.connectWritePipe({ RecordingProtocol() }, descriptor: sink)
            #expect(made.isOpen && near.direction == .reading && far.direction == .writing)
            far.write(Array("a line\nand the rest".utf8))
            #expect(try await reader.readLine() == Array("a line\n".utf8))
            far.close()
            #expect(try await reader.read() == Array("and the rest".utf8))
            let file = try TemporaryFile.make([1])
            defer { _ = anyloop_close(file) }
            do throws(TransportError) {
                _ = try await loop.connectReadPipe({ RecordingProtocol() }, descriptor: file)
                Issue.record("a plain file was taken")
            } catch { #expect(error.description == "Pipe transport is for pipes/sockets only.") }
        }
    }

    @Test("rule 93: a file by awaiting, and called off", arguments: LoopKind.allCases)
    func files(_ kind: LoopKind) throws {
        let bytes = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 >> 3) }
        try run(kind) { loop in
            var (near, far) = (Int32(-1), Int32(-1))
            try #require(unsafe anyloop_socketpair(Int32(ANYLOOP_STREAM), &near, &far) == 0)
            let (reader, writer) = try await loop.openConnection(socket: far)
            let (transport, made) = try await loop.createConnection({ RecordingProtocol() }, socket: near)
            let file = try TemporaryFile.make(bytes)
            defer { _ = anyloop_close(file) }
            let sending = loop.createTask { try await loop.sendFile(transport, .descriptor(file)) }
            #expect(try await reader.readExactly(bytes.count) == bytes)
            #expect(try await sending.value == bytes.count)
            for source in [SendFileSource.descriptor(file), .file(BytesFile(bytes))] {
                // Larger than the sockets' buffers and the readers': it cannot get through.
                let stuck = loop.createTask { try await loop.sendFile(transport, source) }
                try await loop.sleep(for: .milliseconds(20))
                #expect(!stuck.isDone && !transport.isReading)
                stuck.cancel()
                await #expect(throws: (any Error).self) { try await stuck.value }
                #expect(try await reader.read(10) == Array(bytes[..<10]))
                try await loop.wait(until: { transport.isReading })
                #expect(transport.streamProtocol === made)
                transport.write(Array("end".utf8))
                var last: [UInt8] = []
                while last != Array("end".utf8) { last = Array((last + (try await reader.read(65536))).suffix(3)) }
            }
            transport.close()
            writer.close()
        }
    }
}

/// Bytes as a file without a descriptor.
private final class BytesFile: ReadableFile {
    private let bytes: [UInt8]

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    func read(_ count: Int, at offset: Int64) -> [UInt8] { Array(bytes.dropFirst(Int(offset)).prefix(count)) }

    func seek(to offset: Int64) {}
}

extension TaskLoop {
    /// Waits at most ten seconds.
    fileprivate func wait(until condition: () -> Bool) async throws {
        let end = ContinuousClock.now + .seconds(10)
        while !condition() {
            try #require(ContinuousClock.now < end)
            try await sleep(for: .milliseconds(1))
        }
    }
}
