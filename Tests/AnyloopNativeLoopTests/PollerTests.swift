import AnyloopCore
import AnyloopTestHosts
import CAnyloopSystem
import Testing

@testable import AnyloopNativeLoop

/// What every poller must do alike.
@Suite struct PollerTests {
    /// One poller with room for `capacity` events.
    @safe
    private final class Bench {
        let poller: any Poller
        private let events: UnsafeMutableBufferPointer<anyloop_event>

        init(_ kind: PollerKind, capacity: Int = 16) throws {
            poller = try kind.make()
            unsafe events = .allocate(capacity: capacity)
        }

        deinit {
            poller.close()
            unsafe events.deallocate()
        }

        /// The keys that are ready and for what, after at most `timeout` nanoseconds.
        func wait(_ timeout: Int64 = 0) -> [UInt64: Interest] {
            let count = unsafe poller.wait(timeout: timeout, events: events)
            #expect(count >= 0)
            var seen: [UInt64: Interest] = [:]
            for index in 0..<Int(max(0, count)) {
                let event = unsafe events[index]
                seen[event.key] = Interest(rawValue: event.ready)
            }
            return seen
        }
    }

    @Test(arguments: PollerKind.allCases)
    func readsAndWritesAreToldLevelTriggered(_ kind: PollerKind) throws {
        let bench = try Bench(kind)
        let (near, far) = try RawSocket.unixPair()
        defer { RawSocket.close(near, far) }
        #expect(bench.poller.change(near, key: 7, from: [], to: .read) == 0)
        #expect(bench.wait().isEmpty)
        #expect(RawSocket.send(far, [1]) == 1)
        #expect(bench.wait()[7]?.contains(.read) == true)
        #expect(bench.wait()[7]?.contains(.read) == true, "told again until it is read")
        #expect(bench.poller.change(near, key: 7, from: .read, to: [.read, .write]) == 0)
        #expect(bench.wait()[7] == [.read, .write])
        #expect(RawSocket.receive(near) == [1])
        #expect(bench.wait()[7] == .write)
        #expect(bench.poller.change(near, key: 7, from: [.read, .write], to: []) == 0)
        #expect(RawSocket.send(far, [1]) == 1)
        #expect(bench.wait().isEmpty)
    }

    @Test(arguments: PollerKind.allCases)
    func aHangUpWakesWhoeverWatches(_ kind: PollerKind) throws {
        for interest in [Interest.read, .write] {
            let bench = try Bench(kind)
            let (near, far) = try RawSocket.unixPair()
            defer { RawSocket.close(near) }
            #expect(bench.poller.change(near, key: 1, from: [], to: interest) == 0)
            RawSocket.close(far)
            #expect(bench.wait()[1]?.isSuperset(of: interest) == true)
        }
    }

    @Test(arguments: PollerKind.allCases)
    func moreReadyThanRoomAreAllToldInTheEnd(_ kind: PollerKind) throws {
        let bench = try Bench(kind, capacity: 3)
        var sockets: [Int32] = []
        defer { for socket in sockets { RawSocket.close(socket) } }
        for key in 0..<10 {
            let (near, far) = try RawSocket.unixPair()
            sockets += [near, far]
            #expect(bench.poller.change(near, key: UInt64(key), from: [], to: .write) == 0)
        }
        var seen: Set<UInt64> = []
        for _ in 0..<40 { seen.formUnion(bench.wait().keys) }
        #expect(seen == Set(0..<10))
    }

    @Test(arguments: PollerKind.allCases)
    func removingOneLeavesTheOthers(_ kind: PollerKind) throws {
        let bench = try Bench(kind)
        let pairs = try (0..<3).map { _ in try RawSocket.unixPair() }
        defer { for pair in pairs { RawSocket.close(pair.0, pair.1) } }
        for (key, pair) in pairs.enumerated() {
            #expect(bench.poller.change(pair.0, key: UInt64(key), from: [], to: .write) == 0)
        }
        #expect(bench.poller.change(pairs[0].0, key: 0, from: .write, to: []) == 0)
        #expect(Set(bench.wait().keys) == [1, 2])
        #expect(bench.poller.change(pairs[2].0, key: 2, from: .write, to: []) == 0)
        #expect(Set(bench.wait().keys) == [1])
        #expect(bench.poller.change(pairs[0].0, key: 9, from: [], to: .write) == 0)
        #expect(Set(bench.wait().keys) == [1, 9])
    }

    @Test func namesAreKnownOrRefusedWithTheList() throws {
        for kind in PollerKind.allCases { #expect(try PollerKind(named: kind.rawValue) == kind) }
        let error = #expect(throws: TransportError.self) { try PollerKind(named: "kqueue") }
        #expect(error?.description == "unknown poller 'kqueue': this build has epoll, poll, select")
    }

    @Test func descriptorsAbove1024AreWatched() async {
        await #expect(processExitsWith: .success) {
            #expect(anyloop_set_descriptor_limit(2048) == 0)
            var pair = try RawSocket.unixPair()
            while pair.0 <= 1100 { pair = try RawSocket.unixPair() }
            for kind in PollerKind.allCases {
                let loop = try makeLoop(kind)
                var calls = 0
                let reader = pair.0
                try loop.addReader(reader) {
                    calls += 1
                    _ = RawSocket.receive(reader)
                }
                _ = RawSocket.send(pair.1, [1])
                while calls == 0 { try loop.runOnce(timeout: nil) }
                loop.closeLoop()
            }
        }
    }

    @Test(arguments: PollerKind.allCases)
    func aLateEventMissesTheNextOwnerOfTheDescriptor(_ kind: PollerKind) throws {
        // Both are ready in one batch; the first to run closes the other and reuses its number at once.
        let loop = try makeLoop(kind)
        let (near, far) = try RawSocket.unixPair()
        let (other, otherFar) = try RawSocket.unixPair()
        defer {
            loop.closeLoop()
            RawSocket.close(near, far, other, otherFar)
        }
        var calls: [String] = []
        func replace(_ mine: Int32, _ theirs: Int32) throws {
            guard calls.isEmpty else { return }
            calls.append("first")
            try loop.removeReader(theirs)
            try loop.addReader(theirs) { calls.append("new owner") }
            try loop.removeReader(mine)
        }
        try loop.addReader(near) { try replace(near, other) }
        try loop.addReader(other) { try replace(other, near) }
        _ = RawSocket.send(far, [1])
        _ = RawSocket.send(otherFar, [1])
        try loop.runOnce(timeout: .zero)
        #expect(calls == ["first"], "the new reader waits for the next look")
        try loop.runOnce(timeout: .zero)
        #expect(calls == ["first", "new owner"])
    }
}
