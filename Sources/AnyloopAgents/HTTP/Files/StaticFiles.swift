import AnyloopCore
import AnyloopWire
import CAnyloopFiles
import HTTPTypes

/// Answers requests with the files beneath a directory.
///
/// Nothing outside of the directory is ever opened, whatever the path or a symbolic link says. Conditional
/// requests (RFC 9110 §13) and single ranges (§14) are honoured; a directory's `index.html` stands for it. Names
/// that start with a dot are not served. Files are opened on the loop's thread and sent by the kernel.
public final class StaticFiles {
    private let root: Int32
    private var lastDate: (seconds: Int64, text: String)?

    /// Serves what is beneath the directory `root`.
    ///
    /// - Throws: `TransportError.system` if it is not a directory that can be opened.
    public init(root: String) throws(TransportError) {
        let descriptor = unsafe anyloop_open_directory(root)
        guard descriptor >= 0 else {
            throw .system(
                SystemError(errno: -descriptor, operation: "open '\(root)'", text: "not a readable directory"))
        }
        self.root = descriptor
    }

    deinit {
        anyloop_file_close(root)
    }

    /// Answers `exchange`; to be used as a handler.
    public func handle(_ exchange: HTTPServerExchange) {
        guard exchange.method == .get || exchange.method == .head else {
            return Self.refuse(exchange, .methodNotAllowed, [.allow: "GET, HEAD"])
        }
        let request = exchange.request
        let target = request.path ?? "/"
        let end = target.utf8.firstIndex(of: UInt8(ascii: "?")) ?? target.endIndex
        let raw = target[..<end]
        guard let path = Self.decode(raw) else { return Self.refuse(exchange, .badRequest) }
        guard let name = Self.name(of: path) else { return Self.refuse(exchange, .notFound) }
        let asksForDirectory = path.utf8.last == UInt8(ascii: "/")
        switch open(name.isEmpty ? "." : name) {
        case .file(let file) where !asksForDirectory:
            send(file, name: name, exchange, request)
        case .directory where asksForDirectory:
            guard case .file(let index) = open(name.isEmpty ? "index.html" : name + "/index.html") else {
                return Self.refuse(exchange, .notFound)
            }
            send(index, name: "index.html", exchange, request)
        case .directory:
            // Without the doubled slash at the start, which would name another host.
            let location = "/" + raw.drop { $0 == "/" } + "/" + target[end...]
            Self.refuse(exchange, .movedPermanently, [.location: location])
        case .file: Self.refuse(exchange, .notFound)
        case .missing(let status): Self.refuse(exchange, status)
        }
    }

    /// The path beneath the root that `path` names, with single slashes between its segments.
    ///
    /// Nil if it does not begin with a slash, or has a segment that starts with a dot.
    private static func name(of path: String) -> String? {
        let slash = UInt8(ascii: "/")
        let bytes = path.utf8
        guard bytes.first == slash else { return nil }
        var name: [UInt8] = []
        name.reserveCapacity(bytes.count)
        for segment in bytes.split(separator: slash) {
            if segment.first == UInt8(ascii: "."), !segment.elementsEqual(".well-known".utf8) { return nil }
            if !name.isEmpty { name.append(slash) }
            name.append(contentsOf: segment)
        }
        return String(decoding: name, as: UTF8.self)
    }

    // MARK: Files

    private enum Found {
        case file(OpenFile)
        case directory
        case missing(HTTPResponse.Status)
    }

    private func open(_ name: String) -> Found {
        let descriptor = unsafe anyloop_open_beneath(root, name)
        guard descriptor >= 0 else {
            switch -descriptor {
            case 13, 1: return .missing(.forbidden)  // EACCES, EPERM
            case 23, 24, 12: return .missing(.serviceUnavailable)  // ENFILE, EMFILE, ENOMEM
            default: return .missing(.notFound)
            }
        }
        var info = anyloop_file_info()
        let status = unsafe anyloop_file_stat(descriptor, &info)
        let file = OpenFile(descriptor, info)
        guard status == 0 else { return .missing(.internalServerError) }
        if info.is_directory { return .directory }
        return info.is_regular ? .file(file) : .missing(.notFound)
    }

