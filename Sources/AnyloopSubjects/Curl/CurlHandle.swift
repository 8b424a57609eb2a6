import CAnyloopCurl
import CCurl

/// One libcurl easy handle: the options of a step in, a `ScenarioView` out. Confined to the thread that uses it.
@safe
package final class CurlHandle {
    private let easy: UnsafeMutableRawPointer
    private var list: UnsafeMutableRawPointer?
    private var connectList: UnsafeMutableRawPointer?
    private(set) var view = ScenarioView()
    private var upload: [UInt8] = []
    private var uploadOffset = 0
    /// The upload's end is not the exchange's.
    private var staysAfterUpload = false
    private var abortAfter: Int?
    private var pausePerPart: Int?
    private var statusLine = 0

    /// A fresh handle; nil when libcurl is out of memory.
    package init?() {
        _ = CurlHandle.initialised
        guard let easy = unsafe anyloop_curl_easy_new() else { return nil }
        unsafe self.easy = easy
    }

    deinit {
        freeLists()
        unsafe anyloop_curl_easy_free(easy)
    }

    // libcurl wants this once a process, before any handle.
    private static let initialised = anyloop_curl_global_init()

    /// The object that prepared `easy`.
    static func of(_ easy: UnsafeMutableRawPointer) -> CurlHandle? {
        unsafe handle(anyloop_curl_get_private(easy))
    }

    /// The handle for the multi interface.
    var pointer: UnsafeMutableRawPointer { unsafe easy }

    /// Sets everything for `step` against `target`; connections of the handle are kept between steps.
    package func prepare(_ step: ScenarioStep, target: ScenarioTarget, cookieJar: Bool) {
        unsafe anyloop_curl_easy_reset(easy)
        freeLists()
        view = ScenarioView()
        statusLine = 0
        abortAfter = step.abortAfter
        pausePerPart = step.pausePerPart
        let context = unsafe Unmanaged.passUnretained(self).toOpaque()
        unsafe anyloop_curl_set_private(easy, context)
        unsafe anyloop_curl_set_write(easy, curlWrite, context)
        unsafe anyloop_curl_set_header(easy, curlHeader, context)
        set(CURLOPT_NOSIGNAL, 1)
        set(CURLOPT_HTTP_VERSION, version(step, target))
        set(CURLOPT_TIMEOUT_MS, step.timeLimit)
        set(CURLOPT_URL, target.url(step.path, host: step.tls.host, isPlain: step.tls.isPlain))
        set(CURLOPT_PATH_AS_IS, 1)
        // Transfers beside each other wait for the connection that they may share.
        if target.http == .http2 { set(CURLOPT_PIPEWAIT, 1) }
        set(CURLOPT_EXPECT_100_TIMEOUT_MS, 1000)
        if let path = target.unixPath { set(CURLOPT_UNIX_SOCKET_PATH, path) }
        if step.asProxy {
            set(CURLOPT_PROXY, target.url(""))
            set(CURLOPT_URL, "http://origin.example" + step.path)
        }
        secure(target, step.tls)
        setMethodAndBody(step)
        if let limit = step.redirectLimit {
            set(CURLOPT_FOLLOWLOCATION, 1)
            set(CURLOPT_MAXREDIRS, limit)
        }
        if let range = step.range { set(CURLOPT_RANGE, range) }
        if step.compressed { set(CURLOPT_ACCEPT_ENCODING, "gzip, deflate") }
        if cookieJar { set(CURLOPT_COOKIEFILE, "") }
        if step.freshConnection {
            set(CURLOPT_FRESH_CONNECT, 1)
            set(CURLOPT_FORBID_REUSE, 1)
        }
        switch step.credentials {
        case .basic(let user, let password): logIn(CURLAUTH_BASIC_BITS, user, password)
        case .digest(let user, let password): logIn(CURLAUTH_DIGEST_BITS, user, password)
        case nil: break
        }
        for (name, value) in step.fields { append("\(name): \(value)") }
        if let list = unsafe list { unsafe anyloop_curl_set_list(easy, numeric(CURLOPT_HTTPHEADER), list) }
    }

    /// Carries the prepared step out, waiting for its end.
    package func perform() -> ScenarioView {
        finish(code: unsafe anyloop_curl_easy_perform(easy))
    }

    /// Turns libcurl's code and counters into the view.
    func finish(code: Int32) -> ScenarioView {
        var value = 0
        unsafe anyloop_curl_get_long(easy, Int32(bitPattern: CURLINFO_NUM_CONNECTS.rawValue), &value)
        view.connections = value
        unsafe anyloop_curl_get_long(easy, Int32(bitPattern: CURLINFO_REDIRECT_COUNT.rawValue), &value)
        view.redirects = value
        view.outcome = ScenarioOutcome(curlCode: code, bodyBegan: view.status != 0)
        if code != 0, let text = unsafe anyloop_curl_error_text(code) {
            view.note = unsafe "curl \(code): " + String(cString: text)
        }
        return view
    }

    /// Connects without a request; then `send` and `receive` move raw bytes.
    package func connectOnly(_ target: ScenarioTarget) -> Int32 {
        unsafe anyloop_curl_easy_reset(easy)
        set(CURLOPT_NOSIGNAL, 1)
        set(CURLOPT_URL, target.url("/"))
        set(CURLOPT_CONNECT_ONLY, 1)
        secure(target, ScenarioStepTLS())
        if let path = target.unixPath { set(CURLOPT_UNIX_SOCKET_PATH, path) }
        return unsafe anyloop_curl_easy_perform(easy)
    }

    /// Speaks telnet: sends `input`, and gives what came until the peer closed, at most `timeLimit` milliseconds long.
    package func telnet(_ target: ScenarioTarget, input: [UInt8], timeLimit: Int) -> (output: [UInt8], code: Int32) {
        unsafe anyloop_curl_easy_reset(easy)
        view = ScenarioView()
        upload = input
        uploadOffset = 0
        staysAfterUpload = true
        defer { staysAfterUpload = false }
        set(CURLOPT_NOSIGNAL, 1)
        set(CURLOPT_URL, "telnet://\(target.host):\(target.port)")
        set(CURLOPT_TIMEOUT_MS, timeLimit)
        let context = unsafe Unmanaged.passUnretained(self).toOpaque()
        unsafe anyloop_curl_set_write(easy, curlWrite, context)
        unsafe anyloop_curl_set_read(easy, curlRead, context)
        let code = unsafe anyloop_curl_easy_perform(easy)
        return (view.body, code)
    }

    /// Sends all of `bytes`; libcurl's code.
    package func send(_ bytes: [UInt8], timeLimit: Int32) -> Int32 {
        unsafe bytes.withUnsafeBytes { unsafe anyloop_curl_send(easy, $0.baseAddress, $0.count, timeLimit) }
    }

    /// Receives until the peer ends, `limit` bytes are there, or the time is over.
    package func receiveAll(limit: Int, timeLimit: Int32) -> (bytes: [UInt8], code: Int32) {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65536)
        while bytes.count < limit {
            var count = 0
            let code = unsafe buffer.withUnsafeMutableBytes { raw in
                unsafe anyloop_curl_receive(easy, raw.baseAddress, raw.count, &count, timeLimit)
            }
            guard code == 0, count > 0 else { return (bytes, code) }
            bytes += buffer[..<count]
        }
        return (bytes, 0)
    }

    private func version(_ step: ScenarioStep, _ target: ScenarioTarget) -> Int {
        if step.http10 { return CURL_HTTP_VERSION_1_0 }
        return switch target.http {
        case .http1: CURL_HTTP_VERSION_1_1
        case .http2: CURL_HTTP_VERSION_2TLS
        case .http2PriorKnowledge: CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE
        }
    }

    private func setMethodAndBody(_ step: ScenarioStep) {
        let expect: String? = step.expectContinue.map { $0 ? "Expect: 100-continue" : "Expect:" } ?? "Expect:"
        switch step.body {
        case .none:
            if step.method == "HEAD" {
                set(CURLOPT_NOBODY, 1)
            } else if step.method != "GET" {
                set(CURLOPT_CUSTOMREQUEST, step.method)
            }
            return
        case .text(let text): upload = Array(text.utf8)
        case .pattern(let count), .chunkedPattern(let count): upload = PatternBytes.bytes(count: count)
        }
        uploadOffset = 0
        if let expect { append(expect) }
        let context = unsafe Unmanaged.passUnretained(self).toOpaque()
        if case .chunkedPattern = step.body {
            set(CURLOPT_UPLOAD, 1)
            unsafe anyloop_curl_set_read(easy, curlRead, context)
            append("Transfer-Encoding: chunked")
            set(CURLOPT_CUSTOMREQUEST, step.method)
        } else if step.method == "PUT" {
            set(CURLOPT_UPLOAD, 1)
            unsafe anyloop_curl_set_read(easy, curlRead, context)
            unsafe anyloop_curl_set_offset(easy, numeric(CURLOPT_INFILESIZE_LARGE), Int64(upload.count))
        } else {
            _ = unsafe upload.withUnsafeBytes {
                unsafe anyloop_curl_set_post(easy, $0.baseAddress, Int64($0.count))
            }
            if step.method != "POST" { set(CURLOPT_CUSTOMREQUEST, step.method) }
            append("Content-Type: application/octet-stream")
        }
    }

    /// Sets whom curl trusts, what it shows of itself, and which version it speaks.
    private func secure(_ target: ScenarioTarget, _ tls: ScenarioStepTLS) {
        guard let certificates = target.certificates else { return }
        let trusted = tls.trustsOther ? certificates.otherFile : certificates.trustedFile
        set(CURLOPT_CAINFO, trusted)
        set(CURLOPT_PROXY_CAINFO, trusted)
        switch tls.version {
        case .v12: set(CURLOPT_SSLVERSION, CURL_SSLVERSION_12 | CURL_SSLVERSION_12 << 16)
        case .v13: set(CURLOPT_SSLVERSION, CURL_SSLVERSION_13)
        case nil: break
        }
        if tls.showsCertificate {
            set(CURLOPT_SSLCERT, certificates.clientFile)
            set(CURLOPT_SSLKEY, certificates.clientKeyFile)
        }
        guard tls.host != nil else { return }
        // Whatever the name, the connection goes to the server.
        unsafe connectList = anyloop_curl_list_append(nil, "::\(target.host):\(target.port)")
        if let connectList = unsafe connectList {
            unsafe anyloop_curl_set_list(easy, numeric(CURLOPT_CONNECT_TO), connectList)
        }
    }

    private func freeLists() {
        unsafe anyloop_curl_list_free(list)
        unsafe anyloop_curl_list_free(connectList)
        unsafe list = nil
        unsafe connectList = nil
    }

    private func logIn(_ bits: Int, _ user: String, _ password: String) {
        set(CURLOPT_HTTPAUTH, bits)
        set(CURLOPT_USERNAME, user)
        set(CURLOPT_PASSWORD, password)
    }

    private func append(_ line: String) {
        unsafe list = anyloop_curl_list_append(list, line)
    }

    private func set(_ option: CURLoption, _ value: Int) {
        unsafe anyloop_curl_set_long(easy, numeric(option), value)
    }

    private func set(_ option: CURLoption, _ value: String) {
        unsafe anyloop_curl_set_string(easy, numeric(option), value)
    }

    private func numeric(_ option: CURLoption) -> Int32 { Int32(bitPattern: option.rawValue) }

    // The callbacks' other halves.

    fileprivate func received(_ bytes: UnsafeRawBufferPointer) -> Int {
        if let pausePerPart { anyloop_curl_sleep(Int32(pausePerPart)) }
        if let abortAfter {
            let room = abortAfter - view.body.count
            if bytes.count >= room {
                unsafe view.body.append(contentsOf: bytes.prefix(max(0, room)))
                return 0
            }
        }
        unsafe view.body.append(contentsOf: bytes)
        return bytes.count
    }

    fileprivate func receivedHeader(_ bytes: UnsafeRawBufferPointer) {
        var line = unsafe String(decoding: bytes, as: UTF8.self)
        while let last = line.unicodeScalars.last, last == "\r" || last == "\n" { line.unicodeScalars.removeLast() }
        if line.hasPrefix("HTTP/") {
            if view.status != 0 { view.earlierStatuses.append(view.status) }
            view.status = line.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
            view.version = String(line.dropFirst(5).prefix { $0 != " " })
            view.fields = []
            view.body = []
        } else if let colon = line.firstIndex(of: ":") {
            let value = line[line.index(after: colon)...].drop { $0 == " " || $0 == "\t" }
            view.fields.append((line[..<colon].lowercased(), String(value)))
        }
    }

    fileprivate func fill(_ buffer: UnsafeMutableRawBufferPointer) -> Int {
        let count = min(buffer.count, upload.count - uploadOffset)
        if count == 0, staysAfterUpload { return CURL_READFUNC_PAUSE_VALUE }
        unsafe buffer.copyBytes(from: upload[uploadOffset..<uploadOffset + count])
        uploadOffset += count
        return count
    }
}

