import AnyloopCore
import AnyloopHarness

/// A value that is wrong: which setting, where it came from, what would have been right.
struct SettingError: Error, Hashable, CustomStringConvertible {
    var description: String

    init(_ description: String) {
        self.description = description
    }
}

/// One setting: its option, its variable, its help, and how its text becomes a value.
struct Setting<Values: Sendable>: Sendable {
    /// The option's name without dashes; nil for one that only the environment has.
    var option: String?
    /// The environment's variable.
    var variable: String
    /// What it takes, for messages: `a port from 0 to 65535`.
    var expected: String
    /// Reads the text; false refuses it.
    var apply: @Sendable (inout Values, String) -> Bool

    /// Sets the value from `text`; `source` names where it came from.
    func set(_ values: inout Values, _ text: String, source: String) throws(SettingError) {
        guard apply(&values, text) else { throw SettingError("\(source): expected \(expected), found '\(text)'") }
    }
}

/// A table of settings: defaults, overridden by the environment, overridden by the command line.
struct SettingsTable<Values: Sendable>: Sendable {
    var settings: [Setting<Values>]

    /// `defaults` with what `environment` and then `commandLine` (by option name) say.
    ///
    /// - Throws: `SettingError` for a bad value. An empty variable counts as unset.
    func resolve(
        _ defaults: Values, commandLine: [String: String], environment: [String: String]
    ) throws(SettingError) -> Values {
        var values = defaults
        for setting in settings {
            if let option = setting.option, let text = commandLine[option] {
                try setting.set(&values, text, source: "--\(option)")
            } else if let text = environment[setting.variable], !text.isEmpty {
                try setting.set(&values, text, source: setting.variable)
            }
        }
        return values
    }
}

extension Setting {
    /// The way to a value of a setting.
    typealias Path<Value> = any WritableKeyPath<Values, Value> & Sendable

    /// A text.
    static func text(
        _ option: String?, _ variable: String, _ expected: String, _ path: Path<String>
    ) -> Setting {
        Setting(option: option, variable: variable, expected: expected) { values, text in
            guard !text.isEmpty, !text.utf8.contains(0) else { return false }
            values[keyPath: path] = text
            return true
        }
    }

    /// A whole number in `range`.
    static func number<Number: FixedWidthInteger & Sendable>(
        _ option: String, _ variable: String, _ what: String, _ range: ClosedRange<Number>,
        _ path: Path<Number>
    ) -> Setting {
        let expected = "\(what) from \(range.lowerBound) to \(range.upperBound)"
        return Setting(option: option, variable: variable, expected: expected) { values, text in
            guard let number = Number(text), range.contains(number), !text.hasPrefix("+") else { return false }
            values[keyPath: path] = number
            return true
        }
    }

    /// A whole number in `range`, where `none` means no limit.
    static func limit(
        _ option: String, _ variable: String, _ what: String, _ path: Path<Int?>
    ) -> Setting {
        let expected = "\(what) from 1, or 'none'"
        return Setting(option: option, variable: variable, expected: expected) { values, text in
            guard text == "none" || (Int(text) ?? 0) > 0 else { return false }
            values[keyPath: path] = Int(text)
            return true
        }
    }

    /// A time: `30s`, `500ms`, `2m`, or seconds without a unit.
    static func time(
        _ option: String, _ variable: String, _ what: String, _ path: Path<Duration>
    ) -> Setting {
        Setting(option: option, variable: variable, expected: "\(what) such as 30s, 500ms or 2m") { values, text in
            guard let time = Duration(written: text), time > .zero else { return false }
            values[keyPath: path] = time
            return true
        }
    }

    /// One of `choices`.
    static func choice(
        _ option: String, _ variable: String, _ choices: [String], _ path: Path<String>
    ) -> Setting {
        let expected = "one of " + choices.joined(separator: ", ")
        return Setting(option: option, variable: variable, expected: expected) { values, text in
            guard choices.contains(text) else { return false }
            values[keyPath: path] = text
            return true
        }
    }
}
