import AnyloopAsync
import AnyloopCore

/// Plays one scenario on one loop and writes the trace that the recorder would have written of asyncio's.
///
/// What each step does is a function in a table (`AsyncioOperation.all`), grouped as the recorder's modules are. A
/// mistake in a scenario, or an operation that is not in the table, ends the play with an error instead of a line.
final class AsyncioPlayer {
    let scenario: AsyncioScenario
    let loop: any TaskLoop
    /// Where the loop is from.
    let provider: LoopProvider
    var trace = AsyncioTrace()

    /// Actors' protocols and transports, by name.
    var protocols: [String: AnyObject] = [:]
    var transports: [String: any StreamTransport] = [:]
    /// Transports of other kinds: datagrams, pipes, processes.
    var otherTransports: [String: any Transport] = [:]
    var servers: [String: AsyncServer] = [:]
    /// The sizes of buffered protocols' buffers, where a step changed them.
    var bufferSizes: [String: Int] = [:]
    /// The descriptors of transports over socketpairs, which no address tells apart.
    var socketpairs: [ObjectIdentifier: Int32] = [:]
    /// The addresses of servers and listening peers, by name.
    var addresses: [String: [SocketAddress]] = [:]
    var peers: [String: AsyncioPeer] = [:]
    var handles: [String: Handle] = [:]
    /// Futures and tasks, by name.
    var tasks: [String: AsyncioFuture] = [:]
    /// What other groups of operations keep, by type.
    var stores: [ObjectIdentifier: AnyObject] = [:]
    /// What is to be undone at the end, the last first.
    var cleanups: [() -> Void] = []

    /// The first thing that kept the scenario from being played.
    private(set) var failure: (any Error)?
    private(set) var isEnded = false
    private var calls: [String: Int] = [:]
    private var actorCounts: [String: Int] = [:]
    private var isTicking = false
    private var scratch: String?

    /// A misuse that the call under way reported to the exception handler instead of throwing it.
    private var misuse: (any Error)?
    private var takesMisuse = false
    /// Lines of refused calls whose reason is still to come.
    private var refusals: [(place: Int, label: String)] = []

    init(_ scenario: AsyncioScenario, on loop: any TaskLoop, from provider: LoopProvider) {
        self.scenario = scenario
        self.loop = loop
        self.provider = provider
    }

    // MARK: Lines

    func line(_ text: String) {
        if !isEnded { trace.append(text) }
    }

    func mark(_ name: String) { line("mark \(name)") }

    /// Ends the play with `error`, unless something ended it before.
    func fail(_ error: any Error) {
        if failure == nil { failure = error }
    }

    /// Runs a plain call and writes its line: what it returned or threw, and how much was written meanwhile.
    func call(_ label: String, getter: Bool = false, _ body: () throws -> AsyncioResult) {
        let before = trace.count
        let outer = (misuse, takesMisuse)
        (misuse, takesMisuse) = (nil, true)
        var text = label
        do {
            let value = try body()
            if let misuse {
                text += " !\(AsyncioText.error(misuse))"
            } else if getter || !value.isNone {
                text += " = \(value.text)"
            }
        } catch let error where Self.isMistake(error) {
            fail(error)
        } catch {
            text += " !\(AsyncioText.error(error))"
        }
        (misuse, takesMisuse) = outer
        let inside = trace.count - before
        line(text + (inside > 0 ? " (inside: \(inside))" : ""))
    }

    /// Whether `error` is the scenario's or the player's own, and no answer of the loop.
    static func isMistake(_ error: any Error) -> Bool {
        error is AsyncioFormatError || error is AsyncioPlayerError || error is LiveScenario.Unsupported
    }

    /// Takes what the exception handler was told as the error of the call under way, if it is nothing but that.
    private func takeMisuse(_ exception: LoopException) -> Bool {
        guard case .usage(let error)? = exception.error as? TransportError, exception.message == error.text else {
            return false
        }
        return takeMisuse(exception.error)
    }

    /// Takes `error` as that of the call under way, if it is the misuse of the caller; false if it is not.
    func takeMisuse(_ error: (any Error)?) -> Bool {
        guard takesMisuse, misuse == nil, case .usage? = error as? TransportError else { return false }
        misuse = error
        return true
    }

    // MARK: Actors

    /// What `actor` does in `callback`, after its line was written; the value that the scenario gives the callback.
    ///
    /// - Throws: `Boom` where the scenario says so.
    @discardableResult
    func react(_ actor: String, _ callback: String) throws -> AsyncioValue? {
        let key = "\(actor) \(callback)"
        let count = calls[key, default: 0] + 1
        calls[key] = count
        guard let reactions = reactions(actor, callback) else { return nil }
        let outer = takesMisuse
        takesMisuse = false
        defer { takesMisuse = outer }
        var value: AsyncioValue?
        for action in reactions {
            do {
                guard try action.table.number("call", or: count) == count else { continue }
                if let returned = action.table.values["return"] { value = returned }
                if !action.op.isEmpty { try act(action.on(actor)) }
            } catch { fail(error) }
            if action.op.isEmpty, action.table.has("raise") { throw Boom() }
        }
        return value
    }

    private func reactions(_ actor: String, _ callback: String) -> [AsyncioStep]? {
        var family = actor
        while let last = family.last, last.isASCII, last.isNumber { family.removeLast() }
        return scenario.react[actor]?[callback] ?? scenario.react[family]?[callback]
    }

