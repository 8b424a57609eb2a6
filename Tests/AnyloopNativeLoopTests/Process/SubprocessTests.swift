import AnyloopCore
import AnyloopNativeLoop
import CAnyloopSystem
import Testing

/// Child processes on a loop (rules 116 to 118).
@Suite(.serialized) struct SubprocessTests {
    @Test(
        "rule 117: made first, then the pipes and the exit, lost last",
        arguments: LoopKind.allCases, ChildWatcherKind.allCases)
    func order(_ kind: LoopKind, _ watcher: ChildWatcherKind) throws {
        let loop = try kind.make(watcher)
        defer { loop.closeLoop() }
        let (log, transport) = try loop.shell("printf out; printf err >&2; exit 3")
        #expect(log.lines.first == "made" && log.lines.last == "lost")
        #expect(
            Set(log.lines.dropFirst().dropLast())
                == ["data 1", "data 2", "pipe 0 lost", "pipe 1 lost", "pipe 2 lost", "exited"])
        #expect(log.text(1) == "out" && log.text(2) == "err")
        #expect(transport.returnCode == 3 && transport.pid > 0)
        #expect(transport.subprocessProtocol == nil)
    }

    @Test("rule 116: the pipes stand when connectionMade comes", arguments: LoopKind.allCases)
    func pipesBeforeMade(_ kind: LoopKind) throws {
        let loop = try kind.make()
        defer { loop.closeLoop() }
        let log = SubprocessLog()
        var seen: [Bool] = []
        log.onMade = { transport in
            seen = (0..<4).map { transport.pipeTransport($0) != nil }
            transport.pipeTransport(0)?.write(Array("hello".utf8))
            transport.pipeTransport(0)?.writeEOF()
        }
        var order: [String] = []
        let transport = try loop.subprocessExec("cat", [], options: SubprocessOptions(stderr: .inherit)) {
            order.append("factory")
            return log
        } completion: { result in
            if case .success = result { order.append("completion") }
            loop.callSoon { order.append(log.lines.contains("made") ? "after made" : "too early") }
        }
        #expect(log.lines.isEmpty && order == ["factory"])
        try loop.wait("the end") { log.isLost }
        #expect(order == ["factory", "completion", "after made"])
        #expect(seen == [true, true, false, false])
        #expect(log.text(1) == "hello" && transport.returnCode == 0)
    }

    @Test("rule 116: a program that cannot be run is an error of the call", arguments: LoopKind.allCases)
    func cannotRun(_ kind: LoopKind) throws {
        let loop = try kind.make()
        defer { loop.closeLoop() }
        let before = openDescriptorNumbers()
        let log = SubprocessLog()
        func failure(_ program: String, _ change: (inout SubprocessOptions) -> Void = { _ in }) -> TransportError? {
            var options = SubprocessOptions()
            change(&options)
            return #expect(throws: TransportError.self) {
                try loop.subprocessExec(program, [], options: options) { log }
            }
        }
        #expect(failure("/nowhere/at-all")?.errno == 2)
        #expect(failure("no-such-program-anywhere")?.errno == 2)
        #expect(failure("")?.errno != nil)
        #expect(failure("/etc/passwd")?.errno == 13)
        #expect(failure("cat") { $0.environment = ["PATH": "/nowhere"] }?.errno == 2)
        let directory = failure("/bin/true") { $0.workingDirectory = "/nowhere" }
        #expect(directory?.errno == 2 && directory?.description.contains("chdir '/nowhere'") == true)
        #expect(failure("/bin/true") { $0.stdin = .descriptor(400) }?.errno == 9)
        #expect(failure("/bin/true") { $0.stdin = .descriptor(-1) }?.errno == 9)
        #expect(failure("/bin/true") { $0.processGroup = 1 }?.errno == 1)
        try loop.settle()
        #expect(log.lines.isEmpty)
        #expect(openDescriptorNumbers() == before, "nothing stays open")
    }

    @Test("rule 116: texts and options that cannot be are refused", arguments: LoopKind.allCases)
    func refused(_ kind: LoopKind) throws {
        let loop = try kind.make()
        defer { loop.closeLoop() }
        func text(_ arguments: [String] = [], _ change: (inout SubprocessOptions) -> Void = { _ in }) -> String? {
            var options = SubprocessOptions()
            change(&options)
            let error = #expect(throws: TransportError.self) {
                try loop.subprocessExec("true", arguments, options: options) { SubprocessLog() }
            }
            guard case .usage(let usage)? = error, usage.kind == .argument else { return nil }
            return usage.text
        }
        #expect(text(["a\0b"]) == "embedded null byte")
        #expect(text { $0.environment = ["A": "\0"] } == "embedded null byte")
        #expect(text { $0.workingDirectory = "/\0" } == "embedded null byte")
        #expect(text { $0.environment = ["A=B": "x"] } == "illegal environment variable name")
        #expect(text { $0.environment = ["": "x"] } == "illegal environment variable name")
        #expect(text { $0.stdin = .standardOutput }?.hasPrefix("only stderr") == true)
        #expect(text { $0.passDescriptors = [2] }?.hasPrefix("descriptors 0 to 2") == true)
        struct Mishap: Error {}
        let thrown = #expect(throws: TransportError.self) { try loop.subprocessExec("true") { throw Mishap() } }
        if case .callback(_, let error)? = thrown {
            #expect(error is Mishap)
        } else {
            Issue.record("not the factory's")
        }
    }

    @Test("rule 117: the return code is the status, or the signal negated", arguments: LoopKind.allCases)
    func returnCodes(_ kind: LoopKind) throws {
        let loop = try kind.make()
        defer { loop.closeLoop() }
        let quiet = SubprocessOptions(stdin: .devNull, stdout: .devNull, stderr: .devNull)
        #expect(try loop.shell("true", quiet).transport.returnCode == 0)
        #expect(try loop.shell("exit 255", quiet).transport.returnCode == 255)
        #expect(try loop.shell("kill -9 $$", quiet).transport.returnCode == -9)
        #expect(try loop.shell("kill -15 $$", quiet).log.lines == ["made", "exited", "lost"])
    }

    @Test("rule 117: lost only after every pipe, though the process has long ended", arguments: LoopKind.allCases)
    func lostAfterPipes(_ kind: LoopKind) throws {
        let loop = try kind.make()
        defer { loop.closeLoop() }
        let log = SubprocessLog()
        // The grandchild keeps descriptor 1 until the pipe that it reads is closed.
        let transport = try loop.subprocessShell("exec 3<&0; cat <&3 >&1 & exit 0") { log }
        try loop.wait("the exit") { log.lines.contains("exited") }
        try loop.settle()
        #expect(!log.isLost && transport.returnCode == 0)
        try transport.sendSignal(15)  // without effect
        transport.pipeTransport(0)?.close()
        try loop.wait("the end") { log.isLost }
        #expect(log.lines.last == "lost" && log.lines.contains("pipe 1 lost"))
    }

    @Test(
        "rule 118: signals reach the process; afterwards ESRCH", arguments: LoopKind.allCases, ChildWatcherKind.allCases
    )
    func signals(_ kind: LoopKind, _ watcher: ChildWatcherKind) throws {
        let loop = try kind.make(watcher)
        defer { loop.closeLoop() }
        for (signal, code) in [(Int32(10), Int32(-10)), (15, -15), (9, -9)] {
            let log = SubprocessLog()
            log.onMade = { transport in
                switch signal {
                case 15: try transport.terminate()
                case 9: try transport.kill()
                default: try transport.sendSignal(signal)
                }
            }
            var insideExit: TransportError?
            log.onExit = { transport in
                do throws(TransportError) { try transport.kill() } catch { insideExit = error }
            }
            let transport = try loop.subprocessExec("sleep", ["60"]) { log }
            try loop.wait("the end") { log.isLost }
            #expect(transport.returnCode == code && insideExit == nil)
            let late = #expect(throws: TransportError.self) { try transport.sendSignal(signal) }
            #expect(late?.errno == 3)
        }
        let log = SubprocessLog()
        let transport = try loop.subprocessExec("sleep", ["60"]) { log }
        let wrong = #expect(throws: TransportError.self) { try transport.sendSignal(1000) }
        #expect(wrong?.errno == 22)
        transport.close()
        try loop.wait("the end") { log.isLost }
    }

    @Test("rule 118: close() kills a process that runs, and closes its pipes", arguments: LoopKind.allCases)
    func closing(_ kind: LoopKind) throws {
        let loop = try kind.make()
        defer { loop.closeLoop() }
        let log = SubprocessLog()
        let transport = try loop.subprocessExec("cat") { log }
        try loop.wait("connectionMade") { log.transport != nil }
        #expect(!transport.isClosing)
        transport.close()
        transport.close()
        #expect(transport.isClosing)
        try loop.wait("the end") { log.isLost }
        #expect(transport.returnCode == -9)
        #expect(log.lines.filter { $0.hasSuffix("lost") }.count == 4)
        transport.close()
        // Before its pipes are connected, too.
        let early = SubprocessLog()
        try loop.subprocessExec("cat") { early }.close()
        try loop.wait("the end") { early.isLost }
        #expect(early.lines.first == "made")
    }

    @Test("rule 118: a process that ignores SIGTERM goes by SIGKILL", arguments: LoopKind.allCases)
    func stubborn(_ kind: LoopKind) throws {
        let loop = try kind.make()
        defer { loop.closeLoop() }
        let log = SubprocessLog()
        let transport = try loop.subprocessShell("trap '' TERM; echo ready; while :; do sleep 0.05; done") { log }
        try loop.wait("the trap") { log.text(1) == "ready\n" }
        try transport.terminate()
        try loop.settle()
        #expect(transport.returnCode == nil)
        try transport.kill()
        try loop.wait("the exit") { log.lines.contains("exited") }
        #expect(transport.returnCode == -9)
        transport.close()
        try loop.wait("the end") { log.isLost }
    }

    @Test("rules 85, 117: input that the process does not take pauses writing", arguments: LoopKind.allCases)
    func flowControl(_ kind: LoopKind) throws {
        let loop = try kind.make()
        defer { loop.closeLoop() }
        let log = SubprocessLog()
        let bytes = (0..<2_000_000).map { UInt8(truncatingIfNeeded: $0 >> 2) }
        log.onMade = { transport in
            transport.pipeTransport(0)?.write(bytes)
            transport.pipeTransport(0)?.writeEOF()
        }
        try loop.subprocessExec("cat") { log }
        try loop.wait("the end") { log.isLost }
        #expect(log.lines.contains("pause") && log.lines.contains("resume"))
        #expect(log.output[1] == bytes)
    }

    @Test("rule 117: a process that does not read its input breaks the pipe", arguments: LoopKind.allCases)
    func brokenPipe(_ kind: LoopKind) throws {
        let loop = try kind.make()
        defer { loop.closeLoop() }
        let log = SubprocessLog()
        log.onMade = { transport in
            transport.pipeTransport(0)?.write([UInt8](repeating: 0, count: 1 << 20))
            try transport.kill()
        }
        try loop.subprocessExec("sleep", ["60"]) { log }
        try loop.wait("the end") { log.isLost }
        #expect(log.lines.contains("pipe 0 lost 32"))
    }

    @Test(
        "rules 12, 118: closing the loop kills its processes and leaves no zombie", arguments: LoopKind.allCases,
        ChildWatcherKind.allCases)
    func closingTheLoop(_ kind: LoopKind, _ watcher: ChildWatcherKind) throws {
        let loop = try kind.make(watcher)
        let (running, early) = (SubprocessLog(), SubprocessLog())
        let transport = try loop.subprocessExec("sleep", ["60"]) { running }
        try loop.wait("connectionMade") { running.transport != nil }
        var outcome: Result<Void, TransportError>?
        let second = try loop.subprocessExec("sleep", ["60"], options: SubprocessOptions()) {
            early
        } completion: {
            outcome = $0
        }
        loop.closeLoop()
        #expect(running.lines.last == "lost Event loop is closed" && running.lines.first == "made")
        #expect(early.lines.isEmpty)
        guard case .failure(.loopClosed)? = outcome else {
            Issue.record("completed with \(String(describing: outcome))")
            return
        }
        // Both are reaped, by a thread that waits if they did not go at once.
        let end = ContinuousClock.now + .seconds(10)
        while anyloop_process_signal(transport.pid, 0) == 0 || anyloop_process_signal(second.pid, 0) == 0 {
            try #require(ContinuousClock.now < end, "a process outlived its loop")
        }
        #expect(throws: TransportError.self) { try loop.subprocessExec("true") { early } }
    }
}
