/// Writes down what an application sees, as compactly as comparing needs; adjacent body bytes become one event.
///
/// An event is a kind and parts. Nothing is allocated once the buffer has grown to the size of the trace.
@safe
public struct TraceRecorder: ~Copyable {
    /// Parts longer than this are cut off, so that a length fits its three bytes.
    public static let partLimit = 0xFF_FFFF

    private var storage: UnsafeMutableRawPointer
    private var capacity: Int
    private var count = 0
    private var open: TraceKind?
    private var hash = BodyHash()
    private var openBytes: [UInt8] = []
    private var bodies: [[UInt8]] = []
    private let keepsBodies: Bool

    /// A recorder; one that keeps bodies can say later what was in them.
    public init(keepingBodies: Bool = false) {
        capacity = 1024
        unsafe storage = .allocate(byteCount: capacity, alignment: 1)
        keepsBodies = keepingBodies
    }

    deinit { unsafe storage.deallocate() }

    /// Forgets everything and keeps the buffer.
    public mutating func reset() {
        count = 0
        open = nil
        if keepsBodies {
            openBytes = []
            bodies = []
        }
    }

    /// Begins an event without parts; `part` adds to it.
    public mutating func event(_ kind: TraceKind) {
        if open != nil { closeBody() }
        header(kind.rawValue, 0)
    }

    /// Adds a part to the event that was begun last.
    public mutating func part(_ bytes: Span<UInt8>) {
        let length = min(bytes.count, Self.partLimit)
        header(0x80, length)
        reserve(length)
        unsafe bytes.withUnsafeBytes { source in
            guard let base = source.baseAddress else { return }
            unsafe (storage + count).copyMemory(from: base, byteCount: length)
        }
        count += length
    }

    /// Adds a part given as text.
    public mutating func part(_ text: StaticString) {
        guard text.hasPointerRepresentation else { return part(String(describing: text)) }
        let buffer = unsafe UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)
        part(unsafe Span(_unsafeElements: buffer))
    }

    /// Adds a part given as text.
    public mutating func part(_ text: String) {
        let bytes = Array(text.utf8)
        part(bytes.span)
    }

    /// Adds bytes of the message's body.
    public mutating func body(_ bytes: Span<UInt8>) { append(.body, bytes) }

    /// Adds bytes that came after an upgrade.
    public mutating func surplus(_ bytes: Span<UInt8>) { append(.surplus, bytes) }

    /// Records an error with its code and, where they are known, the offsets of what is wrong.
    public mutating func error(_ code: String, at offsets: Range<Int>? = nil) {
        event(.error)
        part(code)
        if let offsets { part("\(offsets.lowerBound)..\(offsets.upperBound)") }
    }

    /// Whether exactly what `trace` holds was recorded.
    public mutating func matches(_ trace: Trace) -> Bool {
        if open != nil { closeBody() }
        guard count == trace.encoded.count else { return false }
        let recorded = unsafe UnsafeRawBufferPointer(start: storage, count: count)
        return unsafe trace.encoded.withUnsafeBytes { expected in
            let words = count &- count % 8
            for index in stride(from: 0, to: words, by: 8) {
                let left = unsafe recorded.loadUnaligned(fromByteOffset: index, as: UInt64.self)
                let right = unsafe expected.loadUnaligned(fromByteOffset: index, as: UInt64.self)
                if left != right { return false }
            }
            for index in words..<count {
                if unsafe recorded[index] != expected[index] { return false }
            }
            return true
        }
    }

    /// What was recorded so far.
    public mutating func trace() -> Trace {
        if open != nil { closeBody() }
        let recorded = unsafe UnsafeRawBufferPointer(start: storage, count: count)
        return Trace(encoded: unsafe Array(recorded), bodies: bodies)
    }

    private mutating func append(_ kind: TraceKind, _ bytes: Span<UInt8>) {
        guard !bytes.isEmpty else { return }
        if open != kind {
            if open != nil { closeBody() }
            open = kind
            hash = BodyHash()
        }
        hash.update(bytes)
        if keepsBodies { unsafe bytes.withUnsafeBufferPointer { unsafe openBytes.append(contentsOf: $0) } }
    }

    private mutating func closeBody() {
        guard let kind = open else { return }
        open = nil
        header(kind.rawValue, 0)
        header(0x80, 16)
        reserve(16)
        unsafe storage.storeBytes(of: UInt64(hash.count).littleEndian, toByteOffset: count, as: UInt64.self)
        unsafe storage.storeBytes(of: hash.value.littleEndian, toByteOffset: count + 8, as: UInt64.self)
        count += 16
        if keepsBodies {
            bodies.append(openBytes)
            openBytes = []
        }
    }

    private mutating func header(_ tag: UInt8, _ length: Int) {
        reserve(4)
        let word = UInt32(tag) | UInt32(truncatingIfNeeded: length) << 8
        unsafe storage.storeBytes(of: word.littleEndian, toByteOffset: count, as: UInt32.self)
        count += 4
    }

    private mutating func reserve(_ more: Int) {
        guard count + more > capacity else { return }
        let larger = max(capacity * 2, count + more)
        let moved = UnsafeMutableRawPointer.allocate(byteCount: larger, alignment: 1)
        unsafe moved.copyMemory(from: storage, byteCount: count)
        unsafe storage.deallocate()
        unsafe storage = moved
        capacity = larger
    }
}

/// A recorder that a protocol and the harness share.
public final class TraceLog {
    private var recorder: TraceRecorder
    /// Whether an error is the last that is recorded, whatever the application hears after it.
    public var endsWithError = false
    private var hasEnded = false

    /// An empty log; the harness asks for kept bodies where it judges or prints them.
    public init(keepingBodies: Bool = true) {
        recorder = TraceRecorder(keepingBodies: keepingBodies)
    }

    /// Records with the recorder's own means, such as `log.record { $0.body(bytes) }`.
    public func record(_ body: (inout TraceRecorder) -> Void) {
        if !hasEnded { body(&recorder) }
    }

    /// Records an event whose parts are texts.
    public func event(_ kind: TraceKind, _ parts: String...) {
        guard !hasEnded else { return }
        recorder.event(kind)
        for part in parts { recorder.part(part) }
        if kind == .error, endsWithError { hasEnded = true }
    }

    /// Has what is recorded within `body` go to `other` instead.
    package func lend(_ other: inout TraceRecorder, _ body: () -> Void) {
        swap(&recorder, &other)
        defer { swap(&recorder, &other) }
        body()
    }

    /// What was recorded so far.
    public func trace() -> Trace { recorder.trace() }
}
