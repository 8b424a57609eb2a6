import CAnyloopFiles

/// The system's clock of the day, which `HTTPServerOptions.wallClock` reads by default.
enum WallClock {
    /// Nanoseconds since 1970-01-01 00:00 UTC.
    static func nanoseconds() -> Int64 { anyloop_wall_nanoseconds() }
}