// CURL_READFUNC_PAUSE is 0x10000001.
private let CURL_READFUNC_PAUSE_VALUE = 0x1000_0001
// CURLAUTH_* are macros with casts, which Swift does not import.
private let CURLAUTH_BASIC_BITS = 1
private let CURLAUTH_DIGEST_BITS = 2
// CURL_SSLVERSION_TLSv1_2 and 1_3 are constants of an enumeration without a name; the maximum is 16 bits further up.
private let CURL_SSLVERSION_12 = 6
private let CURL_SSLVERSION_13 = 7

private func handle(_ context: UnsafeMutableRawPointer?) -> CurlHandle? {
    guard let context = unsafe context else { return nil }
    return unsafe Unmanaged<CurlHandle>.fromOpaque(context).takeUnretainedValue()
}

private let curlWrite: anyloop_curl_bytes_callback = { bytes, size, count, context in
    unsafe handle(context)?.received(UnsafeRawBufferPointer(start: bytes, count: size * count)) ?? 0
}

private let curlHeader: anyloop_curl_bytes_callback = { bytes, size, count, context in
    unsafe handle(context)?.receivedHeader(UnsafeRawBufferPointer(start: bytes, count: size * count))
    return size * count
}

private let curlRead: anyloop_curl_bytes_callback = { bytes, size, count, context in
    unsafe handle(context)?.fill(UnsafeMutableRawBufferPointer(start: bytes, count: size * count)) ?? 0
}

extension ScenarioOutcome {
    /// The outcome behind a `CURLcode`.
    init(curlCode: Int32, bodyBegan: Bool) {
        switch curlCode {
        case 0: self = .ok
        case 7: self = .refused
        case 18: self = .partial
        case 23: self = .clientAborted
        case 28: self = .timedOut
        case 35: self = .handshakeFailed
        case 47: self = .tooManyRedirects
        case 52: self = .emptyReply
        case 55, 56: self = .receiveFailed
        case 60: self = .certificateRefused
        case 16, 92: self = .streamFailed
        case 1, 8, 61: self = .malformed
        default: self = .other
        }
    }
}