    private func send(
        _ file: OpenFile, name: String, _ exchange: HTTPServerExchange, _ request: HTTPRequest
    ) {
        let fields = request.headerFields
        let conditions = file.conditions
        var response = HTTPResponse(status: .ok)
        response.headerFields.reserveCapacity(6)
        response.headerFields.append(HTTPField(name: .lastModified, value: date(conditions.modified)))
        response.headerFields.append(HTTPField(name: .eTag, value: conditions.entityTag))
        response.headerFields.append(HTTPField(name: .acceptRanges, value: "bytes"))
        switch conditions.outcome(fields) {
        case .proceed:
            break
        case .notModified:
            response.status = .notModified
            return exchange.respond(response)
        case .failed:
            return Self.refuse(exchange, .preconditionFailed)
        }
        var part = 0..<file.size
        if exchange.method == .get, let range = fields[.range], conditions.allowsRange(fields) {
            // What is malformed, in another unit or a set of several ranges is ignored, as RFC 9110 §14.2 allows.
            if let parts = HTTP1Range.parse(range), parts.count == 1 {
                let length = Int(file.size)
                guard let bytes = parts[0].resolved(length: length) else {
                    let actual = HTTP1Range.unsatisfied(length: length)
                    return Self.refuse(exchange, .rangeNotSatisfiable, [.contentRange: actual])
                }
                part = Int64(bytes.lowerBound)..<Int64(bytes.upperBound)
                response.status = .partialContent
                response.headerFields[.contentRange] = HTTP1Range.contentRange(bytes, length: length)
            }
        }
        response.headerFields.append(HTTPField(name: .contentType, value: HTTPMediaType.of(name)))
        response.headerFields.append(HTTPField(name: .contentLength, value: String(part.count)))
        guard exchange.method == .get, !part.isEmpty else { return exchange.respond(response) }
        exchange.start(response)
        exchange.sendFile(descriptor: file.descriptor, offset: part.lowerBound, count: part.count) { _ in
            file.close()
        }
        exchange.finish()
    }

    /// `Last-Modified`, which is the same for the next request of the same file.
    private func date(_ seconds: Int64) -> String {
        if let lastDate, lastDate.seconds == seconds { return lastDate.text }
        let text = HTTP1Date.string(Int(seconds))
        lastDate = (seconds, text)
        return text
    }

    // MARK: Answers without a file

    private static func refuse(
        _ exchange: HTTPServerExchange, _ status: HTTPResponse.Status, _ fields: HTTPFields = [:]
    ) {
        var response = HTTPServerResponses.plain(status)
        for field in fields { response.headerFields.append(field) }
        exchange.respond(response, body: Array("\(status.code) \(status.reasonPhrase)\n".utf8))
    }

    /// Undoes percent-encoding; nil if it is malformed, not UTF-8, or has a NUL.
    static func decode(_ text: Substring) -> String? {
        if !text.utf8.contains(where: { $0 == UInt8(ascii: "%") || $0 == 0 }) { return String(text) }
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%") {
                guard let high = rest.popFirst().flatMap(hexadecimal), let low = rest.popFirst().flatMap(hexadecimal)
                else { return nil }
                bytes.append(high << 4 | low)
            } else {
                bytes.append(byte)
            }
        }
        return bytes.contains(0) ? nil : String(validating: bytes, as: UTF8.self)
    }

    private static func hexadecimal(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}

/// An open file; closed when it was sent or is no longer held.
private final class OpenFile {
    private(set) var descriptor: Int32
    let size: Int64
    let conditions: HTTPConditions

    init(_ descriptor: Int32, _ info: anyloop_file_info) {
        self.descriptor = descriptor
        size = max(0, info.size)
        conditions = HTTPConditions(entityTag: Self.entityTag(info), modified: info.modified_seconds)
    }

    /// A strong tag: the moment of the last change and the size, in hexadecimal.
    private static func entityTag(_ info: anyloop_file_info) -> String {
        var tag: [UInt8] = []
        tag.reserveCapacity(2 + 3 * 17)
        for number in [info.modified_seconds, info.modified_nanoseconds, info.size] {
            tag.append(UInt8(ascii: tag.isEmpty ? "\"" : "-"))
            let bits = UInt64(bitPattern: number)
            var shift = max(0, 60 - bits.leadingZeroBitCount & ~3)
            while shift >= 0 {
                let digit = UInt8(truncatingIfNeeded: bits >> UInt64(shift) & 15)
                tag.append(digit < 10 ? digit + 48 : digit + 87)
                shift -= 4
            }
        }
        tag.append(UInt8(ascii: "\""))
        return String(decoding: tag, as: UTF8.self)
    }

    func close() {
        guard descriptor >= 0 else { return }
        anyloop_file_close(descriptor)
        descriptor = -1
    }

    deinit {
        close()
    }
}
