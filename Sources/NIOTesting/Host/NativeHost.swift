public import NIOBridge
public import NIOCore

/// Our `NativeEventLoopGroup`, with its bootstraps.
public struct NativeHost: EventLoopGroupHost {
    /// A host; it holds nothing.
    public init() {}

    /// `native`.
    public var name: String { "native" }

    /// A new `NativeEventLoopGroup`.
    ///
    /// - Throws: `TransportError.system` if the system gives no threads or descriptors.
    public func makeGroup(threads: Int) throws -> any EventLoopGroup {
        try NativeEventLoopGroup(numberOfThreads: threads)
    }

    /// A `NativeServerBootstrap`.
    public func serverBootstrap(
        group: any EventLoopGroup, childGroup: any EventLoopGroup
    ) -> any ServerBootstrapping {
        NativeServerBootstrap(group: group, childGroup: childGroup)
    }

    /// A `NativeClientBootstrap`.
    public func clientBootstrap(group: any EventLoopGroup) -> any ClientBootstrapping {
        NativeClientBootstrap(group: group)
    }

    /// A `NativeDatagramBootstrap`.
    public func datagramBootstrap(group: any EventLoopGroup) -> any DatagramBootstrapping {
        NativeDatagramBootstrap(group: group)
    }
}
