import NIOBridge
import NIOCore
import NIOPosix

/// What the runner asks of a server bootstrap: SwiftNIO's has it, and so does ours.
protocol ListeningBootstrap {
    /// A bootstrap, unless `group` or `childGroup` is of a kind that it cannot bind on.
    init?(validatingGroup group: any EventLoopGroup, childGroup: (any EventLoopGroup)?)

    func serverChannelInitializer(_ initializer: @escaping @Sendable (any Channel) -> EventLoopFuture<Void>) -> Self
    func serverChannelOption<Option: ChannelOption>(_ option: Option, value: Option.Value) -> Self
    func childChannelOption<Option: ChannelOption>(_ option: Option, value: Option.Value) -> Self

    func bind<Output: Sendable>(
        host: String, port: Int,
        serverBackPressureStrategy: NIOAsyncSequenceProducerBackPressureStrategies.HighLowWatermark?,
        childChannelInitializer: @escaping @Sendable (any Channel) -> EventLoopFuture<Output>
    ) async throws -> NIOAsyncChannel<Output, Never>
    func bind<Output: Sendable>(
        unixDomainSocketPath: String, cleanupExistingSocketFile: Bool,
        serverBackPressureStrategy: NIOAsyncSequenceProducerBackPressureStrategies.HighLowWatermark?,
        childChannelInitializer: @escaping @Sendable (any Channel) -> EventLoopFuture<Output>
    ) async throws -> NIOAsyncChannel<Output, Never>
}

extension ServerBootstrap: ListeningBootstrap {}
extension NativeServerBootstrap: ListeningBootstrap {}

/// The bootstrap that goes with `group`: listeners on it, connections on it as well.
///
/// - Throws: `HummingbirdServerError.unsupportedGroup` for groups that are neither SwiftNIO's nor ours.
func listeningBootstrap(for group: any EventLoopGroup) throws(HummingbirdServerError) -> any ListeningBootstrap {
    if let native = NativeServerBootstrap(validatingGroup: group, childGroup: group) { return native }
    if let posix = ServerBootstrap(validatingGroup: group, childGroup: group) { return posix }
    throw .unsupportedGroup("\(type(of: group))")
}
