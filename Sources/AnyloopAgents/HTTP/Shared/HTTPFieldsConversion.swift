import AnyloopWire
import HTTPTypes

extension HTTPFields {
    /// The field lines of a head or trailer section that a parser read, in order; `Host` is left out on request.
    init(_ lines: HTTP1Fields, omittingHost: Bool = false) {
        self.init()
        // Most requests of a machine have no field but Host: then nothing is allocated.
        if lines.count > (omittingHost ? 1 : 0) { reserveCapacity(lines.count) }
        for index in lines.indices {
            if omittingHost, lines.withName(at: index, { $0.isHost }) { continue }
            guard let name = HTTPField.Name(lines.name(at: index)) else { continue }
            lines.withValue(at: index) { value in
                unsafe value.withUnsafeBufferPointer { bytes in
                    unsafe append(HTTPField(name: name, lenientValue: bytes))
                }
            }
        }
    }
}

extension Span<UInt8> {
    /// Whether this is `Host`, in any case.
    fileprivate var isHost: Bool {
        count == 4 && self[0] | 0x20 == UInt8(ascii: "h") && self[1] | 0x20 == UInt8(ascii: "o")
            && self[2] | 0x20 == UInt8(ascii: "s") && self[3] | 0x20 == UInt8(ascii: "t")
    }
}

extension HTTPRequest {
    /// The request that `head` says on a connection of `scheme`: the authority from the target or `Host`, the rest of the fields in order.
    ///
    /// An absolute target has a scheme of its own, whatever the connection; its path is what follows the authority.
    /// `CONNECT` has no path.
    init(_ head: HTTP1Head, scheme: String) {
        let path: String?
        var scheme = scheme
        switch head.targetForm {
        case .authority: path = nil
        case .origin, .asterisk: path = head.target
        case .absolute:
            scheme = head.target.prefix { $0 != ":" }.lowercased()
            let query = head.query.map { "?\($0)" } ?? ""
            path = (head.path.isEmpty ? "/" : head.path) + query
        }
        self.init(
            method: head.requestMethod, scheme: scheme, authority: head.authority,
            path: path, headerFields: HTTPFields(head.fields, omittingHost: true))
    }
}

extension HTTP1Head {
    /// The method; the common ones without making a string.
    fileprivate var requestMethod: HTTPRequest.Method {
        switch method {
        case .get: .get
        case .head: .head
        case .post: .post
        case .put: .put
        case .delete: .delete
        case .connect: .connect
        case .options: .options
        case .trace: .trace
        case .patch: .patch
        case .other: HTTPRequest.Method(methodName) ?? .get
        }
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
