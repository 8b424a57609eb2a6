// Exported: hosts name their bootstraps by the bridge's protocols.
@_exported import NIOBridge
public import NIOCore

/// What an event loop group must bring to be put through the battery: itself, and bootstraps for its channels.
///
/// One host may serve many cases, one after another; every case makes groups of its own and shuts them down.
public protocol EventLoopGroupHost: Sendable {
    /// What is being tested, for reports: `nio`, `native`.
    var name: String { get }

    /// A new group of that many loops, each on a thread of its own.
    func makeGroup(threads: Int) throws -> any EventLoopGroup

    /// A bootstrap for listening channels on loops of `group`, whose children are on loops of `childGroup`.
    func serverBootstrap(
        group: any EventLoopGroup, childGroup: any EventLoopGroup
    ) -> any ServerBootstrapping

    /// A bootstrap for connecting stream channels on loops of `group`.
    func clientBootstrap(group: any EventLoopGroup) -> any ClientBootstrapping

    /// A bootstrap for datagram channels on loops of `group`.
    func datagramBootstrap(group: any EventLoopGroup) -> any DatagramBootstrapping
}
