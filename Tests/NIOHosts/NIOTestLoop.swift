package import AnyloopTestHosts
import AnyloopTesting
import NIOBridge

extension TestLoop {
    /// SwiftNIO's loop under our protocols.
    package static let nio = TestLoop("nio/epoll", discipline: .native) { try NIOLoop() }
}

extension LoopSetup {
    /// SwiftNIO's loop, over every wire.
    package static let nio = Wire.allCases.map { LoopSetup(.nio, wire: $0) }

    /// Every loop on every poller, SwiftNIO's among them, over TCP.
    package static let everyOverTCP = overTCP + [LoopSetup(.nio, wire: .tcp)]
}
