import AnyloopWire
import HTTPTypes

extension HTTPFields {
    /// The field lines of a head or trailer section that a parser read, in order; `Host` is left out on request.
    init(_ lines: HTTP1Fields, omittingHost: Bool = false) {
        self.init()
        reserveCapacity(lines.count)
        for index in lines.indices {
            guard let name = HTTPField.Name(lines.name(at: index)) else { continue }
            if omittingHost, name.canonicalName == "host" { continue }
            lines.withValue(at: index) { value in
                unsafe value.withUnsafeBufferPointer { bytes in
                    unsafe append(HTTPField(name: name, lenientValue: bytes))
                }
            }
        }
    }
}

extension HTTPRequest {
    /// The request that `head` says: the authority from the target or `Host`, the rest of the fields in order.
    ///
    /// Of an absolute target the path is what follows the authority; `CONNECT` has no path.
    init(_ head: HTTP1Head) {
        let path: String?
        switch head.targetForm {
        case .authority: path = nil
        case .origin, .asterisk: path = head.target
        case .absolute:
            let query = head.query.map { "?\($0)" } ?? ""
            path = (head.path.isEmpty ? "/" : head.path) + query
        }
        self.init(
            method: HTTPRequest.Method(head.methodName) ?? .get, scheme: "http", authority: head.authority,
            path: path, headerFields: HTTPFields(head.fields, omittingHost: true))
    }
}

extension HTTPResponse {
    /// The response that `head` says.
    init(_ head: HTTP1Head) {
        self.init(
            status: HTTPResponse.Status(code: min(max(head.status, 0), 999), reasonPhrase: head.reason),
            headerFields: HTTPFields(head.fields))
    }
}
