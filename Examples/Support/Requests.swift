import Anyloop

/// A text that is no URL of HTTP.
struct URLError: Error {
    var text: String
}

/// A GET of `url`.
func request(_ url: String) throws -> HTTPRequest {
    guard let url = HTTPURL(url) else { throw URLError(text: url) }
    return HTTPRequest(method: .get, scheme: url.scheme, authority: url.authority, path: url.path)
}
