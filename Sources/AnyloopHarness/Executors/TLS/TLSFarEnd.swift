import AnyloopCore
import CAnyloopTLS

/// The peer's TLS in one replay: OpenSSL without anything of ours between, so that the two ends fail differently.
///
/// It does no I/O. What came from the subject goes into `take`; everything else gives ciphertext to be sent, in the
/// segments that the cut asks for.
@safe
final class TLSFarEnd {
    private let tls: OpaquePointer
    private let contexts: TLSReplayContexts
    private let side: Fixture.Side
    private let isOlder: Bool
    private let resumes: Bool
    private var handshakeCutter: RecordCutter
    private var cutter: RecordCutter
    private var hasFailed = false
    private var hasEnded = false
    private var scratch = [UInt8](repeating: 0, count: TLSFarEnd.readSize)
    /// What the subject sent, decrypted.
    private(set) var received: [UInt8] = []
    /// Whether the handshake is over for this end.
    private(set) var isEstablished = false
    /// Whether the subject ended its side: by close_notify, or by a fatal alert.
    private(set) var sawEnd = false
    /// What could not be made sense of, in one sentence.
    private(set) var fault: String?
    /// Whether the handshake's last flight is held back to be sent with the first records.
    let joinsHandshake: Bool
    /// Whether TCP ends without a close_notify.
    let endsWithoutNotice: Bool

    /// Plaintext decrypted at once.
    private static let readSize = 16384
    /// The peer of a subject that takes `side`.
    init(facing side: Fixture.Side, cut: Cut, _ contexts: TLSReplayContexts) throws {
        let records = cut.records ?? RecordCut(resumes: cut.plan != .whole)
        self.contexts = contexts
        self.side = side
        isOlder = records.isOlder
        resumes = records.resumes
        joinsHandshake = records.handshake == .joined
        handshakeCutter = RecordCutter(joinsHandshake ? .pieces : records.handshake)
        cutter = RecordCutter(records.segments, fault: records.fault)
        if case .truncated? = records.fault { endsWithoutNotice = true } else { endsWithoutNotice = false }
        let context = contexts.farContext(facing: side, isOlder: isOlder)
        guard let tls = unsafe anyloop_tls_make(context.pointer, side == .server ? TLSReplayContexts.name : nil, true)
        else { throw TLSReplayError.noMemory }
        unsafe self.tls = tls
        if side == .server, resumes { unsafe contexts.resume(in: tls, isOlder: isOlder) }
        advance()
    }

    deinit { unsafe anyloop_tls_free(tls) }

    /// The subject's own TLS, with `application` on top.
    func wrap(_ application: ObservedConnection, on loop: any Loop) throws -> any StreamProtocol {
        try contexts.subject(side, resumes: resumes, on: loop, application)
    }

    /// Whether the fault of the cut has ended the ciphertext.
    var hasBrokenOff: Bool { cutter.isOver }

    /// Takes what came from the subject.
    func take(_ bytes: [UInt8]) {
        guard !bytes.isEmpty, !hasFailed else { return }
        unsafe bytes.withUnsafeBufferPointer { buffer in
            unsafe anyloop_tls_lend(tls, buffer.baseAddress, buffer.count)
            advance()
            unsafe anyloop_tls_lend(tls, nil, 0)
        }
    }

    /// What the handshake, or an alert, has to say by now; in segments.
    func takeOutput() -> [[UInt8]] {
        let output = output()
        guard !output.isEmpty else { return [] }
        guard isEstablished, joinsHandshake, !hasFailed else {
            return handshakeCutter.add(output) + handshakeCutter.flush()
        }
        return cutter.add(output)
    }

    /// `plaintext` in records of its own; the segments that can be sent now.
    func seal(_ plaintext: Span<UInt8>) -> [[UInt8]] {
        guard !hasFailed, !hasBrokenOff else { return [] }
        unsafe plaintext.withUnsafeBufferPointer { buffer in
            if unsafe Int(anyloop_tls_write(tls, buffer.baseAddress, buffer.count)) != ANYLOOP_TLS_DONE { fail() }
        }
        return cutter.add(output())
    }

    /// What was held back to be joined with more.
    func flush() -> [[UInt8]] { cutter.flush() }

    /// The last segments: what was held back, and a close_notify unless it is to be missing.
    func end() -> [[UInt8]] {
        guard !endsWithoutNotice, !hasFailed, !hasEnded, isEstablished else { return cutter.flush() }
        hasEnded = true
        if unsafe Int(anyloop_tls_close(tls)) != ANYLOOP_TLS_DONE { fail() }
        return cutter.add(output()) + cutter.flush()
    }

    /// Notes that TCP ended in good order; each side says so in TLS before (RFC 8446 §6.1).
    func noteOrderlyEnd() {
        if !sawEnd, fault == nil { fault = "TCP ended without a close_notify" }
    }

    // MARK: OpenSSL

    private func advance() {
        if !isEstablished {
            switch unsafe Int(anyloop_tls_handshake(tls)) {
            case ANYLOOP_TLS_WANTS: return
            case ANYLOOP_TLS_DONE: isEstablished = true
            default: return fail()
            }
        }
        while !sawEnd {
            var count = 0
            let outcome = unsafe scratch.withUnsafeMutableBufferPointer { buffer in
                unsafe Int(anyloop_tls_read(tls, buffer.baseAddress, buffer.count, &count))
            }
            received += scratch[..<count]
            switch outcome {
            case ANYLOOP_TLS_DONE: continue
            case ANYLOOP_TLS_WANTS: return keepSession()
            case ANYLOOP_TLS_CLOSED: sawEnd = true
            default: return fail()
            }
        }
        keepSession()
    }

    private func keepSession() {
        if side == .server, resumes { unsafe contexts.keepSession(of: tls, isOlder: isOlder) }
    }

    private func fail() {
        var failure = unsafe anyloop_tls_failure()
        unsafe anyloop_tls_take_failure(tls, &failure)
        hasFailed = true
        if unsafe failure.kind == Int32(ANYLOOP_TLS_ALERT.rawValue) { sawEnd = true }
        let reason = unsafe Self.text(of: failure.reason)
        fault = unsafe "\(reason) \(Self.text(of: failure.text)), alert \(failure.alert)"
    }

    private func output() -> [UInt8] {
        var count = 0
        guard let bytes = unsafe anyloop_tls_output(tls, &count), count > 0 else { return [] }
        let output = unsafe Array(UnsafeBufferPointer(start: bytes, count: count))
        unsafe anyloop_tls_output_sent(tls)
        return output
    }

    /// The text in a C array of characters.
    private static func text<Characters>(of characters: Characters) -> String {
        unsafe withUnsafeBytes(of: characters) { unsafe String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }
}
