import AnyloopSubjects
import NIOCore
import NIOHTTP1
import NIOHTTP2
import NIOSSL

extension Service {
    /// NIOHTTP1's server pipeline.
    static let http1 = Service.pipeline("nio-http1") { _ in
        { channel in
            channel.eventLoop.makeCompletedFuture {
                let pipeline = channel.pipeline.syncOperations
                try pipeline.configureHTTPServerPipeline()
                try pipeline.addHandlers([BackPressureHandler(), HTTPServiceHandler()])
            }
        }
    }

    /// The same behind NIOSSL.
    static let https = Service.pipeline("nio-tls", isOverTLS: true) { site in
        let context = try NIOSSLContext(configuration: site.serverConfiguration(["http/1.1"]))
        return { channel in
            channel.eventLoop.makeCompletedFuture {
                let pipeline = channel.pipeline.syncOperations
                try pipeline.addHandler(NIOSSLServerHandler(context: context))
                try pipeline.configureHTTPServerPipeline()
                try pipeline.addHandlers([BackPressureHandler(), HTTPServiceHandler()])
            }
        }
    }

    /// NIOHTTP2 behind NIOSSL; clients that don't speak it get HTTP/1.1 (RFC 9113 §3.2).
    static let http2 = Service.pipeline("nio-http2", isOverTLS: true) { site in
        let context = try NIOSSLContext(configuration: site.serverConfiguration(NIOHTTP2SupportedALPNProtocols))
        return { channel in
            channel.eventLoop.makeCompletedFuture {
                try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: context))
            }.flatMap {
                channel.configureCommonHTTPServerPipeline(
                    connectionConfiguration: .init(), streamConfiguration: .init()
                ) { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(HTTPServiceHandler())
                    }
                }
            }
        }
    }

    /// NIOHTTP2 over TCP, for clients that know (RFC 9113 §3.3).
    static let http2Clear = Service.pipeline("nio-h2c") { _ in
        { channel in
            channel.configureHTTP2Pipeline(
                mode: .server, connectionConfiguration: .init(), streamConfiguration: .init()
            ) { stream in
                stream.eventLoop.makeCompletedFuture {
                    let pipeline = stream.pipeline.syncOperations
                    try pipeline.addHandler(HTTP2FramePayloadToHTTP1ServerCodec())
                    try pipeline.addHandler(HTTPServiceHandler())
                }
            }.map { _ in }
        }
    }
}

extension ServiceSite {
    /// What NIOSSL needs for a server with this site's certificate.
    ///
    /// - Throws: `LiveScenario.Unsupported` without one, and NIOSSL's errors.
    func serverConfiguration(_ applicationProtocols: [String]) throws -> TLSConfiguration {
        let certificates = try requiredCertificates()
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: try NIOSSLCertificate.fromPEMFile(certificates.serverFile).map { .certificate($0) },
            privateKey: .privateKey(try NIOSSLPrivateKey(file: certificates.serverKeyFile, format: .pem)))
        configuration.applicationProtocols = applicationProtocols
        return configuration
    }
}
