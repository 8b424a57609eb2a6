package import AnyloopCore
import AnyloopNativeLoop
import AnyloopSystem
import CAnyloopSystem
import Glibc
package import NIOCore

// Both packages call theirs `SocketAddress`.

extension AnyloopCore.SocketAddress {
    /// The same address as SwiftNIO has it; nil for families that we do not know.
    package init?(_ address: NIOCore.SocketAddress?) {
        guard let address else { return nil }
        if case .unixDomainSocket = address {
            self = .unix(path: address.pathname ?? "")
            return
        }
        var packed = anyloop_address()
        unsafe address.withSockAddr { pointer, length in
            unsafe anyloop_address_unpack(UnsafeRawPointer(pointer), length, &packed)
        }
        self.init(packed)
    }

    /// The address as SwiftNIO takes it.
    ///
    /// - Throws: `TransportError.usage` for a path that does not fit.
    package func forNIO() throws(TransportError) -> NIOCore.SocketAddress {
        do {
            switch self {
            case .v4(let octets, let port):
                return try NIOCore.SocketAddress(
                    packedIPAddress: ByteBuffer(integer: octets), port: Int(port))
            case .v6(let high, let low, let port, let scope):
                var buffer = ByteBuffer(integer: high)
                buffer.writeInteger(low)
                guard scope != 0 else {
                    return try NIOCore.SocketAddress(packedIPAddress: buffer, port: Int(port))
                }
                // SwiftNIO's own ways to an address leave the scope out.
                var packed = try self.packed()
                let native = unsafe withUnsafeTemporaryAllocation(
                    byteCount: MemoryLayout<sockaddr_in6>.size, alignment: MemoryLayout<sockaddr_in6>.alignment
                ) { room in
                    _ = unsafe anyloop_address_pack(&packed, room.baseAddress, room.count)
                    return unsafe room.load(as: sockaddr_in6.self)
                }
                return NIOCore.SocketAddress(native)
            case .unix(let path):
                return try NIOCore.SocketAddress(unixDomainSocketPath: path)
            }
        } catch {
            throw .usage(.argument("SwiftNIO does not take the address \(self): \(error)"))
        }
    }
}

extension TransportError {
    /// What SwiftNIO failed with, as the loops of ours tell it; nil for what is no failure but an end.
    package static func fromNIO(_ error: any Error, _ operation: String) -> TransportError? {
        switch error {
        case let error as TransportError: return error
        case let error as IOError: return .system(SystemError(error.errnoCode, operation))
        case let error as ChannelError:
            switch error {
            case .ioOnClosedChannel, .alreadyClosed, .eof, .inputClosed, .outputClosed: return nil
            // EMSGSIZE, which SwiftNIO gives a name.
            case .writeMessageTooLarge: return .system(SystemError(90, operation))
            default: return .usage("\(operation): \(error)")
            }
        case EventLoopError.shutdown: return .loopClosed
        default: return .callback(name: operation, error: error)
        }
    }
}