    /// Writes a callback's line and reacts to it.
    @discardableResult
    func callback(_ actor: String, _ name: String, _ text: String? = nil) throws -> AsyncioValue? {
        line("\(actor) \(name)" + (text.map { " \($0)" } ?? ""))
        return try react(actor, name)
    }

    /// Writes bytes that came to an actor.
    func append(_ actor: String, _ name: String, _ bytes: [UInt8]) {
        if !isEnded { trace.append(actor, name, bytes) }
    }

    /// Writes the bytes that a callback got, and reacts to it.
    func callback(_ actor: String, _ name: String, bytes: [UInt8]) throws {
        append(actor, name, bytes)
        try react(actor, name)
    }

    /// The actor that a factory makes next: `name` itself, or with a number.
    func nextActor(_ name: String, numbered: Bool) -> String {
        guard numbered else { return name }
        let number = actorCounts[name, default: 0]
        actorCounts[name] = number + 1
        return "\(name)\(number)"
    }

    /// The name of the actor whose protocol this is.
    func actor(of protocolObject: AnyObject?) -> AsyncioResult {
        guard let protocolObject else { return .none }
        let found = protocols.filter { $0.value === protocolObject }.map(\.key).min()
        return found.map { .name($0) } ?? .none
    }

    func transport(_ step: AsyncioStep) throws -> any StreamTransport {
        let name = try step.on()
        guard let transport = transports[name] else {
            throw AsyncioPlayerError("\(step.table.place): '\(name)' has no stream transport (yet)")
        }
        return transport
    }

    /// A folder of this scenario, for what needs a path.
    func folder() throws -> String {
        if let scratch { return scratch }
        let path = try AsyncioFiles.makeScratchFolder()
        scratch = path
        cleanups.append { AsyncioFiles.remove(path) }
        return path
    }

    /// What an object keeps for this play.
    func store<Store: AnyObject>(_ make: () -> Store) -> Store {
        let key = ObjectIdentifier(Store.self)
        if let store = stores[key] as? Store { return store }
        let store = make()
        stores[key] = store
        return store
    }

    // MARK: Turns

    func setTicking(_ on: Bool) {
        isTicking = on
        if on { loop.callSoon { [weak self] in self?.tick() } }
    }

    private func tick() {
        guard isTicking, !isEnded else { return }
        if !trace.endsTurn { line("|") }
        loop.callSoon { [weak self] in self?.tick() }
    }

    // MARK: Start and end

    /// Has what the loop reports written down.
    func watchLoop() throws {
        watchExceptions()
        try answerNames()
        if let loop = loop as? any DebugLoop {
            loop.isDebug = scenario.isDebug
            // A busy machine must not make callbacks slow; those that are to be say so.
            if scenario.isDebug { loop.slowCallbackDuration = .seconds(60) }
            loop.logHandler = { [weak self] record in
                guard record.level >= .warning else { return }
                self?.line("log \(record.level.rawValue) \(AsyncioText.quoted(AsyncioText.message(record.message)))")
            }
        } else if scenario.isDebug {
            throw LiveScenario.Unsupported("this loop has no debug mode (protocol DebugLoop)")
        }
    }

    /// The names of the scenario's `names` have the addresses given there, in that order.
    private func answerNames() throws {
        let names = scenario.names
        guard !names.isEmpty else { return }
        guard let loop = loop as? any ResolvingLoop else {
            throw LiveScenario.Unsupported("this loop asks nobody but the system for names (protocol ResolvingLoop)")
        }
        loop.resolver = { host, port in
            guard let answer = names[host] else { return nil }
            guard let answer else { return .failure(.resolution(host: host, code: -2, text: "no such name")) }
            return .success(answer.map { SocketAddress(literal: $0.host, port: port) ?? $0 })
        }
    }

    /// Has what goes to the exception handler written down.
    func watchExceptions(thenThrow failure: (any Error)? = nil) {
        loop.exceptionHandler = { [weak self] exception in
            guard let self, !takeMisuse(exception), !completeRefusal(exception.error) else { return }
            line(AsyncioText.exception(exception))
            if let failure { throw failure }
        }
    }

    /// Runs `schedule`, whose refusal is a handle that is cancelled already and a report to the exception handler:
    /// at once, or on the loop's thread later. Asyncio raises in that case, which is the line that is written.
    func scheduling(_ label: String, _ schedule: () -> Handle?) {
        let outer = (misuse, takesMisuse)
        (misuse, takesMisuse) = (nil, true)
        let handle = schedule()
        let refusal = misuse
        (misuse, takesMisuse) = outer
        if let refusal {
            line("\(label) !\(AsyncioText.error(refusal))")
        } else if handle?.isCancelled ?? false {
            if loop.isClosed {
                line("\(label) !\(AsyncioText.error(TransportError.loopClosed))")
            } else {
                refusals.append((trace.count, label))
                line(label)
            }
        }
    }

    /// Whether `error` is what a call from another thread was refused for; completes that call's line.
    private func completeRefusal(_ error: (any Error)?) -> Bool {
        guard case .usage? = error as? TransportError, let error, let (place, label) = refusals.first else {
            return false
        }
        refusals.removeFirst()
        trace.replace(place, "\(label) !\(AsyncioText.error(error))")
        return true
    }

    /// Ends the writing and gives everything back.
    func end() {
        isEnded = true
        isTicking = false
        for cleanup in cleanups.reversed() { cleanup() }
        cleanups = []
        for peer in peers.values { peer.close() }
        loop.exceptionHandler = { _ in }
        loop.closeLoop()
        handles = [:]
        stores = [:]
        transports = [:]
        protocols = [:]
        servers = [:]
    }
}
