import Foundation

/// A value of JSON, as scenarios are written in it.
enum AsyncioValue: Sendable, Hashable, Decodable {
    case null
    case flag(Bool)
    case number(Double)
    case text(String)
    case list([AsyncioValue])
    case table([String: AsyncioValue])

    init(from decoder: any Decoder) throws {
        let value = try decoder.singleValueContainer()
        if value.decodeNil() {
            self = .null
        } else if let flag = try? value.decode(Bool.self) {
            self = .flag(flag)
        } else if let number = try? value.decode(Double.self) {
            self = .number(number)
        } else if let text = try? value.decode(String.self) {
            self = .text(text)
        } else if let list = try? value.decode([AsyncioValue].self) {
            self = .list(list)
        } else {
            self = .table(try value.decode([String: AsyncioValue].self))
        }
    }

    /// What it is, for a message about something else being expected.
    var kind: String {
        switch self {
        case .null: "null"
        case .flag(let flag): "\(flag)"
        case .number(let number): "the number \(number)"
        case .text(let text): "the text '\(text)'"
        case .list: "a list"
        case .table: "an object"
        }
    }

    /// The value of the JSON text in `file`.
    ///
    /// - Throws: `AsyncioFormatError` with the place that JSON's reader complains of.
    static func parse(_ bytes: [UInt8], file: String) throws(AsyncioFormatError) -> AsyncioValue {
        do {
            return try JSONDecoder().decode(AsyncioValue.self, from: Data(bytes))
        } catch {
            var why = "\(error)"
            if case DecodingError.dataCorrupted(let context)? = error as? DecodingError,
                let under = context.underlyingError as NSError?
            {
                why = (under.userInfo["NSDebugDescription"] as? String) ?? under.localizedDescription
            }
            throw AsyncioFormatError(file: file, place: "the file", expected: "JSON", found: why)
        }
    }
}

/// What is wrong in a scenario, a recording or the list of rules, and where.
public struct AsyncioFormatError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The file, as it was named.
    public var file: String
    /// Where in it: `step 3 (write)`, `react S data_received`, a key.
    public var place: String
    /// What would have been right there.
    public var expected: String
    /// What is there.
    public var found: String

    /// One sentence: `Fixtures/asyncio/a/b.json: step 3 (write): expected the key 'on', found none`.
    public var description: String { "\(file): \(place): expected \(expected), found \(found)" }
}

/// A table of JSON with where it stands, so that a missing or odd value can be told of.
struct AsyncioTable: Sendable, Hashable {
    let file: String
    let place: String
    var values: [String: AsyncioValue]

    init(file: String, place: String, _ value: AsyncioValue) throws(AsyncioFormatError) {
        guard case .table(let values) = value else {
            throw AsyncioFormatError(file: file, place: place, expected: "an object", found: value.kind)
        }
        self.file = file
        self.place = place
        self.values = values
    }

    func error(_ key: String, expected: String) -> AsyncioFormatError {
        AsyncioFormatError(
            file: file, place: place, expected: "\(expected) under the key '\(key)'",
            found: values[key]?.kind ?? "nothing")
    }

    /// Refuses keys that are not among `known`.
    func check(keys known: Set<String>) throws(AsyncioFormatError) {
        for key in values.keys.sorted() where !known.contains(key) {
            let names = known.sorted().joined(separator: ", ")
            throw AsyncioFormatError(file: file, place: place, expected: "keys among \(names)", found: "'\(key)'")
        }
    }

    func has(_ key: String) -> Bool { values[key] != nil }

    func text(_ key: String) throws(AsyncioFormatError) -> String {
        guard case .text(let text)? = values[key] else { throw error(key, expected: "a text") }
        return text
    }

    func text(_ key: String, or standard: String) throws(AsyncioFormatError) -> String {
        has(key) ? try text(key) : standard
    }

    func optionalText(_ key: String) throws(AsyncioFormatError) -> String? { has(key) ? try text(key) : nil }

    func seconds(_ key: String) throws(AsyncioFormatError) -> Double {
        guard case .number(let number)? = values[key] else { throw error(key, expected: "a number") }
        return number
    }

    func number(_ key: String) throws(AsyncioFormatError) -> Int {
        guard case .number(let number)? = values[key], let whole = Int(exactly: number) else {
            throw error(key, expected: "a whole number")
        }
        return whole
    }

    func number(_ key: String, or standard: Int) throws(AsyncioFormatError) -> Int {
        has(key) ? try number(key) : standard
    }

    func optionalNumber(_ key: String) throws(AsyncioFormatError) -> Int? { has(key) ? try number(key) : nil }

    func flag(_ key: String, or standard: Bool) throws(AsyncioFormatError) -> Bool {
        guard has(key) else { return standard }
        guard case .flag(let flag)? = values[key] else { throw error(key, expected: "true or false") }
        return flag
    }

    func list(_ key: String) throws(AsyncioFormatError) -> [AsyncioValue] {
        guard case .list(let list)? = values[key] else { throw error(key, expected: "a list") }
        return list
    }

    /// A list of texts; one text stands for a list of it alone.
    func texts(_ key: String) throws(AsyncioFormatError) -> [String] {
        if case .text(let text)? = values[key] { return [text] }
        var texts: [String] = []
        for value in try list(key) {
            guard case .text(let text) = value else { throw error(key, expected: "a list of texts") }
            texts.append(text)
        }
        return texts
    }

    func numbers(_ key: String) throws(AsyncioFormatError) -> [Int] {
        var numbers: [Int] = []
        for value in try list(key) {
            guard case .number(let number) = value, let whole = Int(exactly: number) else {
                throw error(key, expected: "a list of whole numbers")
            }
            numbers.append(whole)
        }
        return numbers
    }
}
