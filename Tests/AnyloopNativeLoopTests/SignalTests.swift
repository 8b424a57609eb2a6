import AnyloopCore
import CAnyloopSystem
import Testing

@testable import AnyloopNativeLoop

/// Signals are the process's: each test has one of its own.
@Suite struct SignalTests {
    private static let user1: Int32 = 10
    private static let user2: Int32 = 12

    @Test func aSignalRunsItsHandlerOnTheLoop() async {
        await #expect(processExitsWith: .success) {
            for poller in PollerKind.allCases {
                let loop = try makeLoop(poller)
                var seen: [Int32] = []
                try loop.addSignalHandler(SignalTests.user1) { seen.append(1) }
                try loop.addSignalHandler(SignalTests.user2) { seen.append(2) }
                #expect(anyloop_signal_raise(SignalTests.user1) == 0)
                while seen.isEmpty { try loop.runOnce(timeout: nil) }
                #expect(anyloop_signal_raise(SignalTests.user2) == 0)
                while seen.count < 2 { try loop.runOnce(timeout: nil) }
                #expect(seen == [1, 2])
                #expect(try loop.removeSignalHandler(SignalTests.user1))
                #expect(try !loop.removeSignalHandler(SignalTests.user1))
                loop.closeLoop()
            }
        }
    }

    @Test func aSignalWakesALoopThatWaits() async {
        await #expect(processExitsWith: .success) {
            let loop = try makeLoop(.epoll)
            try loop.addSignalHandler(SignalTests.user1) { loop.stop() }
            let thread = try LoopThread { other in
                // Long enough that the first loop is waiting by then, as a rule; it is correct either way.
                other.callLater(.milliseconds(20)) { _ = anyloop_signal_raise(SignalTests.user1) }
                try other.runOnce(timeout: nil)
            }
            try loop.run()
            try thread.join()
            loop.closeLoop()
        }
    }

    @Test func removingGivesTheFormerEffectBack() async {
        await #expect(processExitsWith: .signal(SignalTests.user1)) {
            let loop = try makeLoop(.epoll)
            try loop.addSignalHandler(SignalTests.user1) {}
            loop.closeLoop()
            let other = try makeLoop(.epoll)
            _ = anyloop_signal_raise(SignalTests.user1)
            // Another thread may be the one that gets it, a moment later.
            try other.runOnce(timeout: .seconds(10))
        }
    }

    @Test("rule 37: what cannot be caught is refused", arguments: [9, 19] as [Int32])
    func whatCannotBeCaughtIsRefused(_ signal: Int32) throws {
        let loop = try makeLoop(.epoll)
        defer { loop.closeLoop() }
        let error = #expect(throws: TransportError.self) { try loop.addSignalHandler(signal) {} }
        #expect(error?.description.hasPrefix("sig \(signal) cannot be caught") == true)
    }

    @Test("rule 37: a number that is no signal is refused", arguments: [0, -1, 65] as [Int32])
    func whatIsNoSignalIsRefused(_ signal: Int32) throws {
        let loop = try makeLoop(.epoll)
        defer { loop.closeLoop() }
        for call in [{ try loop.addSignalHandler(signal) {} }, { _ = try loop.removeSignalHandler(signal) }] {
            guard case .usage(let misuse) = #expect(throws: TransportError.self, performing: call) else {
                Issue.record("not a misuse")
                continue
            }
            #expect(misuse == .argument("invalid signal number \(signal)"))
        }
    }
}
