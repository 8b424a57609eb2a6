import AnyloopAsync
import AnyloopCore

/// How a trace writes values, errors and messages: the recorder's rules, and where the languages meet.
enum AsyncioText {
    /// Up to so many bytes are written out; of more, count and digest.
    static let longData = 64

    /// In quotes, with escapes for what is not printable ASCII.
    static func quoted(_ bytes: some Sequence<UInt8>) -> String {
        var text = "\""
        for byte in bytes {
            switch byte {
            case 13: text += "\\r"
            case 10: text += "\\n"
            case 9: text += "\\t"
            case 92: text += "\\\\"
            case 34: text += "\\\""
            case 32..<127: text.unicodeScalars.append(Unicode.Scalar(byte))
            default: text += "\\x" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
            }
        }
        return text + "\""
    }

    static func quoted(_ text: String) -> String { quoted(text.utf8) }

    /// Bytes: quoted, or their number and digest.
    static func data(_ bytes: [UInt8]) -> String {
        guard bytes.count > longData else { return quoted(bytes) }
        return "\(bytes.count) bytes sha256:\(SHA256.hexadecimal(of: bytes).prefix(8))"
    }

    /// An error as its class in Python is called, with errno's name or the text where the recorder writes it.
    static func error(_ error: any Error) -> String {
        switch error {
        case let error as TransportError: transportError(error)
        case let error as SystemError: Errno.name(error.errno)
        case let error as UsageError: usage(error)
        case is CancellationError: "CancelledError"
        case let error as IncompleteReadError:
            "IncompleteReadError \(data(error.partial)) of \(error.expected.map(String.init) ?? "none")"
        case let error as LimitOverrunError:
            "LimitOverrunError \(quoted(error.message)) consumed \(error.consumed)"
        default: String(describing: type(of: error as Any))
        }
    }

    private static func transportError(_ failure: TransportError) -> String {
        switch failure {
        case .system(let system): Errno.name(system.errno)
        case .callback(_, let inner): error(inner)
        // A handshake's is a ConnectionAbortedError in asyncio (rule 121).
        case .timedOut("the TLS handshake", _): "ECONNABORTED"
        case .timedOut: "TimeoutError"
        case .cancelled: "CancelledError"
        case .resolution(_, 0, let text): "OSError \(quoted(normal(text)))"
        case .resolution(_, let code, _): "gaierror \(Errno.resolutionName(code))"
        case .several(let errors):
            "OSError \(quoted("Multiple exceptions: " + errors.map(inSeveral).joined(separator: ", ")))"
        case .usage(let error): usage(error)
        case .tls(let error): tls(error)
        case .loopClosed: "RuntimeError \(quoted(failure.description))"
        }
    }

    private static func tls(_ error: TLSError) -> String {
        switch error.kind {
        // Python takes what the peer leaves unfinished for a reset.
        case .truncated: "ECONNRESET"
        case .certificate(.missing): "SSLError \(error.reason)"
        case .certificate(let fault): "SSLCertVerificationError \(name(of: fault))"
        default: "SSLError \(error.reason)"
        }
    }

    private static func name(of fault: CertificateFault) -> String {
        switch fault {
        case .expired: "expired"
        case .notYetValid: "not_yet_valid"
        case .selfSigned: "self_signed"
        case .unknownRoot, .missingIntermediate: "unknown_root"
        case .wrongHost: "wrong_host"
        default: String(describing: fault)
        }
    }

    /// One of several failed connects, in asyncio's words.
    private static func inSeveral(_ failure: TransportError) -> String {
        guard case .system(let system) = failure else { return normal(failure.description) }
        return "[\(Errno.name(system.errno))] Connect call failed ADDR"
    }

    private static func usage(_ error: UsageError) -> String {
        switch error.kind {
        case .argument, .type, .state: "\(error.kind.rawValue) \(quoted(normal(error.text)))"
        case .invalidState, .notImplemented, .sendFileNotAvailable: error.kind.rawValue
        }
    }

