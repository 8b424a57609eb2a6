import AnyloopCore
import AnyloopTesting
import Testing

/// The batteries find what they are for: a host with one fault fails, the same host without it does not.
@Suite struct BatteryFaultTests {
    @Test(arguments: Fault.allCases) func everyFaultIsFound(_ fault: Fault) {
        let failures = checkStreamTransport { FaultyHost(fault) }
        #expect(failures.isEmpty == (fault == .none), "\(failures.first?.text ?? "nothing was found")")
    }
}

/// What is wrong between a transport and its protocol.
enum Fault: String, CaseIterable, Sendable {
    case none
    case dropsAByte, swapsChunks, duplicatesData, emptyChunk
    case madeTwice, noMade, dataBeforeMade
    case eofTwice, noEOF, dataAfterEOF, eofBecomesLost
    case noLost, lostTwice, lostWithoutCause, lostWithACause
    case noPause, pauseTwice, noResume, resumeAlone
    case ignoresKeepOpen, hidesThrownErrors
}

/// A memory host whose protocols sit behind a layer with a fault.
final class FaultyHost: BatteryHost {
    private let host = MemoryHost()
    private let fault: Fault

    init(_ fault: Fault) {
        self.fault = fault
    }

    var name: String { "memory with \(fault)" }
    var loop: any Loop { host.loop }
    var discipline: BatteryDiscipline { host.discipline }

    func makePair(_ streamProtocol: any StreamProtocol) throws -> any BatteryPeer {
        host.makePair(FaultyProtocol(streamProtocol, fault))
    }

    func step() throws { try host.step() }

    /// A case that waits in vain is a case that found the fault; it need not wait long.
    func isPatient(steps: Int, for duration: Duration) -> Bool { steps < 1500 }

    func makeFile(_ bytes: [UInt8]) throws -> Int32 { try host.makeFile(bytes) }

    func tearDown() { host.tearDown() }
}

private final class FaultyProtocol: StreamProtocol {
    private let inner: any StreamProtocol
    private let fault: Fault
    private var held: [UInt8] = []

    init(_ inner: any StreamProtocol, _ fault: Fault) {
        self.inner = inner
        self.fault = fault
    }

    func connectionMade(_ transport: any StreamTransport) throws {
        if fault == .dataBeforeMade { try inner.dataReceived([1].span) }
        if fault != .noMade { try guarded { try inner.connectionMade(transport) } }
        if fault == .madeTwice { try inner.connectionMade(transport) }
        if fault == .resumeAlone { try inner.resumeWriting() }
    }

    func dataReceived(_ data: Span<UInt8>) throws {
        switch fault {
        case .dropsAByte where data.count > 1: try inner.dataReceived(data.extracting(1...))
        case .swapsChunks where held.isEmpty && data.count > 1:
            for index in 0..<data.count { held.append(data[index]) }
        case .swapsChunks:
            try inner.dataReceived(data)
            let former = held
            held = []
            if !former.isEmpty { try inner.dataReceived(former.span) }
        case .duplicatesData:
            try inner.dataReceived(data)
            try inner.dataReceived(data)
        case .emptyChunk:
            try inner.dataReceived(data.extracting(..<0))
            try inner.dataReceived(data)
        default:
            do { try inner.dataReceived(data) } catch { if fault != .hidesThrownErrors { throw error } }
        }
    }

    func eofReceived() throws -> Bool {
        if fault == .noEOF { return false }
        var keepsOpen = false
        try guarded { keepsOpen = try inner.eofReceived() }
        if fault == .eofTwice { _ = try inner.eofReceived() }
        if fault == .dataAfterEOF { try inner.dataReceived([1].span) }
        if fault == .eofBecomesLost { try inner.connectionLost(nil) }
        return fault == .ignoresKeepOpen ? false : keepsOpen
    }

    func connectionLost(_ error: TransportError?) throws {
        switch fault {
        case .noLost: return
        case .lostWithoutCause: try inner.connectionLost(nil)
        case .lostWithACause: try inner.connectionLost(error ?? .cancelled)
        default: try guarded { try inner.connectionLost(error) }
        }
        if fault == .lostTwice { try inner.connectionLost(error) }
    }

    func pauseWriting() throws {
        if fault == .noPause { return }
        try guarded { try inner.pauseWriting() }
        if fault == .pauseTwice { try inner.pauseWriting() }
    }

    func resumeWriting() throws {
        if fault == .noResume { return }
        try guarded { try inner.resumeWriting() }
    }

    private func guarded(_ body: () throws -> Void) throws {
        do { try body() } catch { if fault != .hidesThrownErrors { throw error } }
    }
}
