import AnyloopSubjects

/// What curl sees of NIO's HTTP services: scenarios of the catalog as far as they ask for nothing of our own server's.
enum HTTPServiceScenarios {
    /// All of them.
    static let all: [ServiceScenario] =
        http1.map { .curl($0, .http1) } + overTLS.map { .curl($0, .https) }

    /// What depends on limits of ours, on files and codings that the service has not, or on a method that NIO's
    /// parser does not know.
    private static let notServed: Set<String> = [
        "methods/unknown", "methods/head-large", "uploads/too-large", "login/digest", "login/digest-wrong",
        "bodies/chunked", "bodies/chunked-http10", "endings/handler-throws", "endings/handler-throws-late",
        "endings/server-resets", "limits/field-line", "limits/field-line-over", "limits/field-count-over",
        "limits/target-over", "wire/version", "wire/expectation",
    ]

    private static let http1 = ScenarioCatalog.all.filter { scenario in
        !notServed.contains(scenario.name)
            && !scenario.paths.contains { path in
                ["/files/", "/gzip/", "/deflate", "/store/"].contains { path.hasPrefix($0) }
            }
    }

    private static let overTLS: [Scenario] = []
}

extension Scenario {
    /// The paths that its steps ask for.
    fileprivate var paths: [String] {
        switch kind {
        case .sequence(let steps): steps.map(\.step.path)
        case .parallel(_, let step, _): [step.path]
        case .raw: []
        }
    }
}
