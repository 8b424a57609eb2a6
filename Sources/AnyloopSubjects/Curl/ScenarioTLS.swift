/// What is special about the TLS of one step; by default nothing is.
public struct ScenarioStepTLS: Sendable {
    /// The versions that a client can be held to.
    public enum Version: String, Sendable {
        /// TLS 1.2 (RFC 5246).
        case v12 = "TLSv1.2"
        /// TLS 1.3 (RFC 8446).
        case v13 = "TLSv1.3"
    }

    /// The only version that the client speaks; nil: all of its own.
    public var version: Version?
    /// The client trusts somebody else's certificate.
    public var trustsOther = false
    /// The client asks for this name and not the server's address.
    public var host: String?
    /// The client shows its certificate.
    public var showsCertificate = false
    /// The client speaks plain HTTP to the port where TLS is expected.
    public var isPlain = false

    /// A step with the client's defaults.
    public init() {}
}

/// What the server of a scenario asks of its clients' TLS.
public struct ScenarioServerTLS: Sendable {
    /// Clients must show a certificate.
    public var demandsCertificate = false
    /// The server has another certificate for `other.example`.
    public var hasOtherName = false

    /// A server that takes every client.
    public init() {}
}

extension Scenario {
    /// The same over TLS: an end without close_notify is no good end there, and clients say so.
    package var overTLS: Scenario {
        var scenario = self
        switch kind {
        case .sequence(let steps):
            scenario.kind = .sequence(steps.map { (step: $0.step, checks: $0.checks.map(\.overTLS)) })
        case .parallel(let count, let step, let checks):
            scenario.kind = .parallel(count: count, step: step, checks: checks.map(\.overTLS))
        case .raw: break
        }
        return scenario
    }
}

extension ScenarioCheck {
    /// What holds over TLS where this holds over TCP.
    fileprivate var overTLS: ScenarioCheck {
        switch self {
        case .outcome(.partial): .outcomeAmong([.partial, .receiveFailed])
        case .outcome(.emptyReply): .outcomeAmong([.emptyReply, .receiveFailed])
        default: self
        }
    }
}
