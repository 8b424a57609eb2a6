import HTTPTypes

/// Where a redirect leads, and with what (RFC 9110 §15.4).
enum HTTPRedirect {
    /// The `Location` of a response that redirects.
    static func location(of response: HTTPResponse) -> String? {
        switch response.status.code {
        case 301, 302, 303, 307, 308: response.headerFields[.location]
        default: nil
        }
    }

    /// The request that follows `code` to `location`; nil if that is neither an http nor an https URL.
    ///
    /// 303 makes it GET, 301 and 302 make POST to GET as browsers do; 307 and 308 keep method and body. Another
    /// origin gets no credentials.
    static func request(
        after code: Int, to location: String, from request: HTTPRequest, _ url: HTTPURL
    ) -> (request: HTTPRequest, url: HTTPURL, keepsBody: Bool)? {
        guard let target = url.resolving(location) else { return nil }
        var next = request
        next.scheme = target.scheme
        next.authority = target.authority
        next.path = target.path
        var keepsBody = true
        if code == 303 && request.method != .head || (code == 301 || code == 302) && request.method == .post {
            next.method = .get
            keepsBody = false
            for name in contentFields { next.headerFields[name] = nil }
        }
        if !target.hasSameOrigin(as: url) {
            for name in credentialFields { next.headerFields[name] = nil }
        }
        return (next, target, keepsBody)
    }

    private static let contentFields: [HTTPField.Name] = [
        .contentType, .contentEncoding, .contentLanguage, .contentLocation, .contentLength, .transferEncoding,
        .expect, .trailer,
    ]
    private static let credentialFields: [HTTPField.Name] = [.authorization, .cookie, .proxyAuthorization, .host]

    /// Methods whose repetition means the same as one request (RFC 9110 §9.2.2).
    static func isIdempotent(_ method: HTTPRequest.Method) -> Bool {
        switch method.rawValue {
        case "GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE": true
        default: false
        }
    }
}
