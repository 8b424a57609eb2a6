import AnyloopCore
import AnyloopNativeLoop
import AnyloopTestHosts
import AnyloopTesting
import CAnyloopSystem
import Testing

/// What a child gets from its parent, and what it does not (rule 116).
@Suite(.serialized) struct ChildSettingsTests {
    @Test("rule 116: streams that are no pipes", arguments: LoopKind.allCases)
    func streams(_ kind: LoopKind) throws {
        let loop = try kind.make()
        defer { loop.closeLoop() }
        let together = try loop.shell("printf a; printf b >&2; printf c", SubprocessOptions(stderr: .standardOutput))
        #expect(together.log.text(1) == "abc" && together.transport.pipeTransport(2) == nil)
        let nothing = try loop.shell("cat; printf x", SubprocessOptions(stdin: .devNull, stderr: .devNull))
        #expect(nothing.log.text(1) == "x" && nothing.transport.pipeTransport(0) == nil)
        // A descriptor for each: the child reads a file and writes into our end of a pipe.
        let pipe = try TestPipe(readingNear: false)
        let file = try TemporaryFile.make(Array("from a file".utf8))
        _ = anyloop_seek(file, 0)
        defer { RawSocket.close(file) }
        _ = try loop.shell(
            "cat; printf ' and errors' >&2",
            SubprocessOptions(stdin: .descriptor(file), stdout: .descriptor(pipe.near), stderr: .descriptor(pipe.near)))
        #expect(pipe.receive() == Array("from a file and errors".utf8))
        #expect(anyloop_descriptor_kind(file) >= 0 && anyloop_descriptor_kind(pipe.near) >= 0, "ours are still open")
        RawSocket.close(pipe.near)
    }

