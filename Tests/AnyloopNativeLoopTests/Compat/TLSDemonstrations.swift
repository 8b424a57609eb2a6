import AnyloopCore
import AnyloopTLS
import AnyloopTesting
import Testing

extension Demonstration {
    /// The liberties over TLS, which are the same on every loop.
    static let tls: [String: Demonstration] = [
        "tls-alert-sent": Demonstration(both: ["client selfSigned", "server alert 48"]) { loop, log in
            var options = TLSClientOptions()
            options.trust = .pem(try TLSIdentity.selfSigned(names: ["nobody"]).certificateChain)
            _ = try shakeHands(loop, log, client: options)
        },
        "tls-application-protocol-required": Demonstration(both: ["client alert 120", "server noCommonProtocol"]) {
            loop, log in
            let identity = try TLSIdentity.selfSigned(names: ["127.0.0.1"])
            var server = TLSServerOptions(identity: identity)
            server.settings.applicationProtocols = ["h2"]
            var client = TLSClientOptions()
            client.trust = .pem(identity.certificateChain)
            client.settings.applicationProtocols = ["x"]
            _ = try shakeHands(loop, log, client: client, server: server)
        },
        "tls-name-required": Demonstration(
            both: ["You must set server_hostname when using ssl without a host"]
        ) { loop, log in
            let (near, far) = try RawEnd.pair()
            let transport = try loop.adoptConnection(descriptor: near) { RecordingProtocol() }
            loop.startTLS(
                on: transport, protocol: RecordingProtocol(), tls: try TLSClientContext(), serverName: "",
                unreadCount: 0
            ) { result in
                if case .failure(let error) = result { log(error.description) }
            }
            try wait(loop) { !log.events.isEmpty }
            far.close()
        },
        "tls-buffers-counted-whole": Demonstration(both: ["pause"]) { loop, log in
            let (client, server) = try shakeHands(loop, log)
            client.transport?.pauseReading()
            server.reactions[.pause] = { _, _ in log("pause") }
            server.transport?.write([UInt8](repeating: 0, count: 1 << 24))
        },
        "tls-late-bytes-dropped": Demonstration(both: ["end", "lost without an error"]) { loop, log in
            let (client, server) = try shakeHands(loop, log)
            server.reactions[.eof] = { _, _ in log("end") }
            server.reactions[.lost] = { server, _ in
                log(server.lostError.map { "lost \($0)" } ?? "lost without an error")
            }
            server.transport?.close()
            // Before it has read the other's close.
            client.transport?.write([1, 2, 3])
            try wait(loop) { server.isLost }
        },
        "tls-clients-closed-in-order": Demonstration(both: ["close_notify"]) { loop, log in
            let identity = try TLSIdentity.selfSigned(names: ["127.0.0.1"])
            let made = RecordingProtocol()
            let server = try loop.createServer(
                on: [.loopback(port: 0)], tls: try TLSServerContext(TLSServerOptions(identity: identity))
            ) { made }
            var options = TLSClientOptions()
            options.trust = .pem(identity.certificateChain)
            let client = RecordingProtocol()
            loop.createConnection(to: .address(server.addresses[0]), tls: try TLSClientContext(options)) {
                client
            } completion: { _ in
            }
            try wait(loop) { made.isOpen && client.isOpen }
            server.closeClients()
            try wait(loop) { client.isLost }
            log(client.transport?.tls?.ending == .closeNotify ? "close_notify" : "no close_notify")
        },
        "tls-truncation-told": Demonstration(both: ["lost truncated"]) { loop, log in
            let (client, server) = try shakeHands(loop, log)
            server.reactions[.eof] = { _, _ in log("end") }
            server.reactions[.lost] = { server, _ in
                if case .tls(let error)? = server.lostError { log("lost \(error.kind)") }
            }
            client.transport?.abort()
            try wait(loop) { server.isLost }
        },
    ]

    /// Turns the loop until `condition` holds.
    private static func wait(_ loop: any Loop, _ condition: () -> Bool) throws {
        let end = ContinuousClock.now + .seconds(10)
        while !condition() {
            try #require(ContinuousClock.now < end)
            try loop.runOnce(timeout: .milliseconds(10))
        }
    }

    /// Client and server of one loop after their handshake; logs why it failed on either side.
    private static func shakeHands(
        _ loop: any Loop, _ log: Log, client options: TLSClientOptions? = nil, server: TLSServerOptions? = nil
    ) throws -> (client: RecordingProtocol, server: RecordingProtocol) {
        let identity = try TLSIdentity.selfSigned(names: ["127.0.0.1"])
        let (client, made) = (RecordingProtocol(), RecordingProtocol())
        var failures = 0
        func note(_ side: String, _ error: TransportError) {
            failures += 1
            guard case .tls(let error) = error else { return log("\(side) \(error)") }
            switch error.kind {
            case .certificate(let fault): log("\(side) \(fault)")
            case .alert(let number): log("\(side) alert \(number)")
            default: log("\(side) \(error.kind)")
            }
        }
        var clientOptions = TLSClientOptions()
        clientOptions.trust = .pem(identity.certificateChain)
        // An end of TCP is a reset while the other side has tickets to read.
        var serverOptions = server ?? TLSServerOptions(identity: identity)
        serverOptions.ticketCount = 0
        let listening = try loop.createServer(
            on: [.loopback(port: 0)], tls: try TLSServerContext(serverOptions),
            handshakeFailed: { _, error in note("server", error) }
        ) { made }
        loop.createConnection(
            to: .address(listening.addresses[0]), tls: try TLSClientContext(options ?? clientOptions)
        ) {
            client
        } completion: { result in
            if case .failure(let error) = result { note("client", error) }
        }
        try wait(loop) { made.isOpen && client.isOpen || failures == 2 }
        log.events.sort()
        return (client, made)
    }
}
