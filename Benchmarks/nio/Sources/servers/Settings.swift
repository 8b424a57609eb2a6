/// What a server is told.
struct Settings: Sendable {
    var port = 8080
    /// Bytes of the body; nil: a line of text.
    var size: Int?
    /// PEM files of certificate and key; nil: in the clear.
    var identity: (certificate: String, key: String)?

    var body: [UInt8] {
        size.map { [UInt8](repeating: UInt8(ascii: "x"), count: $0) } ?? Array("hello, world\n".utf8)
    }

    init(_ arguments: some Sequence<String>) throws {
        var rest = arguments.makeIterator()
        while let option = rest.next() {
            guard let value = rest.next() else { throw SettingsError("\(option) needs a value") }
            switch option {
            case "--port": port = try Self.number(value)
            case "--size": size = try Self.number(value)
            case "--identity": identity = (value + ".pem", value + ".key")
            default: throw SettingsError("unknown option \(option)")
            }
        }
    }

    private static func number(_ text: String) throws -> Int {
        guard let number = Int(text) else { throw SettingsError("\(text) is no number") }
        return number
    }
}

struct SettingsError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