    @Test("rule 116: environment, directory, arguments", arguments: LoopKind.allCases)
    func surroundings(_ kind: LoopKind) throws {
        let loop = try kind.make()
        defer { loop.closeLoop() }
        var options = SubprocessOptions()
        options.environment = ["GREETING": "hello = \"world\"", "EMPTY": ""]
        options.workingDirectory = "/usr"
        let (log, _) = try loop.shell(
            #"printf '%s|%s|%s|%s' "$GREETING" "${EMPTY-unset}" "${HOME-unset}" "$PWD""#, options)
        #expect(log.text(1) == "hello = \"world\"||unset|/usr")
        let inherited = try loop.shell(#"printf %s "${PATH:+there}""#)
        #expect(inherited.log.text(1) == "there")
        let quoted = SubprocessLog()
        try loop.subprocessExec(
            "/bin/sh", ["-c", #"printf '<%s>' "$@""#, "sh", "a b", "", "'c\"", "é"],
            options: SubprocessOptions(stdin: .devNull)
        ) { quoted }
        try loop.wait("the end") { quoted.isLost }
        #expect(quoted.text(1) == "<a b><><'c\"><é>")
    }

    @Test("rule 116: a session or a group of its own", arguments: LoopKind.allCases)
    func sessions(_ kind: LoopKind) throws {
        let loop = try kind.make()
        defer { loop.closeLoop() }
        // pid, group, session: fields 1, 5 and 6 of the shell's own line.
        let ask = "read -r pid name state parent group session rest < /proc/$$/stat; echo $pid $group $session"
        func answer(_ change: (inout SubprocessOptions) -> Void) throws -> [String] {
            var options = SubprocessOptions(stdin: .devNull)
            change(&options)
            return try loop.shell(ask, options).log.text(1).split(whereSeparator: \.isWhitespace).map(String.init)
        }
        let plain = try answer { _ in }
        try #require(plain.count == 3)
        #expect(plain[1] != plain[0] && plain[2] != plain[0])
        let session = try answer { $0.startNewSession = true }
        #expect(session[1] == session[0] && session[2] == session[0])
        let group = try answer { $0.processGroup = 0 }
        #expect(group[1] == group[0] && group[2] == plain[2])
    }

    @Test(
        "rule 116: every other descriptor is closed in the child, but for those passed on", arguments: LoopKind.allCases
    )
    func descriptors(_ kind: LoopKind) throws {
        let loop = try kind.make()
        defer { loop.closeLoop() }
        // Not marked to be closed: such a one would reach the child.
        let pipes = try (0..<3).map { _ in try TestPipe(readingNear: true) }
        let leaky = pipes.map { anyloop_duplicate($0.near, 100) }
        defer {
            for descriptor in leaky { RawSocket.close(descriptor) }
            for pipe in pipes { RawSocket.close(pipe.near) }
        }
        #expect(leaky.allSatisfy { $0 >= 100 })
        let list = "for f in /proc/$$/fd/*; do echo ${f##*/}; done"
        let closed = try loop.shell(list, SubprocessOptions(stdin: .devNull))
        let numbers = closed.log.text(1).split(separator: "\n").compactMap { Int32($0) }
        // 3 is the shell's own, on the directory that it lists.
        #expect(Set(numbers).isSubset(of: [0, 1, 2, 3]), "open in the child: \(numbers)")
        var options = SubprocessOptions(stdin: .devNull)
        options.passDescriptors = [leaky[2], leaky[0], leaky[2]]
        let passed = try loop.shell(list, options)
        let kept = Set(passed.log.text(1).split(separator: "\n").compactMap { Int32($0) })
        #expect(kept.contains(leaky[0]) && !kept.contains(leaky[1]) && kept.contains(leaky[2]))
    }

    @Test("rule 116: no signal is blocked in the child, nor SIGPIPE ignored", arguments: LoopKind.allCases)
    func signals(_ kind: LoopKind) throws {
        let loop = try kind.make()
        defer { loop.closeLoop() }
        // From a thread with every signal blocked, as those of loops have them.
        let thread = try LoopThread { loop in
            let log = SubprocessLog()
            try loop.subprocessExec("cat", ["/proc/self/status"], options: SubprocessOptions(stdin: .devNull)) { log }
            try loop.wait("the end") { log.isLost }
            let lines = log.text(1).split(separator: "\n")
            let blocked = lines.first { $0.hasPrefix("SigBlk:") }.flatMap { UInt64($0.dropFirst(8), radix: 16) }
            let ignored = lines.first { $0.hasPrefix("SigIgn:") }.flatMap { UInt64($0.dropFirst(8), radix: 16) }
            #expect(blocked == 0)
            #expect(ignored.map { $0 & 1 << 12 } == 0, "SIGPIPE")
        }
        try thread.join()
    }

    @Test(
        "rule 118: a thousand children leave no zombie and no descriptor", arguments: LoopKind.allCases,
        ChildWatcherKind.allCases)
    func thousand(_ kind: LoopKind, _ watcher: ChildWatcherKind) async {
        await #expect(processExitsWith: .success) {
            [kind = kind.rawValue as String, watcher = watcher.rawValue as String] in
            let loop = try #require(LoopKind(rawValue: kind)).make(#require(ChildWatcherKind(rawValue: watcher)))
            let before = openDescriptorNumbers()
            var ended = 0
            let options = SubprocessOptions(stdin: .devNull, stdout: .pipe, stderr: .devNull)
            for _ in 0..<20 {
                let logs = (0..<50).map { _ in SubprocessLog() }
                for log in logs { try loop.subprocessExec("/bin/true", [], options: options) { log } }
                try loop.wait("fifty ends") { logs.allSatisfy(\.isLost) }
                ended += logs.count { $0.transport?.returnCode == 0 }
            }
            #expect(ended == 1000)
            // ECHILD: there is no child left, not even one that waits to be reaped.
            #expect(anyloop_process_zombies() == -10)
            // The test's own process opens one or two meanwhile; a thousand children would have left a thousand.
            #expect(openDescriptorNumbers().count < before.count + 5)
            loop.closeLoop()
        }
    }

    @Test("rule 117: children of several loops on several threads at once", arguments: ChildWatcherKind.allCases)
    func severalLoops(_ watcher: ChildWatcherKind) throws {
        var options = NativeLoopOptions()
        options.childWatcher = watcher
        let group = try LoopGroup(count: 3, options: options) { loop, number in
            for round in 0..<10 {
                let log = SubprocessLog()
                let code = number * 10 + round
                let transport = try loop.subprocessShell("exit \(code)") { log }
                try loop.wait("the end") { log.isLost }
                #expect(transport.returnCode == Int32(code))
            }
        }
        try group.join()
    }

    @Test("rule 117: a child that something else reaped is 255", arguments: LoopKind.allCases)
    func reapedElsewhere(_ kind: LoopKind) throws {
        let loop = try kind.make()
        defer { loop.closeLoop() }
        let log = SubprocessLog()
        let transport = try loop.subprocessExec("true", [], options: SubprocessOptions(stdin: .devNull)) { log }
        var code: Int32 = 0
        #expect(unsafe anyloop_process_reap(transport.pid, 1, &code) == 1)
        try loop.wait("the end") { log.isLost }
        #expect(transport.returnCode == 255)
    }
}