    /// A text without what differs between two runs: addresses, descriptors, paths.
    static func normal(_ text: String) -> String {
        text.replacing(#/\ ?<.*>/#, with: "")
            .replacing(/\[Errno (\d+)\]/) { "[\(Errno.name(Int32($0.output.1) ?? 0))]" }
            .replacing(/\('[0-9a-fA-F:.]*', \d+(, \d+, \d+)?\)/, with: "ADDR")
            .replacing(/\d+\.\d+\.\d+\.\d+:\d+|\[[0-9a-fA-F:.]+\]:\d+/, with: "ADDR")
            .replacing(/\b(fd|descriptor|fd=)( ?)\d+/) { "\($0.output.1)\($0.output.2)N" }
            .replacing(/(unix:)?\/[^ ',"]*\/anyloop-[^ ',")]*/, with: "PATH")
    }

    /// A message up to where it speaks of an object or a function.
    static func message(_ message: String) -> String {
        var line = message.split(separator: "\n", maxSplits: 1).first.map(String.init) ?? ""
        if line.hasPrefix("Exception in callback") { line = "Exception in callback" }
        if let end = line.firstRange(of: #/\ ?<|\ function|\ 0x/#) { line = String(line[..<end.lowerBound]) }
        return normal(line).trimming()
    }

    /// What the exception handler was told.
    static func exception(_ exception: LoopException) -> String {
        var keys: [String] = []
        if exception.error != nil { keys.append("exception") }
        if exception.handle != nil { keys.append("handle") }
        if exception.protocolObject != nil { keys.append("protocol") }
        if exception.socket != nil { keys.append("socket") }
        if exception.transport != nil { keys.append("transport") }
        var text = "handler \(quoted(message(exception.message)))"
        if let failure = exception.error { text += " \(error(failure))" }
        return text + " [\(keys.joined(separator: ", "))]"
    }
}

extension String {
    fileprivate func trimming() -> String {
        guard let first = firstIndex(where: { $0 != " " }), let last = lastIndex(where: { $0 != " " }) else {
            return ""
        }
        return String(self[first...last])
    }
}

/// The names that errno.h and netdb.h give to numbers, as far as traces have them.
enum Errno {
    private static let names: [Int32: String] = [
        1: "EPERM", 2: "ENOENT", 3: "ESRCH", 4: "EINTR", 5: "EIO", 9: "EBADF", 10: "ECHILD", 11: "EAGAIN",
        12: "ENOMEM", 13: "EACCES", 17: "EEXIST", 20: "ENOTDIR", 21: "EISDIR", 22: "EINVAL", 23: "ENFILE",
        24: "EMFILE", 29: "ESPIPE", 32: "EPIPE", 88: "ENOTSOCK", 89: "EDESTADDRREQ", 90: "EMSGSIZE",
        92: "ENOPROTOOPT", 95: "EOPNOTSUPP", 97: "EAFNOSUPPORT", 98: "EADDRINUSE", 99: "EADDRNOTAVAIL",
        101: "ENETUNREACH", 103: "ECONNABORTED", 104: "ECONNRESET", 105: "ENOBUFS", 106: "EISCONN",
        107: "ENOTCONN", 110: "ETIMEDOUT", 111: "ECONNREFUSED", 113: "EHOSTUNREACH", 114: "EALREADY",
        115: "EINPROGRESS",
    ]

    /// `ECONNRESET` for 104; the number for one that no trace has had yet.
    static func name(_ number: Int32) -> String { names[number] ?? String(number) }

    /// `EAI_NONAME` for -2.
    static func resolutionName(_ code: Int32) -> String {
        let names: [Int32: String] = [
            -1: "EAI_BADFLAGS", -2: "EAI_NONAME", -3: "EAI_AGAIN", -4: "EAI_FAIL", -6: "EAI_FAMILY",
            -7: "EAI_SOCKTYPE", -8: "EAI_SERVICE", -10: "EAI_MEMORY", -11: "EAI_SYSTEM",
        ]
        return names[code] ?? String(code)
    }
}
