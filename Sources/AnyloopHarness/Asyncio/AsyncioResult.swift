/// What a call or an operation returned, as a trace writes it.
enum AsyncioResult: Sendable {
    /// Nothing; written only where the line of a result must not be missing.
    case none
    case flag(Bool)
    case number(Int)
    case real(Double)
    /// In quotes, without what differs between runs.
    case text(String)
    /// Bare: an actor, a peer, `PATH`.
    case name(String)
    case data([UInt8])
    case list([AsyncioResult])

    /// As it stands behind `=`.
    var text: String {
        switch self {
        case .none: "none"
        case .flag(let flag): String(flag)
        case .number(let number): String(number)
        case .real(let number): String(number)
        case .text(let text): AsyncioText.quoted(AsyncioText.normal(text))
        case .name(let name): name
        case .data(let bytes): AsyncioText.data(bytes)
        case .list(let items): "[\(items.map(\.text).joined(separator: ", "))]"
        }
    }

    /// A value that a scenario has.
    init(_ value: AsyncioValue) {
        switch value {
        case .null, .table: self = .none
        case .flag(let flag): self = .flag(flag)
        case .number(let number): self = Int(exactly: number).map { .number($0) } ?? .real(number)
        case .text(let text): self = .text(text)
        case .list(let list): self = .list(list.map { AsyncioResult($0) })
        }
    }

    var isNone: Bool { if case .none = self { true } else { false } }
}

/// What scenarios raise on purpose: an error of the application.
struct Boom: Error {}

/// Why a scenario could not be played to its end: a mistake in it, or something the player lacks.
struct AsyncioPlayerError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}
