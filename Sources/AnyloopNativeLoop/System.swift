import AnyloopCore
import CAnyloopSystem

/// The values of `errno` that decide something here, as Linux numbers them.
package enum Errno {
    package static let noProcess: Int32 = 3
    package static let interrupted: Int32 = 4
    package static let io: Int32 = 5
    package static let badDescriptor: Int32 = 9
    package static let again: Int32 = 11
    package static let noMemory: Int32 = 12
    package static let exists: Int32 = 17
    package static let isDirectory: Int32 = 21
    package static let invalid: Int32 = 22
    package static let systemFull: Int32 = 23
    package static let processFull: Int32 = 24
    package static let brokenPipe: Int32 = 32
    package static let notImplemented: Int32 = 38
    package static let overflow: Int32 = 75
    package static let messageTooLong: Int32 = 90
    package static let notSupported: Int32 = 95
    package static let addressInUse: Int32 = 98
    package static let connectionAborted: Int32 = 103
    package static let connectionReset: Int32 = 104
    package static let noBuffers: Int32 = 105
    package static let alreadyConnected: Int32 = 106
    package static let notConnected: Int32 = 107
    package static let connectionRefused: Int32 = 111
    package static let hostUnreachable: Int32 = 113
    package static let inProgress: Int32 = 115

    /// Whether a call that failed with `code` is merely to be made again later.
    package static func isTransient(_ code: Int32) -> Bool { code == again || code == interrupted }

    /// Whether `accept` failed because of the one connection it tried, as accept(2) lists them: it was aborted
    /// (103), refused by a filter (1), or brought an error of its network along.
    package static func isOfOneConnection(_ code: Int32) -> Bool {
        switch code {
        case interrupted, 1, connectionAborted, 64, 71, 92, notSupported, 100, 101, 112, hostUnreachable: true
        default: false
        }
    }

    /// Whether `accept` failed for want of something that comes back (asyncio rule 55).
    package static func isOutOfResources(_ code: Int32) -> Bool {
        code == processFull || code == systemFull || code == noBuffers || code == noMemory
    }
}

extension SystemError {
    /// The failure `code` of `operation`, with the system's text for it.
    package init(_ code: Int32, _ operation: String) {
        var buffer = [CChar](repeating: 0, count: 128)
        unsafe anyloop_error_text(code, &buffer, buffer.count)
        self.init(errno: code, operation: operation, text: cText(buffer))
    }
}

extension Error {
    /// Whether Python would have an `OSError` here.
    package var isOfTheSystem: Bool {
        if case .system = self as? TransportError { true } else { self is SystemError }
    }
}

extension TransportError {
    /// The failure `code` of `operation`.
    package static func system(_ code: Int32, _ operation: String) -> TransportError {
        .system(SystemError(code, operation))
    }
}

/// The string before the terminator of a C buffer.
func cText(_ buffer: [CChar]) -> String {
    String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
}

/// The time of the monotonic clock.
func monotonicNow() -> LoopInstant { LoopInstant(nanoseconds: anyloop_clock_now()) }
