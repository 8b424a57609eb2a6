import AnyloopCore
import AnyloopWire
import CAnyloopFiles
import HTTPTypes

/// Serves the files beneath one directory, and nothing outside of it. Confined to its loop's thread.
///
/// GET and HEAD; one range (RFC 9110 §14); conditions (§13); `index.html` for a directory. A request with several
/// ranges is answered with the whole file, as §14.2 allows.
public final class StaticFiles {
    /// Why a directory cannot be served.
    public struct RootError: Error, CustomStringConvertible {
        /// The directory as it was named.
        public let path: String
        /// The system's number for the reason.
        public let errno: Int32

        /// One sentence with the remedy.
        public var description: String {
            "cannot serve '\(path)' (errno \(errno)): name a directory that exists and may be read"
        }
    }

    private let root: Int32
    private let clock: @Sendable () -> Int64

    /// Opens the directory `root`, which stays the one served if it is renamed.
    ///
    /// - Parameter wallClock: nanoseconds since 1970.
    /// - Throws: `RootError`.
    public init(
        root path: String, wallClock: @escaping @Sendable () -> Int64 = { anyloop_wall_nanoseconds() }
    ) throws(RootError) {
        root = unsafe anyloop_open_directory(path)
        clock = wallClock
        guard root >= 0 else { throw RootError(path: path, errno: -root) }
    }

    deinit {
        if root >= 0 { anyloop_file_close(root) }
    }

    /// Answers `exchange` with the file that its path names, or with 404, 405, 412 or 416.
    public func handle(_ exchange: HTTPServerExchange) throws {
        let request = exchange.request
        guard request.method == .get || request.method == .head else {
            return refuse(exchange, .methodNotAllowed, [.allow: "GET, HEAD"])
        }
        let target = request.path ?? "/"
        let path = target.firstIndex(of: "?").map { target[..<$0] } ?? target[...]
        guard let segments = HTTP1Path.segments(of: String(path)) else { return refuse(exchange, .notFound) }
        guard let file = OpenFile(beneath: root, segments: segments) else { return refuse(exchange, .notFound) }
        guard !file.isDirectory else {
            // A directory without the closing slash: relative links would miss (as every file server does).
            let query = target.dropFirst(path.count)
            return refuse(exchange, .movedPermanently, [.location: path + "/" + query])
        }
        respond(exchange, request, file)
    }

    private func respond(_ exchange: HTTPServerExchange, _ request: HTTPRequest, _ file: OpenFile) {
        var fields: HTTPFields = [
            .acceptRanges: "bytes", .contentType: MediaTypes.type(ofPath: file.path),
            .eTag: file.etag, .lastModified: HTTP1Date.string(file.modified),
        ]
        let now = Int(clock() / 1_000_000_000)
        let conditions = FileConditions(etag: file.etag, modified: file.modified, now: now)
        var range = 0..<file.size
        var status = HTTPResponse.Status.ok
        switch conditions.outcome(for: request.headerFields) {
        case .notModified:
            fields[.contentType] = nil
            return exchange.respond(HTTPResponse(status: .notModified, headerFields: fields))
        case .failed: return refuse(exchange, .preconditionFailed)
        case .proceed(let honoursRange):
            // Range means something for GET only (RFC 9110 §14.2).
            guard honoursRange, request.method == .get, let value = request.headerFields[.range],
                let parts = HTTP1Range.parse(value), parts.count == 1
            else { break }
            guard let asked = parts[0].resolved(length: file.size) else {
                return refuse(
                    exchange, .rangeNotSatisfiable, [.contentRange: HTTP1Range.unsatisfied(length: file.size)])
            }
            range = asked
            status = .partialContent
            fields[.contentRange] = HTTP1Range.contentRange(asked, length: file.size)
        }
        fields[.contentLength] = String(range.count)
        exchange.start(HTTPResponse(status: status, headerFields: fields))
        guard request.method == .get, !range.isEmpty else { return exchange.finish() }
        exchange.sendFile(descriptor: file.descriptor, offset: Int64(range.lowerBound), count: range.count) {
            [exchange] result in
            // The file is kept open until here.
            withExtendedLifetime(file) {
                if case .success = result { exchange.finish() }
            }
        }
    }

    private func refuse(
        _ exchange: HTTPServerExchange, _ status: HTTPResponse.Status, _ fields: HTTPFields = [:]
    ) {
        var fields = fields
        fields[.contentType] = "text/plain"
        let text = "\(status.code) \(status.reasonPhrase)\n"
        exchange.respond(HTTPResponse(status: status, headerFields: fields), body: Array(text.utf8))
    }
}

/// A file open for reading, closed with the object.
private final class OpenFile {
    let descriptor: Int32
    let path: String
    let size: Int
    /// Seconds since 1970.
    let modified: Int
    let etag: String
    /// The path names a directory but doesn't end with a slash.
    let isDirectory: Bool

    /// The file that `segments` name beneath `root`, or a directory's index; nil if there is none to serve.
    init?(beneath root: Int32, segments: [String]) {
        var segments = segments
        if segments.isEmpty { segments = ["index.html"] }
        if segments.last == "" { segments[segments.count - 1] = "index.html" }
        path = segments.joined(separator: "/")
        descriptor = unsafe anyloop_open_beneath(root, path)
        var info = anyloop_file_info()
        guard descriptor >= 0 else { return nil }
        guard unsafe anyloop_file_stat(descriptor, &info) == 0, info.is_regular || info.is_directory else {
            anyloop_file_close(descriptor)
            return nil
        }
        size = Int(info.size)
        modified = Int(info.modified_seconds)
        isDirectory = info.is_directory
        let parts = [
            UInt64(bitPattern: info.modified_seconds), UInt64(bitPattern: info.modified_nanoseconds),
            UInt64(bitPattern: info.size),
        ]
        etag = "\"" + parts.map { String($0, radix: 16) }.joined(separator: "-") + "\""
    }

    deinit {
        anyloop_file_close(descriptor)
    }
}
