import AnyloopAgents
import AnyloopHarness
import HTTPTypes

/// Digest access authentication with SHA-256 and `qop=auth` (RFC 7616), as far as a scenario needs it.
struct DigestLogin {
    let user: String
    let password: String
    let realm: String
    private let nonce = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v"
    private let opaque = "FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"

    init(user: String, password: String, realm: String) {
        self.user = user
        self.password = password
        self.realm = realm
    }

    /// Welcomes who knows the password, and challenges everybody else.
    func answer(_ exchange: HTTPServerExchange, _ request: HTTPRequest) {
        if isRight(request) {
            exchange.respond(HTTPResponse(status: .ok), body: Array("welcome\n".utf8))
        } else {
            let challenge =
                "Digest realm=\"\(realm)\", qop=\"auth\", algorithm=SHA-256, nonce=\"\(nonce)\", opaque=\"\(opaque)\""
            exchange.respond(HTTPResponse(status: .unauthorized, headerFields: [.wwwAuthenticate: challenge]))
        }
    }

    private func isRight(_ request: HTTPRequest) -> Bool {
        guard let value = request.headerFields[.authorization], value.hasPrefix("Digest ") else { return false }
        let parameters = Self.parameters(value.dropFirst(7))
        guard parameters["username"] == user, parameters["nonce"] == nonce, parameters["uri"] == request.path,
            let count = parameters["nc"], let clientNonce = parameters["cnonce"], let response = parameters["response"]
        else { return false }
        let who = Self.hash("\(user):\(realm):\(password)")
        let what = Self.hash("\(request.method.rawValue):\(request.path ?? "")")
        return response == Self.hash("\(who):\(nonce):\(count):\(clientNonce):auth:\(what)")
    }

    private static func hash(_ text: String) -> String {
        SHA256.hexadecimal(of: Array(text.utf8))
    }

    /// `name=value` and `name="value"`, separated by commas; values here hold no quotes.
    private static func parameters(_ text: Substring) -> [String: String] {
        var parameters: [String: String] = [:]
        for part in text.split(separator: ",") {
            guard let equals = part.firstIndex(of: "=") else { continue }
            let name = part[..<equals].drop { $0 == " " }
            let value = part[part.index(after: equals)...].filter { $0 != "\"" }
            parameters[String(name)] = value
        }
        return parameters
    }
}
