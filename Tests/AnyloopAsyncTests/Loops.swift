import AnyloopAsync
import AnyloopCore
import AnyloopNativeLoop

/// The loops that the async interface is tried on.
enum LoopKind: String, CaseIterable, Sendable {
    case native
    case compat

    func make() throws -> any TaskLoop {
        switch self {
        case .native: try NativeLoop()
        case .compat: try CompatLoop()
        }
    }
}
