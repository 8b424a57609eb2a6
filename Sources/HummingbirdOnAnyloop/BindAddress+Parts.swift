import HummingbirdCore

extension HummingbirdServerOptions.Address {
    /// What `address` stands for.
    ///
    /// Hummingbird keeps it to itself: it is read by reflection and believed only if the same, made anew, is equal.
    ///
    /// - Throws: `HummingbirdServerError.unreadableAddress` if it is not, as with a later version's new kinds.
    init(_ address: BindAddress) throws(HummingbirdServerError) {
        for candidate in Self.candidates(address) where candidate.bindAddress == address {
            self = candidate
            return
        }
        throw .unreadableAddress("\(address)")
    }

    /// The same as Hummingbird has it.
    var bindAddress: BindAddress {
        switch self {
        case .hostname(let host, let port): .hostname(host, port: port)
        case .unixDomainSocket(let path): .unixDomainSocket(path: path)
        }
    }

    private static func candidates(_ address: BindAddress) -> [Self] {
        var strings: [String] = []
        var ports: [Int] = []
        func collect(_ value: Any, depth: Int) {
            if let text = value as? String { return strings.append(text) }
            if let number = value as? Int { return ports.append(number) }
            guard depth > 0 else { return }
            for child in Mirror(reflecting: value).children { collect(child.value, depth: depth - 1) }
        }
        collect(address, depth: 4)
        return strings.flatMap { text in
            ports.map { .hostname(text, port: $0) } + [.unixDomainSocket(path: text)]
        }
    }
}
