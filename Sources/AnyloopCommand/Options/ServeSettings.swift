import AnyloopHarness
import Logging

/// Everything `anyloop serve` can be told.
struct ServeSettings: Hashable, Sendable {
    var host = "127.0.0.1"
    var port: UInt16 = 8080
    var unixPath = ""
    var backlog = 1024
    var workers = 1
    var poller = "epoll"
    var level = "info"
    var keepAliveTimeout = Duration.seconds(75)
    var headerTimeout = Duration.seconds(30)
    var bodyTimeout = Duration.seconds(30)
    var writeTimeout = Duration.seconds(60)
    var graceTime = Duration.seconds(10)
    var bodyLimit: Int?
    var connectionLimit: Int?
    var requestLimit: Int?
    var tls = TLSServeSettings()

    /// The most workers: a thread each.
    static let workerLimit = 256
    /// The pollers of the native loop.
    static let pollers = ["epoll", "poll", "select"]

    /// The one table of the server's settings.
    static let table = SettingsTable<ServeSettings>(
        settings: [
            .text("host", "HOST", "a host name or address", \.host),
            .number("port", "PORT", "a port", 0...65535, \.port),
            .text("unix-path", "UNIX_PATH", "a path for the Unix socket", \.unixPath),
            .number("backlog", "BACKLOG", "a backlog", 1...65535, \.backlog),
            .number("workers", "WORKERS", "a number of workers", 1...workerLimit, \.workers),
            .choice("poller", "POLL", pollers, \.poller),
            .choice("level", "LEVEL", Logger.Level.allCases.map(\.rawValue), \.level),
            .time("keepalive-timeout", "KEEPALIVE_TIMEOUT", "a time for idle connections", \.keepAliveTimeout),
            .time("header-timeout", "HEADER_TIMEOUT", "a time for a request's head", \.headerTimeout),
            .time("body-timeout", "BODY_TIMEOUT", "a time between pieces of a body", \.bodyTimeout),
            .time("write-timeout", "WRITE_TIMEOUT", "a time for a peer that takes nothing", \.writeTimeout),
            .time("grace-time", "GRACE_TIME", "a time for what is in flight at the end", \.graceTime),
            .limit("body-limit", "BODY_LIMIT", "a number of bytes", \.bodyLimit),
            .limit("connection-limit", "CONNECTION_LIMIT", "a number of connections", \.connectionLimit),
            .limit("request-limit", "REQUEST_LIMIT", "a number of requests", \.requestLimit),
        ] + TLSServeSettings.table)

    /// What `logger`s are told to let through.
    var logLevel: Logger.Level { Logger.Level(rawValue: level) ?? .info }
}
