/// What a transport keeps account of on its writing side, as asyncio does: the marks, whether the protocol was told to
/// pause, the writes that it dropped.
///
/// Only counts and compares, so that each transport keeps its own order of things; it tells the protocol by
/// `StreamTransport.tell` or `DatagramTransport.tell` what the answers say.
package struct WriteFlow {
    /// What the protocol was told last, and whether that is about to change.
    private enum Pace: UInt8 {
        case flowing
        /// `pauseWriting` was called.
        case paused
        /// The same; whether to call `resumeWriting` is looked at in a later turn.
        case resuming
    }

    /// What a protocol is told of its transport's buffer.
    package enum Signal {
        case pause
        case resume
    }

    /// So many losses of a transport are silent, the next ones are logged: its end, and each write that came after it
    /// (asyncio: `LOG_THRESHOLD_FOR_CONNLOST_WRITES`).
    package static let silentLossCount = 5

    /// The marks in force.
    package var limits: WriteBufferLimits
    /// Writes that were dropped, those that were refused included.
    package private(set) var droppedCount = 0
    private var pace = Pace.flowing

    /// Nothing written yet.
    package init(limits: WriteBufferLimits = .standard) {
        self.limits = limits
    }

    // MARK: Watermarks (asyncio rules 85 to 89)

    /// `pauseWriting` was called and `resumeWriting` not yet.
    package var isPaused: Bool { pace != .flowing }

    /// Whether a buffer of `size` bytes is above the high mark and the protocol has to be told; it counts as told then.
    package mutating func pauses(at size: Int) -> Bool {
        guard pace == .flowing, size > limits.high else { return false }
        pace = .paused
        return true
    }

    /// Whether a buffer of `size` bytes is at the low mark or below and the protocol has to be told; it counts as told
    /// then. Otherwise what `resumesLater` announced is called off.
    package mutating func resumes(at size: Int) -> Bool {
        guard pace != .flowing else { return false }
        pace = size <= limits.low ? .flowing : .paused
        return pace == .flowing
    }

    /// Whether `resumes` has to be asked in a later turn, because a buffer of `size` bytes is low now; it counts as
    /// asked for then.
    package mutating func resumesLater(at size: Int) -> Bool {
        guard pace == .paused, size <= limits.low else { return false }
        pace = .resuming
        return true
    }

    // MARK: Dropped writes (asyncio rule 83)

    /// Counts a write that came after `losses` other losses: the end, where asyncio counts that, or none.
    ///
    /// - Returns: whether it has to be logged.
    @discardableResult
    package mutating func drop(after losses: Int = 1) -> Bool {
        droppedCount += 1
        return droppedCount + losses > Self.silentLossCount
    }

    /// Counts a write that is reported by itself.
    package mutating func refuse() { droppedCount += 1 }
}

/// Why a stream transport that is open takes no writes.
package struct WriteRefusal: OptionSet, Sendable {
    package let rawValue: UInt8

    package init(rawValue: UInt8) {
        self.rawValue = rawValue
    }

    /// `writeEOF` was called.
    package static var ended: WriteRefusal { WriteRefusal(rawValue: 1) }
    /// A file of `SendFileLoop.sendFile` is under way (asyncio rule 93).
    package static var sendingFile: WriteRefusal { WriteRefusal(rawValue: 2) }

    /// Whether writes are taken.
    package var isNone: Bool { rawValue == 0 }

    /// What asyncio raises from `call`; nil where writes are taken.
    package func error(of call: String) -> UsageError? {
        if contains(.ended) { return .state("Cannot call \(call)() after write_eof()") }
        if contains(.sendingFile) { return .state("unable to \(call); sendfile is in progress") }
        return nil
    }

    /// What the completion of a file gets that is not taken; nil where it is. `cause` is what ended a transport that is
    /// closing.
    package func fileError(isClosing: Bool, cause: TransportError?) -> TransportError? {
        let refusal = isClosing ? subtracting(.ended) : self
        if let error = refusal.error(of: "write") { return .usage(error) }
        return isClosing ? cause ?? .transportIsClosing : nil
    }
}

extension TransportError {
    /// A file for a transport that is closing.
    package static var transportIsClosing: TransportError { .usage("Transport is closing") }
}

extension StreamTransport {
    /// Tells the protocol of the buffer; what that throws is reported and ends nothing (asyncio rule 90).
    package func tell(_ signal: WriteFlow.Signal) {
        do {
            switch signal {
            case .pause: try streamProtocol?.pauseWriting()
            case .resume: try streamProtocol?.resumeWriting()
            }
        } catch {
            report(signal, error, streamProtocol)
        }
    }
}

extension DatagramTransport {
    /// Tells the protocol of the buffer; what that throws is reported and ends nothing (asyncio rule 90).
    package func tell(_ signal: WriteFlow.Signal) {
        do {
            switch signal {
            case .pause: try datagramProtocol?.pauseWriting()
            case .resume: try datagramProtocol?.resumeWriting()
            }
        } catch {
            report(signal, error, datagramProtocol)
        }
    }
}

extension Transport {
    fileprivate func report(_ signal: WriteFlow.Signal, _ error: any Error, _ protocolObject: AnyObject?) {
        let name = signal == .pause ? "pause_writing" : "resume_writing"
        loop.callExceptionHandler(
            LoopException(
                message: "protocol.\(name)() failed", error: error, transport: self, protocolObject: protocolObject))
    }
}
