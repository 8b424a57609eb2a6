import AnyloopCore
import AnyloopTLS

/// The certificates and contexts of a play, by name; made when first asked for.
final class AsyncioContexts {
    private var identities: [String: TLSIdentity] = [:]
    private var clients: [String: TLSClientContext] = [:]
    private var servers: [String: TLSServerContext] = [:]
    /// Actors whose transport `start_tls` has made, or is about to.
    var upgraded: Set<String> = []

    /// The names that certificates are for, if a scenario gives no others.
    private static let names = ["anyloop.test", "localhost", "127.0.0.1"]

    private func identity(_ name: String, names: [String] = AsyncioContexts.names) throws -> TLSIdentity {
        if let known = identities[name] { return known }
        let made = try TLSIdentity.selfSigned(names: names)
        identities[name] = made
        return made
    }

    /// Makes the context that a step describes.
    func make(_ step: AsyncioTable) throws {
        let name = try step.text("name")
        switch try step.text("side") {
        case "server": servers[name] = try server(step)
        case "client": clients[name] = try client(step)
        default: throw step.error("side", expected: "server or client")
        }
    }

    private func server(_ step: AsyncioTable) throws -> TLSServerContext {
        let names = step.has("names") ? try step.texts("names") : Self.names
        var options = TLSServerOptions(identity: try identity(try step.text("certificate", or: "server"), names: names))
        options.settings = try settings(step)
        // When a ticket comes is luck.
        options.ticketCount = 0
        let trust = try trust(step.has("trusts") ? step.texts("trusts") : [])
        switch try step.optionalText("clients") {
        case nil: break
        case "requested": options.clientCertificates = .requested(trust)
        case "required": options.clientCertificates = .required(trust)
        default: throw step.error("clients", expected: "requested or required")
        }
        return try TLSServerContext(options)
    }

    private func client(_ step: AsyncioTable) throws -> TLSClientContext {
        var options = TLSClientOptions()
        options.settings = try settings(step)
        options.trust = try trust(step.has("trusts") ? step.texts("trusts") : ["server"])
        options.verifiesCertificate = try step.flag("verify", or: true)
        options.verifiesHostName = try step.flag("check_hostname", or: true)
        if let name = try step.optionalText("certificate") { options.identity = try identity(name) }
        options.sessionLimit = 0
        return try TLSClientContext(options)
    }

    private func trust(_ names: [String]) throws -> TLSTrust {
        var pem: [UInt8] = []
        // One that nobody has stands for trusting nobody.
        for name in names.isEmpty ? ["nobody"] : names { pem += try identity(name).certificateChain }
        return .pem(pem)
    }

    private func settings(_ step: AsyncioTable) throws -> TLSSettings {
        var settings = TLSSettings()
        if step.has("alpn") { settings.applicationProtocols = try step.texts("alpn") }
        if let version = try step.optionalText("minimum") { settings.minimumVersion = try self.version(version, step) }
        if let version = try step.optionalText("maximum") { settings.maximumVersion = try self.version(version, step) }
        return settings
    }

    private func version(_ text: String, _ step: AsyncioTable) throws -> TLSVersion {
        switch text {
        case "1.2": .v1_2
        case "1.3": .v1_3
        default: throw step.error("minimum", expected: "1.2 or 1.3")
        }
    }

    /// The client's context that a step names under `tls`; `true` is the default one, `client` there without a step.
    func client(of step: AsyncioStep) throws -> TLSClientContext {
        if case .flag(true)? = step.table.values["tls"] { return try TLSClientContext() }
        let name = try step.table.text("tls", or: "client")
        if clients[name] == nil, name == "client" { clients[name] = try client(try bare(step, "client")) }
        guard let known = clients[name] else {
            throw AsyncioPlayerError("\(step.table.place): there is no client's TLS context '\(name)' (yet)")
        }
        return known
    }

    /// The server's context that a step names under `tls`; `server` is there without a step.
    func server(of step: AsyncioStep) throws -> TLSServerContext {
        let name = try step.table.text("tls", or: "server")
        if servers[name] == nil, name == "server" { servers[name] = try server(try bare(step, "server")) }
        guard let known = servers[name] else {
            throw AsyncioPlayerError("\(step.table.place): there is no server's TLS context '\(name)' (yet)")
        }
        return known
    }

    /// The table of a context with nothing but its side.
    private func bare(_ step: AsyncioStep, _ side: String) throws -> AsyncioTable {
        try AsyncioTable(
            file: step.table.file, place: "the context '\(side)'",
            .table(["name": .text(side), "side": .text(side)]))
    }
}

extension AsyncioPlayer {
    var contexts: AsyncioContexts { store(AsyncioContexts.init) }

    /// The time-outs that a step gives, and asyncio's way with ends that are cut short, which is not our default.
    func tlsOptions(_ step: AsyncioStep) throws -> TLSConnectionOptions {
        var options = TLSConnectionOptions()
        options.truncation = .endOfStream
        if step.table.has("handshake_timeout") {
            options.handshakeTimeout = .seconds(try step.table.seconds("handshake_timeout"))
        }
        if step.table.has("shutdown_timeout") {
            options.shutdownTimeout = .seconds(try step.table.seconds("shutdown_timeout"))
        }
        return options
    }

    /// Whether what an actor's transport carries is TLS, or about to be.
    func isOverTLS(_ actor: String) -> Bool {
        contexts.upgraded.contains(actor) || transports[actor]?.tls != nil
    }
}
