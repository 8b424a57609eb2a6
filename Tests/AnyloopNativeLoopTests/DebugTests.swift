import AnyloopCore
import AnyloopTestHosts
import AnyloopTesting
import CAnyloopSystem
import Foundation
import Testing

@testable import AnyloopNativeLoop

/// A loop that says what it logs and what it tells its exception handler.
private final class ToldLoop {
    let loop: any DebugLoop
    private(set) var records: [LoopLogRecord] = []
    private(set) var exceptions: [LoopException] = []

    init(_ loop: any DebugLoop, handlesExceptions: Bool = true) {
        self.loop = loop
        loop.logHandler = { [unowned self] in records.append($0) }
        if handlesExceptions { loop.exceptionHandler = { [unowned self] in exceptions.append($0) } }
    }

    func turns(_ count: Int = 5) throws {
        for _ in 0..<count { try loop.runOnce(timeout: .milliseconds(1)) }
    }

    /// The keys that asyncio's context would have besides the message, sorted.
    var keys: [[String]] {
        exceptions.map { exception in
            var keys: [String] = []
            if exception.error != nil { keys.append("exception") }
            if exception.handle != nil { keys.append("handle") }
            if exception.protocolObject != nil { keys.append("protocol") }
            if exception.transport != nil { keys.append("transport") }
            return keys
        }
    }
}

private struct Boom: Error {}

/// Calls a loop from a thread that it is not on.
///
/// `@unchecked Sendable`: that is the mistake to be shown; the loop's thread waits meanwhile.
private final class Misuse: @unchecked Sendable {
    let loop: any DebugLoop
    private(set) var refused: [Bool] = []

    init(_ loop: any DebugLoop) {
        self.loop = loop
    }

    func commit() {
        refused = [loop.callSoon {}.isCancelled, loop.callLater(.zero) {}.isCancelled]
    }
}

@Suite struct DebugTests {
    /// Both loops, each new.
    static let makers: [@Sendable () throws -> any DebugLoop & TaskLoop] = [{ try NativeLoop() }, { try CompatLoop() }]

    @Test("rule 16: a handler that throws is logged, and the loop lives on", arguments: makers)
    func throwingHandler(_ make: @Sendable () throws -> any DebugLoop & TaskLoop) throws {
        let told = ToldLoop(try make(), handlesExceptions: false)
        defer { told.loop.closeLoop() }
        var ran = 0
        told.loop.exceptionHandler = { _ in throw Boom() }
        told.loop.callSoon { throw Boom() }
        told.loop.callSoon { ran += 1 }
        try told.turns()
        #expect(ran == 1)
        #expect(told.records.map(\.level) == [.error])
        #expect(told.records.first?.message.hasPrefix("Unhandled error in exception handler\n") == true)
    }

    @Test("rule 16: without a handler errors are logged, the message first", arguments: makers)
    func defaultHandler(_ make: @Sendable () throws -> any DebugLoop & TaskLoop) throws {
        let told = ToldLoop(try make(), handlesExceptions: false)
        defer { told.loop.closeLoop() }
        told.loop.callSoon { throw Boom() }
        try told.turns()
        #expect(told.records.map(\.message) == ["Exception in callback\nexception: Boom()\nhandle: <Handle>"])
    }

    @Test("rule 14: an error of a callback comes with its handle", arguments: makers)
    func handleKey(_ make: @Sendable () throws -> any DebugLoop & TaskLoop) throws {
        let told = ToldLoop(try make())
        defer { told.loop.closeLoop() }
        let soon = told.loop.callSoon { throw Boom() }
        let later = told.loop.callLater(.zero) { throw Boom() }
        try told.turns()
        #expect(told.exceptions.map { $0.handle === soon || $0.handle === later } == [true, true])
        #expect(told.keys == [["exception", "handle"], ["exception", "handle"]])
    }

    @Test("rule 20: in debug mode a slow callback is logged, a fast one and one before is not", arguments: makers)
    func slowCallbacks(_ make: @Sendable () throws -> any DebugLoop & TaskLoop) throws {
        let told = ToldLoop(try make())
        defer { told.loop.closeLoop() }
        #expect(told.loop.slowCallbackDuration == .milliseconds(100))
        told.loop.slowCallbackDuration = .milliseconds(5)
        let nap = { Thread.sleep(forTimeInterval: 0.02) }
        told.loop.isDebug = false
        told.loop.callSoon(nap)
        try told.turns()
        #expect(told.records.isEmpty)
        told.loop.isDebug = true
        told.loop.slowCallbackDuration = .seconds(60)
        told.loop.callSoon(nap)
        try told.turns()
        #expect(told.records.isEmpty)
        told.loop.slowCallbackDuration = .milliseconds(5)
        told.loop.callSoon(nap)
        told.loop.callLater(.zero, nap)
        try told.turns()
        #expect(told.records.map(\.level) == [.warning, .warning])
        for (record, name) in zip(told.records, ["<Handle>", "<TimerHandle"]) {
            #expect(record.message.hasPrefix("Executing \(name)") || record.message.hasPrefix("Executing <Handle>"))
            #expect(record.message.contains(" took 0.0"))
            #expect(record.message.hasSuffix(" seconds"))
        }
    }

