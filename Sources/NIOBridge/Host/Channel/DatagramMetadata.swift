import CAnyloopSystem
import NIOCore

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

extension NIOExplicitCongestionNotificationState {
    /// The two bits of RFC 3168 section 5.
    var bits: Int32 {
        switch self {
        case .transportNotCapable: 0
        case .transportCapableFlag1: 1
        case .transportCapableFlag0: 2
        case .congestionExperienced: 3
        }
    }

    /// Of the two bits; without any, not capable.
    init(bits: Int32) {
        switch bits {
        case 1: self = .transportCapableFlag1
        case 2: self = .transportCapableFlag0
        case 3: self = .congestionExperienced
        default: self = .transportNotCapable
        }
    }
}

extension AddressedEnvelope.Metadata {
    /// What the system told of a datagram.
    init(_ raw: anyloop_raw_metadata) {
        var info: NIOPacketInfo?
        if raw.destination_size > 0 {
            var address = RawAddress()
            unsafe withUnsafeBytes(of: raw.destination) { bytes in
                unsafe withUnsafeMutableBytes(of: &address.storage) { unsafe $0.copyMemory(from: bytes) }
            }
            info = (try? address.address()).map {
                NIOPacketInfo(destinationAddress: $0, interfaceIndex: Int(raw.interface_index))
            }
        }
        self.init(
            ecnState: NIOExplicitCongestionNotificationState(bits: raw.congestion), packetInfo: info,
            segmentSize: raw.segment_size > 0 ? Int(raw.segment_size) : nil)
    }
}

extension HostDatagramChannel {
    /// An option of the level that the socket's family has it at.
    ///
    /// - Throws: `ChannelError.operationUnsupported` for a Unix socket.
    private func familyOption(
        _ v4: CInt, _ v6: CInt
    ) throws -> (NIOBSDSocket.OptionLevel, NIOBSDSocket.Option) {
        switch localAddress?.protocol {
        case .some(.inet): (.ip, NIOBSDSocket.Option(rawValue: v4))
        case .some(.inet6): (.ipv6, NIOBSDSocket.Option(rawValue: v6))
        default: throw ChannelError.operationUnsupported
        }
    }

    private func set(
        _ bit: Wanted, _ isOn: Bool, _ option: (level: NIOBSDSocket.OptionLevel, name: NIOBSDSocket.Option)
    ) throws {
        try RawSocket.setOption(descriptor, option.level, option.name, CInt(isOn ? 1 : 0))
        if isOn { wanted.insert(bit) } else { wanted.remove(bit) }
    }

    private func isSet(_ option: (level: NIOBSDSocket.OptionLevel, name: NIOBSDSocket.Option)) throws -> Bool {
        try RawSocket.option(descriptor, option.level, option.name, as: CInt.self) != 0
    }

    private func congestionOption() throws -> (NIOBSDSocket.OptionLevel, NIOBSDSocket.Option) {
        try familyOption(IP_RECVTOS, IPV6_RECVTCLASS)
    }

    private func packetInfoOption() throws -> (NIOBSDSocket.OptionLevel, NIOBSDSocket.Option) {
        try familyOption(IP_PKTINFO, IPV6_RECVPKTINFO)
    }

    /// UDP's options of udp(7), by number: NIO has no public names for them.
    private static var udp: NIOBSDSocket.OptionLevel { NIOBSDSocket.OptionLevel(rawValue: CInt(IPPROTO_UDP)) }
    private static var segment: NIOBSDSocket.Option { NIOBSDSocket.Option(rawValue: 103) }
    private static var receiveOffload: NIOBSDSocket.Option { NIOBSDSocket.Option(rawValue: 104) }

    private static func require(_ isSupported: Bool) throws {
        guard isSupported else { throw ChannelError.operationUnsupported }
    }

    /// Sets an option of datagram channels, or of all.
    func setDatagramOption<Option: ChannelOption>(_ option: Option, value: Option.Value) throws {
        try checkOptionsAllowed()
        switch (option, value) {
        case (is ChannelOptions.Types.DatagramVectorReadMessageCountOption, let value as Int): vectorCount = value
        case (is ChannelOptions.Types.ExplicitCongestionNotificationsOption, let value as Bool):
            try set(.congestion, value, congestionOption())
        case (is ChannelOptions.Types.ReceivePacketInfo, let value as Bool):
            try set(.packetInfo, value, packetInfoOption())
        case (is ChannelOptions.Types.DatagramSegmentSize, let value as CInt):
            try Self.require(System.supportsUDPSegmentationOffload)
            try RawSocket.setOption(descriptor, Self.udp, Self.segment, value)
        case (is ChannelOptions.Types.DatagramReceiveOffload, let value as Bool):
            try Self.require(System.supportsUDPReceiveOffload)
            try RawSocket.setOption(descriptor, Self.udp, Self.receiveOffload, CInt(value ? 1 : 0))
        case (is ChannelOptions.Types.DatagramReceiveSegmentSize, let value as Bool):
            try Self.require(System.supportsUDPReceiveOffload)
            if value { wanted.insert(.segmentSize) } else { wanted.remove(.segmentSize) }
        default: try setCommonOption(option, value: value)
        }
    }

    /// The value of an option of datagram channels, or of all.
    func datagramOption<Option: ChannelOption>(_ option: Option) throws -> Option.Value {
        try checkOptionsAllowed()
        let value: Any
        switch option {
        case is ChannelOptions.Types.DatagramVectorReadMessageCountOption: value = vectorCount
        case is ChannelOptions.Types.ExplicitCongestionNotificationsOption: value = try isSet(congestionOption())
        case is ChannelOptions.Types.ReceivePacketInfo: value = try isSet(packetInfoOption())
        case is ChannelOptions.Types.DatagramSegmentSize:
            try Self.require(System.supportsUDPSegmentationOffload)
            value = try RawSocket.option(descriptor, Self.udp, Self.segment, as: CInt.self)
        case is ChannelOptions.Types.DatagramReceiveOffload:
            try Self.require(System.supportsUDPReceiveOffload)
            value = try isSet((Self.udp, Self.receiveOffload))
        case is ChannelOptions.Types.DatagramReceiveSegmentSize:
            try Self.require(System.supportsUDPReceiveOffload)
            value = wanted.contains(.segmentSize)
        case is ChannelOptions.Types.BufferedWritableBytesOption: value = byteCount
        default: return try commonOption(option)
        }
        return try Self.cast(value)
    }
}
