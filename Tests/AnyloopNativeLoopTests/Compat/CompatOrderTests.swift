import AnyloopAsync
import AnyloopCore
import AnyloopNativeLoop
import AnyloopTesting
import Testing

/// The scenarios of compat_order.py on the compat loop: the same callbacks in the same turns as on CPython.
@Suite struct CompatOrderTests {
    @Test(arguments: CompatScenario.all, PollerKind.allCases)
    func sameOrderAsCPython(_ scenario: CompatScenario, _ poller: PollerKind) throws {
        var options = NativeLoopOptions()
        options.poller = poller
        let loop = try CompatLoop(options: options)
        let log = OrderLog(loop)
        try scenario.run(loop, log)
        log.stopTicking()
        let trace = log.trace
        loop.closeLoop()
        #expect(trace == CompatOracle.traces[scenario.name], "\(scenario.name)")
    }

    @Test func everyOracleIsRun() {
        #expect(Set(CompatScenario.all.map(\.name)) == Set(CompatOracle.traces.keys))
    }
}

/// One scenario: the name says which rule it is about.
struct CompatScenario: Sendable, CustomStringConvertible {
    let name: String
    let run: @Sendable (CompatLoop, OrderLog) throws -> Void

    var description: String { name }

    init(_ name: String, _ run: @escaping @Sendable (CompatLoop, OrderLog) throws -> Void) {
        self.name = name
        self.run = run
    }

    static let all = queue + control + streams + closing + datagrams
}

extension CompatLoop {
    func settle() async throws { try await sleep(for: .milliseconds(20)) }

    func adopt(_ near: Int32, _ made: OrderProtocol) async throws {
        _ = try await createConnection({ made }, socket: near)
    }

    /// Reads until `total` bytes or the end, as the scenarios in Python do.
    func drain(_ far: RawEnd, total: Int = .max) async -> Int {
        var count = 0
        while count < total {
            guard let received = far.receive() else {
                await Task.yield()
                continue
            }
            if received == 0 { break }
            count += received
        }
        return count
    }
}
