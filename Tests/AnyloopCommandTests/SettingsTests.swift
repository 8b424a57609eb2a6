import AnyloopHarness
import ArgumentParser
import Logging
import Testing

@testable import AnyloopCommand

/// Every setting of the server: its default, what overrides it from both sides, and what it refuses.
struct SettingsTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var option: String
        var variable: String
        var standard: String
        var first: (text: String, value: String)
        var second: (text: String, value: String)
        var bad: [String]
        var read: @Sendable (ServeSettings) -> String

        var testDescription: String { option }
    }

    private func resolve(_ commandLine: [String: String], _ environment: [String: String]) throws -> ServeSettings {
        try ServeSettings.table.resolve(ServeSettings(), commandLine: commandLine, environment: environment)
    }

    private static func time(
        _ option: String, _ variable: String, _ standard: Int, _ read: @escaping @Sendable (ServeSettings) -> Duration
    ) -> Case {
        Case(
            option: option, variable: variable, standard: "\(Duration.seconds(standard))",
            first: ("5s", "\(Duration.seconds(5))"), second: ("250ms", "\(Duration.milliseconds(250))"),
            bad: ["0", "-1s", "soon", "5 s"]
        ) { "\(read($0))" }
    }

    private static func limit(
        _ option: String, _ variable: String, _ read: @escaping @Sendable (ServeSettings) -> Int?
    ) -> Case {
        Case(
            option: option, variable: variable, standard: "none", first: ("1", "1"), second: ("none", "none"),
            bad: ["0", "-1", "many"]
        ) { read($0).map(String.init) ?? "none" }
    }

    private static func file(
        _ option: String, _ variable: String, _ read: @escaping @Sendable (ServeSettings) -> String
    ) -> Case {
        Case(
            option: option, variable: variable, standard: "", first: ("/tmp/a.pem", "/tmp/a.pem"),
            second: ("b.pem", "b.pem"), bad: ["a\0b"], read: read)
    }

    static let cases: [Case] = [
        Case(
            option: "host", variable: "HOST", standard: "127.0.0.1", first: ("::1", "::1"),
            second: ("0.0.0.0", "0.0.0.0"), bad: ["a\0b"]
        ) { $0.host },
        Case(
            option: "port", variable: "PORT", standard: "8080", first: ("0", "0"), second: ("65535", "65535"),
            bad: ["65536", "-1", "http", "+80", "8 0"]
        ) { "\($0.port)" },
        Case(
            option: "unix-path", variable: "UNIX_PATH", standard: "", first: ("/tmp/a", "/tmp/a"),
            second: ("b", "b"), bad: ["a\0b"]
        ) { $0.unixPath },
        Case(
            option: "backlog", variable: "BACKLOG", standard: "1024", first: ("1", "1"), second: ("65535", "65535"),
            bad: ["0", "65536", "x"]
        ) { "\($0.backlog)" },
        Case(
            option: "workers", variable: "WORKERS", standard: "1", first: ("2", "2"),
            second: ("\(ServeSettings.workerLimit)", "\(ServeSettings.workerLimit)"),
            bad: ["0", "\(ServeSettings.workerLimit + 1)", "all"]
        ) { "\($0.workers)" },
        Case(
            option: "poller", variable: "POLL", standard: "epoll", first: ("poll", "poll"),
            second: ("select", "select"),
            bad: ["kqueue", "EPOLL"]
        ) { $0.poller },
        Case(
            option: "level", variable: "LEVEL", standard: "info", first: ("debug", "debug"),
            second: ("critical", "critical"), bad: ["loud"]
        ) { $0.logLevel.rawValue },
        time("keepalive-timeout", "KEEPALIVE_TIMEOUT", 75) { $0.keepAliveTimeout },
        time("header-timeout", "HEADER_TIMEOUT", 30) { $0.headerTimeout },
        time("body-timeout", "BODY_TIMEOUT", 30) { $0.bodyTimeout },
        time("write-timeout", "WRITE_TIMEOUT", 60) { $0.writeTimeout },
        time("grace-time", "GRACE_TIME", 10) { $0.graceTime },
        limit("body-limit", "BODY_LIMIT") { $0.bodyLimit },
        limit("connection-limit", "CONNECTION_LIMIT") { $0.connectionLimit },
        limit("request-limit", "REQUEST_LIMIT") { $0.requestLimit },
        file("tls-certificate", "TLS_CERTIFICATE") { $0.tls.certificate },
        file("tls-key", "TLS_KEY") { $0.tls.key },
        Case(
            option: "tls-self-signed", variable: "TLS_SELF_SIGNED", standard: "", first: ("a", "a"),
            second: ("a,b", "a,b"), bad: ["a\0b"]
        ) { $0.tls.selfSigned },
        file("tls-client-ca", "TLS_CLIENT_CA") { $0.tls.clientCA },
        Case(
            option: "tls-client", variable: "TLS_CLIENT", standard: "", first: ("requested", "requested"),
            second: ("required", "required"), bad: ["yes", "none"]
        ) { $0.tls.client },
        Case(
            option: "tls-minimum", variable: "TLS_MINIMUM", standard: "1.2", first: ("1.3", "1.3"),
            second: ("1.2", "1.2"), bad: ["1.1", "1.4", "TLSv1.3"]
        ) { $0.tls.minimum },
        Case(
            option: "tls-maximum", variable: "TLS_MAXIMUM", standard: "1.3", first: ("1.2", "1.2"),
            second: ("1.3", "1.3"), bad: ["1.1", "1.4"]
        ) { $0.tls.maximum },
        Case(
            option: "tls-ciphers", variable: "TLS_CIPHERS", standard: "", first: ("A", "A"), second: ("A:B", "A:B"),
            bad: ["a\0b"]
        ) { $0.tls.ciphers },
    ]

    @Test func everySettingIsTested() {
        #expect(ServeSettings.table.settings.compactMap(\.option) == Self.cases.map(\.option))
        // A password is for the environment alone: command lines can be read by every user.
        let variables = ServeSettings.table.settings.map(\.variable).filter { $0 != "TLS_KEY_PASSWORD" }
        #expect(variables == Self.cases.map(\.variable))
    }

    @Test(arguments: cases)
    func hasADefault(setting: Case) throws {
        #expect(setting.read(try resolve([:], [:])) == setting.standard)
        #expect(setting.read(try resolve([:], [setting.variable: ""])) == setting.standard)
    }

    @Test(arguments: cases)
    func environmentOverridesAndCommandLineWins(setting: Case) throws {
        let environment = [setting.variable: setting.first.text]
        #expect(setting.read(try resolve([:], environment)) == setting.first.value)
        #expect(setting.read(try resolve([setting.option: setting.second.text], environment)) == setting.second.value)
        // What the command line overrides is not even read.
        let broken = [setting.variable: setting.bad[0]]
        #expect(setting.read(try resolve([setting.option: setting.second.text], broken)) == setting.second.value)
    }

    @Test(arguments: cases)
    func badValuesAreRefusedWithTheirSource(setting: Case) {
        for text in setting.bad {
            let option = #expect(throws: SettingError.self) { try resolve([setting.option: text], [:]) }
            #expect(option?.description.hasPrefix("--\(setting.option): expected ") == true)
            #expect(option?.description.hasSuffix(", found '\(text)'") == true)
            let variable = #expect(throws: SettingError.self) { try resolve([:], [setting.variable: text]) }
            #expect(variable?.description.hasPrefix("\(setting.variable): expected ") == true)
        }
    }

    /// The options' declarations and the table name the same things.
    @Test(arguments: cases)
    func everySettingHasAnOption(setting: Case) throws {
        let command = try ServeCommand.parse(["hello", "--\(setting.option)", setting.first.text])
        #expect(command.options.texts == [setting.option: setting.first.text])
    }
}

