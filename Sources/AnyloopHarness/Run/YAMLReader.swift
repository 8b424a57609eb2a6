import Yams

/// What is wrong in a settings file, and where.
public struct SettingsError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The file's path as it was given.
    public var file: String
    /// The line, from 1.
    public var line: Int
    /// The column, from 1.
    public var column: Int
    /// What is wrong: what was expected, what was found.
    public var text: String

    /// `file:line:column: text`.
    public var description: String { "\(file):\(line):\(column): \(text)" }
}

/// A place in a YAML file, with accessors whose errors say what was expected there.
struct YAMLReader {
    let file: String
    let node: Node

    /// The document in `text`.
    init(file: String, text: String) throws(SettingsError) {
        self.file = file
        do {
            guard let node = try compose(yaml: text) else {
                throw SettingsError(file: file, line: 1, column: 1, text: "expected settings, found an empty file")
            }
            self.node = node
        } catch let error as SettingsError {
            throw error
        } catch let error as YamlError {
            throw Self.settingsError(file: file, error)
        } catch {
            throw SettingsError(file: file, line: 1, column: 1, text: "\(error)")
        }
    }

    private init(file: String, node: Node) {
        self.file = file
        self.node = node
    }

    private static func settingsError(file: String, _ error: YamlError) -> SettingsError {
        switch error {
        case .scanner(let context, let problem, let mark, _), .parser(let context, let problem, let mark, _),
            .composer(let context, let problem, let mark, _):
            let text = "expected YAML: " + [context?.description, problem].compactMap(\.self).joined(separator: " ")
            return SettingsError(file: file, line: mark.line, column: mark.column, text: text)
        case .duplicatedKeysInMapping(let keys, let context):
            let names = keys.map { "\($0)" }.joined(separator: ", ")
            let text = "expected each key once, found \(names) again"
            return SettingsError(file: file, line: context.mark.line, column: context.mark.column, text: text)
        default:
            return SettingsError(file: file, line: 1, column: 1, text: "expected YAML: \(error)")
        }
    }

    /// An error at this place.
    func error(expected: String, found: String? = nil) -> SettingsError {
        let text = "expected \(expected), found \(found ?? kind)"
        return SettingsError(file: file, line: line, column: node.mark?.column ?? 1, text: text)
    }

    /// The line of this place, from 1.
    var line: Int { node.mark?.line ?? 1 }

    private var kind: String {
        switch node {
        case .scalar(let scalar): scalar.string.isEmpty ? "nothing" : "'\(scalar.string)'"
        case .mapping: "a mapping"
        case .sequence: "a list"
        case .alias: "an alias"
        }
    }

    /// The values of a mapping whose keys are among `keys`.
    func mapping(_ what: String, keys: [String]) throws(SettingsError) -> [String: YAMLReader] {
        guard case .mapping(let mapping) = node else { throw error(expected: what) }
        var values: [String: YAMLReader] = [:]
        for (key, value) in mapping {
            let place = YAMLReader(file: file, node: key)
            guard let name = key.string, keys.contains(name) else {
                throw place.error(expected: "one of the keys " + keys.joined(separator: ", "))
            }
            values[name] = YAMLReader(file: file, node: value)
        }
        return values
    }

    /// The items of a list.
    func list(_ what: String) throws(SettingsError) -> [YAMLReader] {
        guard case .sequence(let sequence) = node else { throw error(expected: what) }
        return sequence.map { YAMLReader(file: file, node: $0) }
    }

    /// A text that is not empty.
    func text(_ what: String) throws(SettingsError) -> String {
        guard case .scalar(let scalar) = node, !scalar.string.isEmpty else { throw error(expected: what) }
        return scalar.string
    }

    /// One text, or a list of them.
    func texts(_ what: String) throws(SettingsError) -> [(text: String, place: YAMLReader)] {
        let items: [YAMLReader]
        if case .sequence = node { items = try list(what) } else { items = [self] }
        var texts: [(String, YAMLReader)] = []
        for item in items { texts.append((try item.text(what), item)) }
        guard !texts.isEmpty else { throw error(expected: what, found: "an empty list") }
        return texts
    }

    /// A whole number in `range`.
    func number(_ what: String, in range: ClosedRange<Int>) throws(SettingsError) -> Int {
        guard case .scalar(let scalar) = node, let value = Int(scalar.string), range.contains(value) else {
            throw error(expected: "\(what) from \(range.lowerBound) to \(range.upperBound)")
        }
        return value
    }

    /// The file's version, which must be one that is read here.
    func formatVersion() throws(SettingsError) {
        guard case .scalar(let scalar) = node, scalar.string == "1" else {
            throw error(expected: FormatVersion.expected)
        }
    }

    /// A time such as `30s`, `500ms` or `2m`.
    func duration(_ what: String) throws(SettingsError) -> Duration {
        guard case .scalar(let scalar) = node, let value = Duration(written: scalar.string) else {
            throw error(expected: "\(what) such as 30s, 500ms or 2m")
        }
        return value
    }

    /// One or several of `choices`; `all` means every one.
    func choices(_ what: String, of choices: [String]) throws(SettingsError) -> [String] {
        let texts = try texts(what)
        if texts.count == 1, texts[0].text == "all" { return choices }
        for (text, place) in texts where !choices.contains(text) {
            throw place.error(expected: "\(what): one of " + (choices + ["all"]).joined(separator: ", "))
        }
        return texts.map(\.text)
    }
}

extension Duration {
    /// The time that `30s`, `500ms`, `2m` or a plain number of seconds says; nil for anything else.
    public init?(written text: String) {
        let units: [(String, Double)] = [("ms", 0.001), ("s", 1), ("m", 60), ("h", 3600), ("", 1)]
        for (unit, factor) in units where text.hasSuffix(unit) {
            let digits = text.dropLast(unit.count)
            guard let first = digits.utf8.first, (0x30...0x39).contains(first) else { continue }
            guard digits.utf8.allSatisfy({ (0x30...0x39).contains($0) || $0 == 0x2E }) else { continue }
            guard let value = Double(digits), value * factor < 1e9 else { return nil }
            self = .seconds(value * factor)
            return
        }
        return nil
    }
}
