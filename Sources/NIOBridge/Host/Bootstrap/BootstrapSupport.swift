import NIOCore

extension EventLoopGroup {
    /// Whether bootstraps of ours take this group.
    var isNative: Bool { self is NativeEventLoopGroup || self is NativeEventLoop }
}

extension EventLoop {
    /// This loop as one of ours.
    ///
    /// - Throws: `EventLoopError.unsupportedOperation` for another's.
    func native() throws -> NativeEventLoop {
        guard let loop = self as? NativeEventLoop else { throw EventLoopError.unsupportedOperation }
        return loop
    }
}

extension HostChannel {
    /// Registers and does `body` at once: a socket that is watched before it is bound or connected counts as hung up.
    func registerAndThen(_ body: @escaping (HostChannel) -> EventLoopFuture<Void>) -> EventLoopFuture<Void> {
        register().assumeIsolated().flatMap { body(self) }.nonisolated()
    }

    /// Registers a socket that is bound or connected already.
    func registerAdopted() -> EventLoopFuture<Void> {
        let promise = loop.makePromise(of: Void.self)
        registerAlreadyConfigured0(promise: promise)
        return promise.futureResult
    }
}
