import AnyloopCore
import AnyloopNativeLoop
import AnyloopTesting
import CAnyloopSystem
import Foundation
import Testing

/// Every liberty shows what it says, on the native loop and on the compat one.
@Suite struct LibertyTests {
    @Test(arguments: NativeLiberty.all) func showsWhatItSays(_ liberty: NativeLiberty) throws {
        let demonstration = try #require(Demonstration.all[liberty.id], "no demonstration of \(liberty.id)")
        let native = try demonstration.run(on: NativeLoop())
        let compat = try demonstration.run(on: CompatLoop())
        #expect(native == demonstration.native)
        #expect(compat == demonstration.compat)
        #expect((native == compat) == (liberty.scope == .both))
    }

    @Test func idsAreUniqueAndNoneIsLeftOver() {
        #expect(Set(NativeLiberty.all.map(\.id)).count == NativeLiberty.all.count)
        #expect(Set(NativeLiberty.all.map(\.id)) == Set(Demonstration.all.keys))
    }

    @Test func theyStandInArchitecture() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        let page = try String(contentsOf: root.appending(path: "ARCHITECTURE.md"), encoding: .utf8)
        #expect(page.contains(NativeLiberty.table), "print NativeLiberty.table into ARCHITECTURE.md")
    }
}

/// Something to do on a loop, and what each loop makes of it.
struct Demonstration: Sendable {
    let native: [String]
    let compat: [String]
    let body: @Sendable (any Loop, Log) throws -> Void

    final class Log {
        var events: [String] = []
        func callAsFunction(_ event: String) { events.append(event) }
    }

    func run(on loop: any Loop) throws -> [String] {
        let log = Log()
        try body(loop, log)
        loop.closeLoop()
        return log.events
    }

    init(
        native: [String], compat: [String], _ body: @escaping @Sendable (any Loop, Log) throws -> Void
    ) {
        self.native = native
        self.compat = compat
        self.body = body
    }

    init(both: [String], _ body: @escaping @Sendable (any Loop, Log) throws -> Void) {
        self.init(native: both, compat: both, body)
    }

    private static func turns(_ loop: any Loop, _ count: Int = 10) throws {
        for _ in 0..<count { try loop.runOnce(timeout: .milliseconds(1)) }
    }

    /// A server with a port of its own; its protocols log under `S` and a number.
    private static func serve(
        _ loop: any Loop, _ factory: @escaping () throws -> any StreamProtocol
    ) throws -> any Server {
        try loop.createServer(on: [.loopback(port: 0)], options: ServerOptions(), protocolFactory: factory)
    }

    private static func endpoint(
        _ loop: any Loop, _ made: RecordingDatagramProtocol, to remote: SocketAddress? = nil
    ) throws -> any DatagramTransport {
        try loop.createDatagramEndpoint(
            local: .loopback(port: 0), remote: remote, options: DatagramOptions()
        ) { made }
    }

    static let all: [String: Demonstration] = scheduling.merging(streams) { $1 }
        .merging(datagrams) { $1 }.merging(tls) { $1 }

    private static let scheduling: [String: Demonstration] = [
        "posted-once-a-turn": Demonstration(native: ["soon", "posted"], compat: ["posted", "soon"]) { loop, log in
            let bound = LoopBound(log, to: loop.remote)
            loop.callSoon {
                loop.remote.callSoonThreadsafe { bound.value("posted") }
                loop.callSoon { log("soon") }
            }
            try turns(loop)
        },
        "equal-deadlines-in-order": Demonstration(
            native: ["0", "1", "2", "3", "4"], compat: ["0", "2", "4", "1", "3"]
        ) { loop, log in
            let when = loop.now + .milliseconds(1)
            for number in 0..<5 { loop.callAt(when) { log("\(number)") } }
            while log.events.count < 5 { try turns(loop, 1) }
        },
        "closed-loop-takes-nothing": Demonstration(both: ["true", "true", "Event loop is closed"]) { loop, log in
            loop.closeLoop()
            log("\(loop.callSoon {}.isCancelled)")
            log("\(loop.callLater(.zero) {}.isCancelled)")
            do { try loop.run() } catch { log("\(error)") }
        },
        "closing-kills-processes": Demonstration(both: ["made", "lost Event loop is closed"]) { loop, log in
            let processes = try #require(loop as? any ProcessLoop)
            let child = ChildWitness(log)
            try processes.subprocessExec("sleep", ["60"]) { child }
            while log.events.isEmpty { try loop.runOnce(timeout: .milliseconds(10)) }
        },
        "closing-ends-transports": Demonstration(both: ["made", "lost loop closed"]) { loop, log in
            let (near, far) = try RawEnd.pair()
            let recorder = RecordingProtocol(.lost) { recorder, _ in
                log("lost " + (recorder.lostError.map(TraceEvent.cause) ?? ""))
            }
            recorder.reactions[.made] = { _, _ in log("made") }
            try loop.adoptConnection(descriptor: near) { recorder }
            try turns(loop)
            loop.closeLoop()
            far.close()
        },
    ]

