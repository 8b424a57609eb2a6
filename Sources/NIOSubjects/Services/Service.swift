import AnyloopHarness
import AnyloopSubjects
import NIOBridge
import NIOCore

/// What a service finds on the machine.
struct ServiceSite: Sendable {
    /// Certificates of a server and its clients; nil where the service speaks no TLS.
    let certificates: ScenarioCertificates?
    /// The Unix socket to listen at instead of a port.
    let unixPath: String?
    /// A folder with the scenarios' files.
    let files: ScenarioFiles
}

/// A service written for SwiftNIO, as the matrix knows it.
struct Service: Sendable {
    /// The subject's name.
    let name: String
    /// Whether it speaks TLS.
    var isOverTLS = false
    /// Starts it.
    let start: @Sendable (ServiceLoops, ServiceSite) throws -> RunningService
}

/// A service that listens.
struct RunningService: Sendable {
    /// The listening channel.
    let channel: any Channel
    /// Completed when its own tasks have ended, where it has some.
    var ended: EventLoopFuture<Void>?

    /// The port it listens at; 0 at a Unix socket.
    var port: UInt16 { UInt16(channel.localAddress?.port ?? 0) }

    /// Ends the listening, and waits for the service's tasks.
    func stop() throws {
        try channel.close().wait()
        try ended?.wait()
    }
}

extension Service {
    /// A service whose whole protocol is in the pipelines of the channels it accepts.
    static func pipeline(
        _ name: String, isOverTLS: Bool = false,
        _ fill: @escaping @Sendable (ServiceSite) throws -> @Sendable (any Channel) -> EventLoopFuture<Void>
    ) -> Service {
        Service(name: name, isOverTLS: isOverTLS) { loops, site in
            let bootstrap = loops.server()
                .serverChannelOption(.backlog, value: 2048)
                .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
                .childChannelInitializer(try fill(site))
            let bound = site.unixPath.map { bootstrap.bind(unixDomainSocketPath: $0) }
            return RunningService(channel: try (bound ?? bootstrap.bind(host: "127.0.0.1", port: 0)).wait())
        }
    }
}

extension ServiceSite {
    /// The certificates, for a service that cannot do without.
    ///
    /// - Throws: `LiveScenario.Unsupported` where there are none.
    func requiredCertificates() throws -> ScenarioCertificates {
        guard let certificates else {
            throw LiveScenario.Unsupported("the service needs certificates: register it with isOverTLS")
        }
        return certificates
    }
}
