import AnyloopCore
public import AnyloopHarness
import AnyloopSubjects
import NIOBridge

extension Registry {
    /// What `Registry.anyloop` has, and SwiftNIO's loop, handlers and services.
    ///
    /// What runs in mode `nio` runs on a loop that SwiftNIO turns; NIO's own services run in mode `native` on
    /// our loop and in mode `nio` on theirs.
    public static var anyloopWithNIO: Registry {
        var registry = Registry.anyloop
        registry.loopProviders.append(.nio)
        registry.subjects += NIOHandlerSubjects.all
        registry.scenarios += NIOServiceScenarios.all
        registry.scenarios += HummingbirdScenarios.all
        return registry
    }
}

extension LoopProvider {
    /// SwiftNIO's loop, which waits by epoll.
    public static let nio = LoopProvider(
        mode: .nio, poller: "epoll", asyncioLiberties: NIOLoopLiberties.all, sockets: { LoopSockets($0) }
    ) {
        do throws(TransportError) { return try NIOLoop() } catch {
            // The one thing that such a loop lacks: another beside it on its thread.
            guard case .usage = error else { throw error }
            throw LiveScenario.Unsupported("\(error)")
        }
    }
}
