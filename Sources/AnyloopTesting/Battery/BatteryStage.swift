import AnyloopCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Where a case plays: its host, and everything that must be checked when it is over.
final class BatteryStage {
    let host: any BatteryHost
    /// What the loop's exception handler heard.
    private(set) var exceptions: [LoopException] = []
    /// Set by a case that provokes exceptions; otherwise any is a failure.
    var expectsExceptions = false
    private var recorders: [RecordingProtocol] = []
    private var datagramRecorders: [RecordingDatagramProtocol] = []

    init(_ host: any BatteryHost) {
        self.host = host
        host.loop.exceptionHandler = { [unowned self] in exceptions.append($0) }
    }

    var loop: any Loop { host.loop }

    /// The loop under test, if it sends files over the host's pairs.
    var sendFileLoop: (any SendFileLoop)? { host.loopSendsFiles ? loop as? any SendFileLoop : nil }

    /// A recorder whose grammar is checked when the case is over.
    func track(_ recorder: RecordingProtocol) -> RecordingProtocol {
        recorders.append(recorder)
        return recorder
    }

    func track(_ recorder: RecordingDatagramProtocol) -> RecordingDatagramProtocol {
        datagramRecorders.append(recorder)
        return recorder
    }

    /// Lets go of a recorder whose transport got another protocol: it will never see `connectionLost`.
    func untrack(_ recorder: RecordingProtocol) {
        recorders.removeAll { $0 === recorder }
    }

    /// A connection whose `connectionMade` has run.
    func open(_ recorder: RecordingProtocol = RecordingProtocol()) throws -> StreamScene {
        let peer = try host.makePair(track(recorder))
        try wait("connectionMade") { recorder.count(.made) > 0 }
        guard let transport = recorder.transport else { throw BatteryFailure("connectionMade brought no transport") }
        return StreamScene(stage: self, recorder: recorder, peer: peer, transport: transport)
    }

    /// Steps until `condition` holds.
    func wait(_ what: String, until condition: () -> Bool) throws {
        let clock = ContinuousClock()
        let start = clock.now
        var steps = 0
        while !condition() {
            guard host.isPatient(steps: steps, for: clock.now - start) else {
                throw BatteryFailure("waited in vain for \(what)")
            }
            try host.step()
            steps += 1
        }
    }

    /// Steps often enough that anything under way would have come.
    func settle(_ steps: Int = 8) throws {
        for _ in 0..<steps { try host.step() }
    }

    func verify() throws {
        for recorder in recorders {
            if recorder.isOpen { recorder.transport?.abort() }
        }
        for recorder in datagramRecorders where !recorder.isLost { recorder.transport?.abort() }
        try wait("connectionLost after abort()") {
            recorders.allSatisfy { !$0.isOpen } && datagramRecorders.allSatisfy { $0.isLost || $0.transport == nil }
        }
        if !recorders.isEmpty || !datagramRecorders.isEmpty { try settle(2) }
        for violation in recorders.compactMap(\.grammar.violation) + datagramRecorders.compactMap(\.grammar.violation) {
            throw BatteryFailure("against the callback grammar: \(violation)")
        }
        guard !expectsExceptions, let exception = exceptions.first else { return }
        throw BatteryFailure("the exception handler heard '\(exception.message)' \(exception.error as Any)")
    }
}

/// An open connection: our transport and its protocol on one side, a raw end on the other.
struct StreamScene {
    let stage: BatteryStage
    let recorder: RecordingProtocol
    let peer: any BatteryPeer
    let transport: any StreamTransport

    func wait(_ what: String, until condition: () -> Bool) throws { try stage.wait(what, until: condition) }
    func settle() throws { try stage.settle() }

    /// What the protocol hears once we have closed: over TLS the peer's answer is told as well (rule 126).
    var closed: [TraceEvent] { stage.host.speaksTLS ? [.eof, .lost(nil)] : [.lost(nil)] }

    func waitForLost() throws { try wait("connectionLost") { recorder.isLost } }

    func waitForBytes(_ count: Int) throws {
        try wait("\(count) bytes at the peer") { peer.received.count >= count }
    }

    func waitForData(_ count: Int) throws {
        try wait("\(count) bytes by dataReceived") { recorder.byteCount >= count }
    }

    /// Stops the peer and writes until the socket takes no more.
    ///
    /// - Returns: all that was written.
    func fill() throws -> [UInt8] {
        peer.stopReading()
        var written: [UInt8] = []
        // The kernel takes more in steps: it is full when bytes stay through a few turns.
        while transport.writeBufferSize == 0 {
            while transport.writeBufferSize == 0 {
                guard written.count < 64 << 20 else {
                    throw BatteryFailure("64 MiB were taken by a peer that does not read")
                }
                let piece = pattern(65536, seed: UInt8(truncatingIfNeeded: written.count >> 16))
                transport.write(piece)
                written += piece
            }
            try stage.settle(5)
        }
        return written
    }
}

/// Fails the case unless `condition` holds.
func expect(_ condition: Bool, _ text: @autoclosure () -> String) throws {
    if !condition { throw BatteryFailure(text()) }
}

/// Fails the case unless both are equal.
func expectEqual<Value: Equatable>(_ actual: Value, _ expected: Value, _ what: String) throws {
    if actual != expected { throw BatteryFailure("\(what): expected \(expected), got \(actual)") }
}

/// Fails the case unless both are the same bytes, naming the first that differs.
func expectBytes(_ actual: [UInt8], _ expected: [UInt8], _ what: String) throws {
    let isSame =
        unsafe actual.count == expected.count
        && actual.withUnsafeBytes { left in
            // memcmp: in a debug build the arrays' own comparison is a hundred times slower.
            unsafe expected.withUnsafeBytes { right in
                guard let left = left.baseAddress, let right = right.baseAddress else { return true }
                return unsafe memcmp(left, right, actual.count) == 0
            }
        }
    if isSame { return }
    let index = zip(actual, expected).enumerated().first { $0.element.0 != $0.element.1 }?.offset
    let place = index.map { "differ from byte \($0)" } ?? "are a part"
    throw BatteryFailure("\(what): \(actual.count) bytes, expected \(expected.count); they \(place)")
}

/// `count` bytes in which loss and disorder show; another `seed` gives others.
func pattern(_ count: Int, seed: UInt8 = 0) -> [UInt8] {
    // Pieces of one table whose length is prime, so that no buffer's size divides it.
    var bytes: [UInt8] = []
    bytes.reserveCapacity(count)
    var start = Int(seed) * 251
    while bytes.count < count {
        let end = min(patternTable.count, start + count - bytes.count)
        bytes += patternTable[start..<end]
        start = 0
    }
    return bytes
}

private let patternTable: [UInt8] = {
    var state: UInt32 = 12345
    return (0..<65521).map { _ in
        state = state &* 1_664_525 &+ 1_013_904_223
        return UInt8(truncatingIfNeeded: state >> 24)
    }
}()
