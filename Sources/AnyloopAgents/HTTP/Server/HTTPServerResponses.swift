import HTTPTypes

/// The responses that the server makes by itself.
enum HTTPServerResponses {
    /// The status of an error code of ours, with its reason.
    static func status(_ code: Int) -> HTTPResponse.Status {
        switch code {
        case 408: .requestTimeout
        case 413: .contentTooLarge
        case 414: .uriTooLong
        case 417: .expectationFailed
        case 431: .requestHeaderFieldsTooLarge
        case 500: .internalServerError
        case 501: .notImplemented
        case 503: .serviceUnavailable
        case 505: .httpVersionNotSupported
        default: .badRequest
        }
    }

    /// A head for a text of ours.
    static func plain(_ status: HTTPResponse.Status) -> HTTPResponse {
        HTTPResponse(status: status, headerFields: [.contentType: "text/plain; charset=utf-8"])
    }
}
