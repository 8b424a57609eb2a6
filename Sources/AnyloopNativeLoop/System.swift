import AnyloopCore
import CAnyloopSystem

/// The values of `errno` that decide something here, as Linux numbers them.
enum Errno {
    static let noProcess: Int32 = 3
    static let interrupted: Int32 = 4
    static let io: Int32 = 5
    static let badDescriptor: Int32 = 9
    static let again: Int32 = 11
    static let noMemory: Int32 = 12
    static let exists: Int32 = 17
    static let isDirectory: Int32 = 21
    static let invalid: Int32 = 22
    static let systemFull: Int32 = 23
    static let processFull: Int32 = 24
    static let brokenPipe: Int32 = 32
    static let notImplemented: Int32 = 38
    static let overflow: Int32 = 75
    static let addressInUse: Int32 = 98
    static let noBuffers: Int32 = 105
    static let notConnected: Int32 = 107
    static let inProgress: Int32 = 115

    /// Whether a call that failed with `code` is merely to be made again later.
    static func isTransient(_ code: Int32) -> Bool { code == again || code == interrupted }

    /// Whether `accept` failed because of the one connection it tried, as accept(2) lists them: it was aborted
    /// (103), refused by a filter (1), or brought an error of its network along.
    static func isOfOneConnection(_ code: Int32) -> Bool {
        switch code {
        case interrupted, 1, 103, 64, 71, 92, 95, 100, 101, 112, 113: true
        default: false
        }
    }

    /// Whether `accept` failed for want of something that comes back (asyncio rule 55).
    static func isOutOfResources(_ code: Int32) -> Bool {
        code == processFull || code == systemFull || code == noBuffers || code == noMemory
    }
}

extension SystemError {
    /// The failure `code` of `operation`, with the system's text for it.
    init(_ code: Int32, _ operation: String) {
        var buffer = [CChar](repeating: 0, count: 128)
        unsafe anyloop_error_text(code, &buffer, buffer.count)
        self.init(errno: code, operation: operation, text: cText(buffer))
    }
}

extension Error {
    /// Whether Python would have an `OSError` here.
    var isOfTheSystem: Bool {
        if case .system = self as? TransportError { true } else { self is SystemError }
    }
}

extension TransportError {
    /// The failure `code` of `operation`.
    static func system(_ code: Int32, _ operation: String) -> TransportError { .system(SystemError(code, operation)) }
}

/// The string before the terminator of a C buffer.
func cText(_ buffer: [CChar]) -> String {
    String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
}

/// The time of the monotonic clock.
func monotonicNow() -> LoopInstant { LoopInstant(nanoseconds: anyloop_clock_now()) }
