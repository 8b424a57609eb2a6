import AnyloopCore
import AnyloopSystem
import CAnyloopSystem

/// The families of addresses that sockets here have.
public enum AddressFamily: String, Sendable, CaseIterable {
    /// IPv4 (`AF_INET`).
    case v4
    /// IPv6 (`AF_INET6`).
    case v6

    var code: Int32 { self == .v4 ? Int32(ANYLOOP_V4) : Int32(ANYLOOP_V6) }
}

/// The kinds of sockets that addresses are looked up for.
public enum SocketKind: String, Sendable, CaseIterable {
    /// `SOCK_STREAM`.
    case stream
    /// `SOCK_DGRAM`.
    case datagram

    var code: Int32 { self == .stream ? Int32(ANYLOOP_STREAM) : Int32(ANYLOOP_DATAGRAM) }
}

/// What `getaddrinfo` is asked.
public struct AddressQuery: Hashable, Sendable {
    /// How a query is read.
    public struct Flags: OptionSet, Hashable, Sendable {
        /// The bits, as the shims number them.
        public let rawValue: Int32
        /// Flags of these bits.
        public init(rawValue: Int32) { self.rawValue = rawValue }

        /// Without a host: every address of this machine, to bind to (`AI_PASSIVE`).
        public static let passive = Flags(rawValue: Int32(ANYLOOP_LOOK_UP_PASSIVE))
        /// The host's canonical name is wanted (`AI_CANONNAME`).
        public static let canonicalName = Flags(rawValue: Int32(ANYLOOP_LOOK_UP_CANONICAL))
        /// The host is a literal, nothing is looked up (`AI_NUMERICHOST`).
        public static let numericHost = Flags(rawValue: Int32(ANYLOOP_LOOK_UP_NUMERIC_HOST))
        /// The service is a number, nothing is looked up (`AI_NUMERICSERV`).
        public static let numericService = Flags(rawValue: Int32(ANYLOOP_LOOK_UP_NUMERIC_SERVICE))
        /// Only families that this machine has an address of (`AI_ADDRCONFIG`).
        public static let configuredFamilies = Flags(rawValue: Int32(ANYLOOP_LOOK_UP_CONFIGURED))
    }

    /// A name or literal; nil stands for this machine.
    public var host: String?
    /// A port's number or a service's name; nil leaves the ports 0.
    public var service: String?
    /// The one family wanted; nil: any.
    public var family: AddressFamily?
    /// The one kind wanted; nil: an entry for each.
    public var kind: SocketKind? = .stream
    /// How it is read.
    public var flags: Flags = []

    /// Asks for `host` and a service's name.
    public init(host: String?, service: String?) {
        self.host = host
        self.service = service
    }

    /// Asks for `host` and a port.
    public init(host: String?, port: UInt16) {
        self.host = host
        service = String(port)
    }
}

/// One answer of `getaddrinfo`.
public struct AddressInfo: Hashable, Sendable {
    /// For which kind of sockets; nil for one that has no name here.
    public let kind: SocketKind?
    /// The protocol's number (6: TCP, 17: UDP).
    public let protocolNumber: Int
    /// The host's canonical name, in the first answer, where it was wanted; otherwise empty.
    public let canonicalName: String
    /// The address.
    public let address: SocketAddress
}

/// How `getnameinfo` answers.
public struct NameInfoFlags: OptionSet, Hashable, Sendable {
    /// The bits, as the shims number them.
    public let rawValue: Int32
    /// Flags of these bits.
    public init(rawValue: Int32) { self.rawValue = rawValue }

    /// The host in its written form (`NI_NUMERICHOST`).
    public static let numericHost = NameInfoFlags(rawValue: Int32(ANYLOOP_NAME_NUMERIC_HOST))
    /// The port in digits (`NI_NUMERICSERV`).
    public static let numericService = NameInfoFlags(rawValue: Int32(ANYLOOP_NAME_NUMERIC_SERVICE))
    /// A host without a name is an error (`NI_NAMEREQD`).
    public static let nameRequired = NameInfoFlags(rawValue: Int32(ANYLOOP_NAME_REQUIRED))
    /// The service is UDP's (`NI_DGRAM`).
    public static let datagram = NameInfoFlags(rawValue: Int32(ANYLOOP_NAME_DATAGRAM))
    /// Hosts of our own domain without it (`NI_NOFQDN`).
    public static let localName = NameInfoFlags(rawValue: Int32(ANYLOOP_NAME_LOCAL))
}

