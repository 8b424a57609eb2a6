import AnyloopCore
import AnyloopSystem

/// The addresses that a race has still to try: two families that take turns (RFC 8305 §4), each with an answer of its
/// own, which may come while the race is on.
package struct FamilyTurns<Address> {
    /// One of the two families.
    package enum Family {
        /// The one that goes first, and is waited for.
        case leading
        /// The other one.
        case following
    }

    private struct Line {
        var addresses: ArraySlice<Address> = []
        var isAwaited = true
    }

    private var leading = Line()
    private var following = Line()
    private var wasLeading = false

    /// Families that have not answered.
    package init() {}

    /// Families that both have answered.
    package init(leading: [Address], following: [Address] = []) {
        answer(leading, of: .leading)
        answer(following, of: .following)
    }

    /// A family's addresses, or none if it has none.
    mutating func answer(_ addresses: [Address], of family: Family) {
        let line = Line(addresses: addresses[...], isAwaited: false)
        switch family {
        case .leading: leading = line
        case .following: following = line
        }
    }

    /// The next address to try; nil while there is none.
    mutating func next() -> Address? {
        guard hasNext else { return nil }
        wasLeading = following.addresses.isEmpty || !leading.addresses.isEmpty && !wasLeading
        return wasLeading ? leading.addresses.popFirst() : following.addresses.popFirst()
    }

    /// Whether an address is left.
    private var hasNext: Bool { !leading.addresses.isEmpty || !following.addresses.isEmpty }

    /// Whether a family has not answered.
    var isAwaited: Bool { leading.isAwaited || following.isAwaited }

    /// Whether there is, or may yet be, another address to try.
    var mayHaveNext: Bool { hasNext || isAwaited }

    /// Whether what there is should wait for the leading family a little (RFC 8305 §3).
    var givesWay: Bool { leading.isAwaited && hasNext }
}

extension FamilyTurns<SocketAddress> {
    /// A look-up's whole answer: the first address's family leads.
    init(_ addresses: [SocketAddress]) {
        let family = addresses.first?.family
        self.init(
            leading: addresses.filter { $0.family == family }, following: addresses.filter { $0.family != family })
    }
}
