public import HummingbirdCore
public import HummingbirdHTTP2
import HummingbirdTLS
import Logging
import NIOCore
public import NIOSSL

/// What a server speaks to its connections: HummingbirdCore's child channels.
///
/// The same as Hummingbird's `HTTPServerBuilder`, which only Hummingbird's own server can make use of.
public struct HummingbirdProtocols: Sendable {
    /// Makes the child channel that passes requests to a responder.
    public typealias Build = @Sendable (@escaping HTTPChannelHandler.Responder) throws -> any ServerChildChannel

    /// Makes it for a server on a group, with its logger.
    let childChannel:
        @Sendable (_ responder: @escaping HTTPChannelHandler.Responder, any EventLoopGroup, Logger) throws
            -> any ServerChildChannel

    private init(_ childChannel: @escaping Build) {
        self.childChannel = { responder, _, _ in try childChannel(responder) }
    }

    private init(reading builder: HTTPServerBuilder) {
        childChannel = { responder, group, logger in
            let server = try builder.buildServer(
                configuration: ServerConfiguration(), eventLoopGroup: group, logger: logger, responder: responder)
            // `Server.state`, whose first case holds what the server starts with.
            let state = Mirror(reflecting: server).child("state").map { Mirror(reflecting: $0) }
            let initial = state?.child("initial").map { Mirror(reflecting: $0) }
            guard let childChannel = initial?.child("childChannelSetup") as? any ServerChildChannel else {
                throw HummingbirdServerError.unreadableProtocols("\(type(of: server))")
            }
            return childChannel
        }
    }

    /// HTTP/1.1 in the clear.
    public static func http1(configuration: HTTP1Channel.Configuration = .init()) -> HummingbirdProtocols {
        HummingbirdProtocols { HTTP1Channel(responder: $0, configuration: configuration) }
    }

    /// HTTP/1.1 over TLS.
    public static func https(
        _ tls: TLSConfiguration, configuration: HTTP1Channel.Configuration = .init()
    ) -> HummingbirdProtocols {
        HummingbirdProtocols {
            try TLSChannel(HTTP1Channel(responder: $0, configuration: configuration), tlsConfiguration: tls)
        }
    }

    /// TLS, and what the client chooses in the handshake (ALPN, RFC 7301): HTTP/2 or HTTP/1.1.
    public static func http2Upgrade(
        _ tls: TLSConfiguration, configuration: HTTP2ChannelConfiguration = .init()
    ) -> HummingbirdProtocols {
        HummingbirdProtocols {
            try HTTP2UpgradeChannel(tlsConfiguration: tls, configuration: configuration, responder: $0)
        }
    }

    /// HTTP/2 in the clear, for clients that know beforehand (RFC 9113 §3.3).
    public static func plaintextHTTP2(configuration: HTTP2ChannelConfiguration = .init()) -> HummingbirdProtocols {
        HummingbirdProtocols { HTTP2Channel(responder: $0, configuration: configuration) }
    }

    /// Any other child channel, such as one that checks certificates by a callback or upgrades to WebSocket.
    public static func custom(_ childChannel: @escaping Build) -> HummingbirdProtocols {
        HummingbirdProtocols(childChannel)
    }

    /// What `builder` makes.
    ///
    /// Hummingbird keeps that to itself: the builder makes a server of Hummingbird's, which never runs, and its child
    /// channel is read by reflection. Where a later version keeps it otherwise, running the server throws
    /// `HummingbirdServerError.unreadableProtocols`; the other ways to make protocols don't depend on it.
    public static func builder(_ builder: HTTPServerBuilder) -> HummingbirdProtocols {
        HummingbirdProtocols(reading: builder)
    }
}

extension Mirror {
    fileprivate func child(_ label: String) -> Any? { children.first { $0.label == label }?.value }
}
