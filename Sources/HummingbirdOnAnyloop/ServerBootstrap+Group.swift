import NIOBridge
import NIOCore
import NIOPosix

/// The bootstrap that goes with `group`: listeners on it, connections on it as well.
///
/// - Throws: `HummingbirdServerError.unsupportedGroup` for groups that are neither SwiftNIO's nor ours.
func serverBootstrap(for group: any EventLoopGroup) throws(HummingbirdServerError) -> any ServerBootstrapping {
    if let native = NativeServerBootstrap(validatingGroup: group, childGroup: group) { return native }
    if let posix = ServerBootstrap(validatingGroup: group, childGroup: group) { return posix }
    throw .unsupportedGroup("\(type(of: group))")
}
