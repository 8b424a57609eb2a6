package import AnyloopCore
import AnyloopHarness
import AnyloopNativeLoop

/// The sock_ calls that AnyloopNativeLoop gives to every loop that watches descriptors and runs tasks.
package struct LoopSockets: AsyncioSockets {
    private let loop: any DescriptorLoop & TaskLoop

    /// Nil if the loop does not do both.
    package init?(_ loop: any TaskLoop) {
        guard let loop = loop as? any DescriptorLoop & TaskLoop else { return nil }
        self.loop = loop
    }

    package nonisolated(nonsending) func receive(_ descriptor: Int32, _ limit: Int) async throws -> [UInt8] {
        try await loop.sockRecv(descriptor, limit)
    }

    package nonisolated(nonsending) func receiveInto(_ descriptor: Int32, size: Int) async throws -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: size)
        let count = try await loop.sockRecvInto(descriptor, &buffer)
        return Array(buffer[..<count])
    }

    package nonisolated(nonsending) func receiveFrom(
        _ descriptor: Int32, _ limit: Int
    ) async throws -> (bytes: [UInt8], address: SocketAddress?) {
        try await loop.sockRecvFrom(descriptor, limit)
    }

    package nonisolated(nonsending) func sendAll(_ descriptor: Int32, _ bytes: [UInt8]) async throws {
        try await loop.sockSendAll(descriptor, bytes)
    }

    package nonisolated(nonsending) func send(
        _ descriptor: Int32, _ bytes: [UInt8], to address: SocketAddress
    ) async throws -> Int {
        try await loop.sockSendTo(descriptor, bytes, to: address)
    }

    package nonisolated(nonsending) func connect(_ descriptor: Int32, to endpoint: Endpoint) async throws {
        try await loop.sockConnect(descriptor, to: endpoint)
    }

    package nonisolated(nonsending) func accept(_ descriptor: Int32) async throws -> Int32 {
        try await loop.sockAccept(descriptor).descriptor
    }

    package nonisolated(nonsending) func sendFile(
        _ descriptor: Int32, _ source: SendFileSource, offset: Int64, count: Int?, fallback: Bool
    ) async throws -> Int {
        try await loop.sockSendFile(descriptor, source: source, offset: offset, count: count, fallback: fallback)
    }

    package nonisolated(nonsending) func addresses(
        of host: String, port: UInt16, isNumeric: Bool
    ) async throws -> [SocketAddress] {
        var query = AddressQuery(host: host, port: port)
        if isNumeric { query.flags = .numericHost }
        return try await loop.getaddrinfo(query).map(\.address)
    }

    package nonisolated(nonsending) func names(of address: SocketAddress) async throws -> (
        host: String, service: String
    ) {
        try await loop.getnameinfo(address, flags: [.numericHost, .numericService])
    }
}
