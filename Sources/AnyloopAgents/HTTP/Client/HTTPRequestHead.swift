import AnyloopWire
import HTTPTypes

/// How the end of a request's body is told.
enum HTTPRequestFraming {
    case none
    case length(Int64)
    case chunked
}

/// A request's head on its way to bytes (RFC 9112 §3).
enum HTTPRequestHead {
    /// Appends the head of `request`.
    ///
    /// - Parameters:
    ///   - isProxied: the target is in absolute form (RFC 9112 §3.2.2).
    ///   - login: goes to the proxy with it.
    /// - Returns: how the body has to be framed.
    static func append(
        _ request: HTTPRequest, body: HTTPClientBody, isProxied: Bool, login: HTTPBasicLogin?, to output: HTTPOutput
    ) throws(HTTPClientError) -> HTTPRequestFraming {
        let target = try target(of: request, isProxied: isProxied)
        let host = request.authority ?? request.headerFields[HTTPField.Name.host] ?? ""
        guard isVisible(host) else { throw .badRequest("the authority '\(host)' has blanks or control characters") }
        output.append(request.method.rawValue)
        output.append(" ")
        output.append(target)
        output.append(" HTTP/1.1\r\nHost: ")
        output.append(host)
        output.append("\r\n")
        for field in request.headerFields {
            switch HTTPFraming.role(of: field.name) {
            case .contentLength, .transferEncoding, .keepAlive: continue
            case .connection: output.append(field)
            case .other where field.name.canonicalName == "host": continue
            case .other where !body.hasContent && field.name == .expect: continue  // RFC 9110 §10.1.1
            case .date, .server, .other: output.append(field)
            }
        }
        if isProxied, let login, !request.headerFields.contains(.proxyAuthorization) {
            output.append(HTTPField(name: .proxyAuthorization, value: login.fieldValue))
        }
        let framing = appendFraming(request, body, output)
        output.append("\r\n")
        return framing
    }

    private static func appendFraming(
        _ request: HTTPRequest, _ body: HTTPClientBody, _ output: HTTPOutput
    ) -> HTTPRequestFraming {
        let length: Int64
        switch body {
        case .none:
            // RFC 9110 §8.6: methods for which content is usual say that there is none.
            switch request.method.rawValue {
            case "POST", "PUT", "PATCH": output.append("Content-Length: 0\r\n")
            default: break
            }
            return .none
        case .bytes(let bytes): length = Int64(bytes.count)
        case .stream(nil):
            output.append("Transfer-Encoding: chunked\r\n")
            return .chunked
        case .stream(let known?): length = max(0, known)
        }
        output.append("Content-Length: ")
        output.append(decimal: length)
        output.append("\r\n")
        return .length(length)
    }

    private static func target(of request: HTTPRequest, isProxied: Bool) throws(HTTPClientError) -> String {
        if request.method == .connect {
            guard let authority = request.authority, isVisible(authority), !authority.isEmpty else {
                throw .badRequest("CONNECT needs an authority, host:port")
            }
            return authority
        }
        let path = request.path ?? "/"
        guard isVisible(path), path.hasPrefix("/") || (path == "*" && request.method == .options) else {
            throw .badRequest("the path '\(path)' does not start with '/' or has blanks; percent-encode it")
        }
        guard isProxied, let authority = request.authority else { return path }
        return "http://\(authority)\(path == "*" ? "" : path)"
    }

    /// Whether `text` is printable ASCII without blanks and fragment: nothing that could end the line early.
    private static func isVisible(_ text: String) -> Bool {
        text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "#") }
    }
}

extension HTTPField.Name {
    /// `Host`, which swift-http-types keeps to itself.
    static let host = HTTPField.Name("Host") ?? .accept
}
