import AnyloopHarness

/// The mode by `--mode`, or by the variables `COMPAT`, `NIO` and `ASYNCIO`.
enum ModeSetting {
    /// The mode that is asked for; nil if neither the command line nor the environment speaks of one.
    ///
    /// The command line wins. `ASYNCIO=1` implies compat, so the two do not contradict each other.
    /// - Throws: `SettingError` for an unknown mode, a variable that is no switch, two modes at once, or a mode that
    ///   this build does not have.
    static func resolve(option: String?, environment: [String: String]) throws(SettingError) -> Mode? {
        if let option {
            guard let mode = Mode(rawValue: option) else {
                let names = Mode.allCases.map(\.rawValue).joined(separator: ", ")
                throw SettingError("--mode: expected one of \(names), found '\(option)'")
            }
            return try available(mode, source: "--mode \(option)")
        }
        let isCompat = try isOn("COMPAT", environment)
        let isNIO = try isOn("NIO", environment)
        let isAsyncio = try isOn("ASYNCIO", environment)
        if isNIO, isAsyncio { throw SettingError("NIO and ASYNCIO: expected at most one of them to be on, found both") }
        if isNIO { return try available(.nio, source: "NIO=1") }
        if isAsyncio { return try available(.asyncio, source: "ASYNCIO=1") }
        return isCompat ? .compat : nil
    }

    private static func available(_ mode: Mode, source: String) throws(SettingError) -> Mode {
        switch mode {
        case .native, .compat, .nio: return mode
        case .asyncio:
            throw SettingError("\(source): this build lacks the asyncio loop; use the modes native, compat or nio")
        }
    }

    private static func isOn(_ variable: String, _ environment: [String: String]) throws(SettingError) -> Bool {
        switch environment[variable]?.lowercased() ?? "" {
        case "1", "true", "yes", "on": return true
        case "", "0", "false", "no", "off": return false
        default: throw SettingError("\(variable): expected 1 or 0, found '\(environment[variable] ?? "")'")
        }
    }
}