struct ModeSettingTests {
    @Test(
        arguments: [
            (nil, [:], nil), ("native", [:], Mode.native), ("compat", [:], .compat), (nil, ["COMPAT": "1"], .compat),
            (nil, ["COMPAT": "yes"], .compat), (nil, ["COMPAT": "0"], nil), (nil, ["COMPAT": ""], nil),
            ("native", ["COMPAT": "1"], .native), ("native", ["NIO": "1"], .native), ("nio", [:], .nio),
            (nil, ["NIO": "1"], .nio),
            ("compat", ["COMPAT": "nonsense"], .compat),
        ] as [(String?, [String: String], Mode?)])
    func resolves(option: String?, environment: [String: String], mode: Mode?) throws {
        #expect(try ModeSetting.resolve(option: option, environment: environment) == mode)
    }

    @Test(
        arguments: [
            ("quick", [:], "--mode: expected one of native, compat, nio, asyncio, found 'quick'"),
            ("asyncio", [:], "--mode asyncio: this build lacks the asyncio loop; use the modes native, compat or nio"),
            (
                nil, ["ASYNCIO": "1"],
                "ASYNCIO=1: this build lacks the asyncio loop; use the modes native, compat or nio"
            ),
            (
                nil, ["ASYNCIO": "1", "COMPAT": "1"],
                "ASYNCIO=1: this build lacks the asyncio loop; use the modes native, compat or nio"
            ),
            (nil, ["NIO": "1", "ASYNCIO": "1"], "NIO and ASYNCIO: expected at most one of them to be on, found both"),
            (nil, ["COMPAT": "maybe"], "COMPAT: expected 1 or 0, found 'maybe'"),
        ] as [(String?, [String: String], String)])
    func refuses(option: String?, environment: [String: String], text: String) {
        let error = #expect(throws: SettingError.self) {
            try ModeSetting.resolve(option: option, environment: environment)
        }
        #expect(error?.description == text)
    }
}