    private static let streams: [String: Demonstration] = [
        "made-at-once": Demonstration(native: ["made", "adopted"], compat: ["adopted", "made"]) { loop, log in
            let (near, far) = try RawEnd.pair()
            try loop.adoptConnection(descriptor: near) { RecordingProtocol(.made) { _, _ in log("made") } }
            log("adopted")
            try turns(loop)
            far.close()
        },
        "accept-in-pairs": Demonstration(
            native: ["factory", "made", "factory", "made", "factory", "made"],
            compat: ["factory", "factory", "factory", "made", "made", "made"]
        ) { loop, log in
            let server = try serve(loop) {
                log("factory")
                return RecordingProtocol(.made) { _, _ in log("made") }
            }
            let peers = try (0..<3).map { _ in try RawEnd.connect(to: server.addresses[0]) }
            try turns(loop)
            for peer in peers { peer.close() }
        },
        "connect-in-one-turn": Demonstration(
            native: ["factory", "made", "completion", "soon from factory", "soon from made"],
            compat: ["factory", "soon from factory", "made", "completion", "soon from made"]
        ) { loop, log in
            let server = try serve(loop) { RecordingProtocol() }
            loop.createConnection(
                to: .address(server.addresses[0]), options: ConnectOptions(),
                protocolFactory: {
                    log("factory")
                    loop.callSoon { log("soon from factory") }
                    return RecordingProtocol(.made) { _, _ in
                        log("made")
                        loop.callSoon { log("soon from made") }
                    }
                }, completion: { _ in log("completion") })
            try turns(loop)
        },
        "lost-after-flush-queued": Demonstration(
            native: ["resume", "soon from resume", "lost"], compat: ["resume", "lost", "soon from resume"]
        ) { loop, log in
            let (near, far) = try RawEnd.pair()
            let recorder = RecordingProtocol(.lost) { _, _ in log("lost") }
            recorder.reactions[.resume] = { _, _ in
                log("resume")
                loop.callSoon { log("soon from resume") }
            }
            let transport = try loop.adoptConnection(descriptor: near) { recorder }
            try turns(loop)
            transport.setWriteBufferLimits(try WriteBufferLimits(high: 0))
            transport.write([UInt8](repeating: 0, count: 1 << 20))
            transport.close()
            while far.receive() != 0 { try turns(loop, 1) }
        },
        "factory-errors-reported": Demonstration(
            native: ["Error on transport creation for incoming connection"], compat: []
        ) { loop, log in
            loop.exceptionHandler = { log($0.message) }
            let server = try serve(loop) { throw ReactionError(.made) }
            let peer = try RawEnd.connect(to: server.addresses[0])
            try turns(loop)
            peer.close()
        },
        "end-told-once": Demonstration(native: ["end"], compat: ["end", "end"]) { loop, log in
            let (near, far) = try RawEnd.pair()
            let recorder = RecordingProtocol(.eof) { _, _ in log("end") }
            recorder.keepsOpenAfterEOF = true
            let transport = try loop.adoptConnection(descriptor: near) { recorder }
            far.close()
            try turns(loop)
            transport.pauseReading()
            transport.resumeReading()
            try turns(loop)
        },
        "late-write-reported": Demonstration(both: ["Cannot call write() after write_eof()"]) { loop, log in
            let (near, far) = try RawEnd.pair()
            loop.exceptionHandler = { log($0.message) }
            let transport = try loop.adoptConnection(descriptor: near) { RecordingProtocol() }
            try turns(loop)
            transport.writeEOF()
            transport.write([1])
            try turns(loop)
            far.close()
        },
    ]

    private static let datagrams: [String: Demonstration] = [
        "no-datagrams-after-close": Demonstration(native: ["dropped 1"], compat: ["dropped 0"]) { loop, log in
            let transport = try endpoint(loop, RecordingDatagramProtocol())
            try turns(loop)
            transport.close()
            transport.send([1].span, to: transport.socketName)
            log("dropped \(transport.droppedWriteCount)")
            try turns(loop)
        },
        "datagrams-by-budget": Demonstration(
            native: ["datagram", "datagram", "soon", "soon"], compat: ["datagram", "soon", "datagram", "soon"]
        ) { loop, log in
            let receiver = RecordingDatagramProtocol()
            receiver.reactions[.datagram] = { _, _ in
                log("datagram")
                loop.callSoon { log("soon") }
            }
            let far = try endpoint(loop, receiver)
            let near = try endpoint(loop, RecordingDatagramProtocol())
            try turns(loop)
            near.send([1].span, to: far.socketName)
            near.send([2].span, to: far.socketName)
            try turns(loop)
        },
        "datagram-misuse-reported": Demonstration(
            native: ["usage", "usage", "false"],
            compat: ["Invalid address", "Fatal write error on datagram transport", "true"]
        ) { loop, log in
            loop.exceptionHandler = { log(String($0.message.prefix { $0 != ":" })) }
            let recorder = RecordingDatagramProtocol()
            recorder.reactions[.error] = { recorder, _ in log(recorder.errors.last.map(TraceEvent.cause) ?? "") }
            let unconnected = try endpoint(loop, recorder)
            let connected = try endpoint(loop, recorder, to: unconnected.socketName)
            try turns(loop)
            connected.send([1].span, to: .loopback(port: 9))
            unconnected.send([1].span, to: nil)
            try turns(loop)
            log("\(unconnected.isClosing || connected.isClosing)")
        },
    ]
}

/// Logs the first and the last callback of a child process.
private final class ChildWitness: SubprocessProtocol {
    private let log: Demonstration.Log

    init(_ log: Demonstration.Log) {
        self.log = log
    }

    func connectionMade(_ transport: any SubprocessTransport) { log("made") }

    func connectionLost(_ error: TransportError?) { log("lost" + (error.map { " \($0)" } ?? "")) }
}
