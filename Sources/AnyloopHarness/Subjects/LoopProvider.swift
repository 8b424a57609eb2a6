public import AnyloopCore

/// How a protocol is being run; `native`, `compat`, `nio` or `asyncio`.
public enum Mode: String, Sendable, Hashable, CaseIterable, Codable {
    /// Our loop, callbacks straight from the poller.
    case native
    /// Our loop with asyncio's contract to the letter.
    case compat
    /// SwiftNIO's loop.
    case nio
    /// CPython's asyncio loop.
    case asyncio
}

/// A way to make loops for the real-socket executors.
public struct LoopProvider: Sendable {
    /// The mode it stands for.
    public let mode: Mode
    /// How the loop waits: `epoll`, `poll`, `select`.
    public let poller: String
    /// In which points it may differ from native mode.
    public let liberties: Set<Liberty>
    /// In which points it may differ from asyncio's recordings.
    public let asyncioLiberties: [AsyncioLiberty]
    /// What its loops do with the application's own sockets; nil: nothing.
    public let sockets: (@Sendable (any TaskLoop) -> (any AsyncioSockets)?)?
    /// Makes a loop that belongs to the calling thread; throws if this machine lacks what it needs.
    public let makeLoop: @Sendable () throws -> any Loop

    /// A provider; by default it has the liberties of `mode`, and none with regard to asyncio.
    public init(
        mode: Mode, poller: String, liberties: Set<Liberty>? = nil, asyncioLiberties: [AsyncioLiberty] = [],
        sockets: (@Sendable (any TaskLoop) -> (any AsyncioSockets)?)? = nil,
        makeLoop: @escaping @Sendable () throws -> any Loop
    ) {
        self.mode = mode
        self.poller = poller
        self.liberties = liberties ?? Liberty.granted(to: mode)
        self.asyncioLiberties = asyncioLiberties
        self.sockets = sockets
        self.makeLoop = makeLoop
    }

    /// Its name in reports and on the command line: `native/epoll`.
    public var name: String { "\(mode.rawValue)/\(poller)" }
}