    @Test("rule 19: in debug mode another thread's callSoon is refused and reported on the loop's thread")
    func wrongThread() async {
        await #expect(processExitsWith: .success) {
            for make in DebugTests.makers {
                let told = ToldLoop(try make())
                told.loop.isDebug = true
                let misuse = Misuse(told.loop)
                var isOnThread = false
                told.loop.exceptionHandler = { exception in
                    isOnThread = misuse.loop.remote.isOnLoopThread
                    if exception.message.hasPrefix("Non-thread-safe operation invoked") { misuse.loop.stop() }
                }
                told.loop.callSoon {
                    let thread = try LoopThread { _ in misuse.commit() }
                    try thread.join()
                }
                try told.loop.run()
                #expect(misuse.refused == [true, true])
                #expect(isOnThread)
                told.loop.closeLoop()
            }
        }
    }

    @Test("rule 21: the environment turns debug mode on, an empty value does not")
    func environment() async {
        await #expect(processExitsWith: .success) {
            for (value, isDebug) in [("", false), ("1", true)] {
                unsafe setenv("ANYLOOP_DEBUG", value, 1)
                for make in DebugTests.makers {
                    let loop = try make()
                    #expect(loop.isDebug == isDebug)
                    loop.closeLoop()
                }
            }
        }
    }

    @Test("rule 32: a loop that nobody closed is a warning, a closed one is not")
    func unclosedLoop() throws {
        var records: [LoopLogRecord] = []
        for isClosed in [true, false] {
            let loop = try NativeLoop()
            loop.logHandler = { records.append($0) }
            if isClosed { loop.closeLoop() }
        }
        #expect(records == [LoopLogRecord(level: .warning, message: "unclosed event loop")])
    }

    @Test("rule 83: from the fifth write after the end on, dropped writes are logged", arguments: makers)
    func droppedWrites(_ make: @Sendable () throws -> any DebugLoop & TaskLoop) throws {
        let told = ToldLoop(try make())
        defer { told.loop.closeLoop() }
        let (near, far) = try RawSocket.unixPair()
        defer { RawSocket.close(far) }
        let transport = try told.loop.adoptConnection(descriptor: near) { RecordingProtocol() }
        try told.turns()
        transport.close()
        for _ in 0..<4 { transport.write([1]) }
        #expect(told.records.isEmpty)
        for _ in 0..<2 { transport.write([1]) }
        let warning = LoopLogRecord(level: .warning, message: "socket.send() raised exception.")
        #expect(told.records == [warning, warning])
    }

    @Test("rule 79: what is buffered is a copy, memory that changes afterwards changes nothing", arguments: makers)
    func bufferedCopy(_ make: @Sendable () throws -> any DebugLoop & TaskLoop) throws {
        let loop = try make()
        let (near, far) = try RawSocket.unixPair()
        defer {
            loop.closeLoop()
            RawSocket.close(far)
        }
        let transport = try loop.adoptConnection(descriptor: near) { RecordingProtocol() }
        for _ in 0..<5 { try loop.runOnce(timeout: .zero) }
        let filling = [UInt8](repeating: 1, count: 4 << 20)
        transport.write(filling)
        var late: [UInt8] = [2, 3, 4]
        var mutable = late.mutableSpan
        transport.write(mutable.span)
        for index in mutable.indices { mutable[index] = 9 }
        var received: [UInt8] = []
        while received.count < filling.count + 3 {
            received += RawSocket.receive(far) ?? []
            try loop.runOnce(timeout: .zero)
        }
        #expect(received.suffix(3) == [2, 3, 4])
        #expect(late == [9, 9, 9])
    }

    @Test("rule 100: what is open on a loop that is closed gives its descriptor back", arguments: makers)
    func openTransports(_ make: @Sendable () throws -> any DebugLoop & TaskLoop) throws {
        let (near, far) = try RawSocket.unixPair()
        defer { RawSocket.close(far) }
        do {
            let loop = try make()
            try loop.adoptConnection(descriptor: near) { RecordingProtocol() }
            for _ in 0..<5 { try loop.runOnce(timeout: .zero) }
            loop.closeLoop()
        }
        // The far end sees the end of the stream.
        #expect(RawSocket.receive(far) == [])
    }

    @Test(
        "rules 64, 66, 74, 98: what each callback of a protocol throws is reported with asyncio's keys",
        arguments: makers,
        [
            (Callback.made, "Exception in callback connection_made", ["exception", "handle"]),
            (.data, "Fatal error: protocol.data_received() call failed.", ["exception", "protocol", "transport"]),
            (.eof, "Fatal error: protocol.eof_received() call failed.", ["exception", "protocol", "transport"]),
            (.lost, "Exception in callback connection_lost", ["exception", "handle"]),
        ])
    func callbackKeys(
        _ make: @Sendable () throws -> any DebugLoop & TaskLoop,
        _ row: (callback: Callback, message: String, keys: [String])
    ) throws {
        let told = ToldLoop(try make())
        defer { told.loop.closeLoop() }
        let (near, far) = try RawSocket.unixPair()
        try told.loop.adoptConnection(descriptor: near) { RecordingProtocol(row.callback) { _, _ in throw Boom() } }
        try told.turns()
        _ = RawSocket.send(far, [1])
        try told.turns()
        RawSocket.close(far)
        try told.turns()
        #expect(told.exceptions.map(\.message) == [row.message])
        #expect(told.keys == [row.keys])
    }
}
