public import NIOBridge
public import NIOCore
import NIOPosix

/// NIO's own `MultiThreadedEventLoopGroup`: the oracle, which every case must agree with.
public struct PosixHost: EventLoopGroupHost {
    /// A host; it holds nothing.
    public init() {}

    /// `nio`.
    public var name: String { "nio" }

    /// A new `MultiThreadedEventLoopGroup`.
    public func makeGroup(threads: Int) -> any EventLoopGroup {
        MultiThreadedEventLoopGroup(numberOfThreads: threads)
    }

    /// A `ServerBootstrap`.
    public func serverBootstrap(
        group: any EventLoopGroup, childGroup: any EventLoopGroup
    ) -> any ServerBootstrapping {
        ServerBootstrap(group: group, childGroup: childGroup)
    }

    /// A `ClientBootstrap`.
    public func clientBootstrap(group: any EventLoopGroup) -> any ClientBootstrapping {
        ClientBootstrap(group: group)
    }

    /// A `DatagramBootstrap`.
    public func datagramBootstrap(group: any EventLoopGroup) -> any DatagramBootstrapping {
        DatagramBootstrap(group: group)
    }
}
