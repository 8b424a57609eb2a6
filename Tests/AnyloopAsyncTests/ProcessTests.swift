import AnyloopAsync
import AnyloopCore
import AnyloopNativeLoop
import AnyloopTesting
import CAnyloopSystem
import Testing

/// Child processes and pipes by awaiting.
@Suite struct ProcessTests {
    @Test("rules 116, 117: communicate feeds a process and reads all it says", arguments: LoopKind.allCases)
    func communicate(_ kind: LoopKind) throws {
        try kind.run { loop in
            let process = try await loop.createSubprocessExec("cat", options: SubprocessOptions())
            #expect(process.pid > 0 && process.returnCode == nil)
            let input = [UInt8](repeating: 5, count: 1 << 20)
            let (stdout, stderr) = try await process.communicate(input)
            #expect(stdout == input && stderr == [])
            #expect(process.returnCode == 0)
            let code = try await process.wait()
            #expect(code == 0)
        }
    }

    @Test("rules 116, 117: a process read line by line", arguments: LoopKind.allCases)
    func lines(_ kind: LoopKind) throws {
        try kind.run { loop in
            let process = try await loop.createSubprocessShell(
                "read a; echo \"got $a\"; echo oops >&2; exit 3", options: SubprocessOptions())
            let stdin = try #require(process.stdin)
            stdin.write(Array("hello\n".utf8))
            try await stdin.drain()
            #expect(try await process.stdout?.readLine().text == "got hello\n")
            #expect(try await process.stderr?.read().text == "oops\n")
            let code = try await process.wait()
            #expect(code == 3)
            try await stdin.waitClosed()
        }
    }

    @Test("rules 117, 118: a process that is ended; streams that are no pipes", arguments: LoopKind.allCases)
    func ended(_ kind: LoopKind) throws {
        try kind.run { loop in
            let process = try await loop.createSubprocessExec(
                "sleep", ["60"], options: SubprocessOptions(stdin: .devNull, stdout: .devNull, stderr: .devNull))
            #expect(process.stdin == nil && process.stdout == nil && process.stderr == nil)
            let kind = await misuse { _ = try await process.communicate([1]) }?.kind
            #expect(kind == .state)
            let waiting = loop.createTask { try await process.wait() }
            try await loop.sleep(for: .milliseconds(1))
            try process.terminate()
            let code = try await waiting.value
            #expect(code == -15)
            let (stdout, stderr) = try await process.communicate()
            #expect(stdout == nil && stderr == nil)
        }
    }

    @Test("rule 116: a program that is not there", arguments: LoopKind.allCases)
    func missing(_ kind: LoopKind) throws {
        try kind.run { loop in
            do {
                _ = try await loop.createSubprocessExec("/no/such/program")
                Issue.record("it ran")
            } catch { #expect((error as? TransportError)?.errno == 2) }
            #expect(
                await misuse { _ = try await loop.createSubprocessExec("true", limit: 0) }
                    == .argument("Limit cannot be <= 0"))
        }
    }

    @Test("rule 115: the ends of a pipe, by awaiting", arguments: LoopKind.allCases)
    func pipes(_ kind: LoopKind) throws {
        try kind.run { loop in
            var source: Int32 = -1
            var sink: Int32 = -1
            #expect(unsafe anyloop_pipe(&source, &sink) == 0)
            let (_, receiver) = try await loop.connectReadPipe({ RecordingProtocol() }, descriptor: source)
            let (writing, _) = try await loop.connectWritePipe({ RecordingProtocol() }, descriptor: sink)
            writing.write([1, 2, 3])
            writing.close()
            while !receiver.isLost { try await loop.sleep(for: .milliseconds(1)) }
            #expect(receiver.trace.bytes == [1, 2, 3])
        }
    }
}