extension TaskLoop {
    /// The addresses that answer `query`, at most `AddressInfo.limit`, asked for on the loop's pool (asyncio:
    /// `getaddrinfo`, rule 39).
    ///
    /// - Throws: `TransportError.resolution` with `getaddrinfo`'s code; `.usage` after the pool was shut down or for
    ///   a NUL in a name; `.cancelled`, while the system goes on asking.
    public nonisolated(nonsending) func getaddrinfo(
        _ query: AddressQuery
    ) async throws(TransportError) -> [AddressInfo] {
        guard query.host?.utf8.contains(0) != true, query.service?.utf8.contains(0) != true else {
            throw .usage(.argument("embedded null byte in the name of a host or service"))
        }
        return try await onThread { AddressInfo.ask(query) }
    }

    /// The names of a host and a service (asyncio: `getnameinfo`, rule 39), asked for on the loop's pool.
    ///
    /// - Throws: as `getaddrinfo`; `.usage` for a Unix socket's address.
    public nonisolated(nonsending) func getnameinfo(
        _ address: SocketAddress, flags: NameInfoFlags = []
    ) async throws(TransportError) -> (host: String, service: String) {
        guard !address.isUnix else { throw .usage(.argument("getnameinfo() takes an address with a port")) }
        let packed = try address.packed()
        return try await onThread { () -> Result<(host: String, service: String), TransportError> in
            var packed = packed
            var host = [CChar](repeating: 0, count: 1025)
            var service = [CChar](repeating: 0, count: 64)
            let code = unsafe anyloop_name_info(
                &packed, flags.rawValue, &host, host.count, &service, service.count)
            guard code == 0 else { return .failure(resolutionError(code, address.host)) }
            return .success((cText(host), cText(service)))
        }
    }

    /// The result of `work`, which runs on a thread of the loop's pool.
    nonisolated(nonsending) func onThread<Value: Sendable>(
        _ work: @escaping @Sendable () -> Result<Value, TransportError>
    ) async throws(TransportError) -> Value {
        if isClosed { throw .loopClosed }
        if Task.isCancelled { throw .cancelled }
        let answer = PendingAnswer<Value>()
        let bound = LoopBound(answer, to: remote)
        let remote = remote
        try runOnThread {
            let result = work()
            remote.callSoonThreadsafe { bound.value.finish(result) }
        }
        return try await waitFor(answer).get()
    }
}

private func resolutionError(_ code: Int32, _ host: String) -> TransportError {
    var buffer = [CChar](repeating: 0, count: 128)
    unsafe anyloop_resolve_text(code, &buffer, buffer.count)
    return .resolution(host: host, code: code, text: cText(buffer))
}

extension AddressInfo {
    /// Answers taken from one query.
    public static let limit = 64

    /// Asks the system; blocks.
    static func ask(_ query: AddressQuery) -> Result<[AddressInfo], TransportError> {
        var found: [AddressInfo] = []
        let code = unsafe withUnsafeMutablePointer(to: &found) { list in
            unsafe anyloop_look_up(
                query.host, query.service, query.family?.code ?? 0, query.kind?.code ?? 0, query.flags.rawValue,
                { context, kind, number, name, address in
                    guard let context = unsafe context, let address = unsafe address?.pointee,
                        let converted = SocketAddress(address)
                    else { return }
                    let list = unsafe context.assumingMemoryBound(to: [AddressInfo].self)
                    guard unsafe list.pointee.count < AddressInfo.limit else { return }
                    let info = AddressInfo(
                        kind: SocketKind.allCases.first { $0.code == kind }, protocolNumber: Int(number),
                        canonicalName: unsafe name.map { unsafe String(cString: $0) } ?? "", address: converted)
                    unsafe list.pointee.append(info)
                }, list)
        }
        guard code == 0 else { return .failure(resolutionError(code, query.host ?? "")) }
        return .success(found)
    }
}
