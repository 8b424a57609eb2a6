import AnyloopAgents
import AnyloopCore
import AnyloopWire
import HTTPTypes

/// Carries a scenario's steps out with our `HTTPClient`, and says what it saw in the same words as curl.
///
/// Confined to the loop's thread; turns the loop itself.
final class AnyloopClient {
    private let loop: any Loop
    private let target: ScenarioTarget
    private let following: HTTPClient
    private let plain: HTTPClient
    private var cookies: [String: String] = [:]

    /// A client on `loop` for `target`; `redirectLimit` as curl has it.
    init(loop: any Loop, target: ScenarioTarget, redirectLimit: Int, decodesContent: Bool) throws {
        self.loop = loop
        self.target = target
        var options = HTTPClientOptions()
        options.tls = try target.certificates?.clientContext()
        options.decodesContent = decodesContent
        options.redirectLimit = redirectLimit
        following = HTTPClient(loop: loop, options: options)
        options.redirectLimit = 0
        plain = HTTPClient(loop: loop, options: options)
    }

    /// What our client saw of the steps, one after the other.
    static func views(of steps: [ScenarioStep], target: ScenarioTarget, on loop: any Loop) throws -> [ScenarioView] {
        let client = try AnyloopClient(
            loop: loop, target: target, redirectLimit: steps.compactMap(\.redirectLimit).max() ?? 1,
            decodesContent: steps.contains { $0.compressed })
        defer {
            client.following.close()
            client.plain.close()
        }
        return try steps.map { try client.perform($0) }
    }

    private func perform(_ step: ScenarioStep) throws -> ScenarioView {
        let client = step.redirectLimit == nil ? plain : following
        let before = client.connectionsMade
        let run = StepRun(step)
        let task = HTTPClientTask(request(step), body: body(step))
        run.attach(to: task, loop: loop)
        client.start(task)
        let limit = loop.callLater(.milliseconds(step.timeLimit)) { [unowned run] in run.stop(.timedOut, task) }
        while !run.isOver { try loop.runOnce(timeout: nil) }
        limit.cancel()
        var view = run.view
        view.redirects = task.redirectCount
        view.connections = client.connectionsMade - before
        if step.cookies {
            for value in view.values("set-cookie") {
                let pair = value.prefix { $0 != ";" }.split(separator: "=", maxSplits: 1)
                if pair.count == 2 { cookies[String(pair[0])] = String(pair[1]) }
            }
        }
        return view
    }

    private func request(_ step: ScenarioStep) -> HTTPRequest {
        var request = HTTPRequest(
            method: HTTPRequest.Method(step.method) ?? .get, scheme: target.scheme,
            authority: "\(target.host):\(target.port)", path: step.path)
        request.headerFields[.accept] = "*/*"
        if let range = step.range { request.headerFields[.range] = "bytes=\(range)" }
        if case .basic(let user, let password) = step.credentials {
            request.headerFields[.authorization] = HTTPBasicLogin(user: user, password: password)?.fieldValue
        }
        if step.cookies, !cookies.isEmpty {
            request.headerFields[.cookie] = cookies.map { "\($0)=\($1)" }.sorted().joined(separator: "; ")
        }
        for (name, value) in step.fields {
            guard let name = HTTPField.Name(name) else { continue }
            request.headerFields.append(HTTPField(name: name, value: value))
        }
        return request
    }

    private func body(_ step: ScenarioStep) -> HTTPClientBody {
        switch step.body {
        case .none: .none
        case .text(let text): .bytes(Array(text.utf8))
        case .pattern(let count): .bytes(PatternBytes.bytes(count: count))
        case .chunkedPattern: .stream(length: nil)
        }
    }
}

/// One step under way: collects the view, and feeds a chunked body.
private final class StepRun {
    private let step: ScenarioStep
    private(set) var view = ScenarioView()
    private(set) var isOver = false
    private var sent = 0
    /// Why the step stopped of its own accord; the task's own error comes after it.
    private var reason: ScenarioOutcome?

    init(_ step: ScenarioStep) {
        self.step = step
    }

    /// Ends `task` early, for `reason`.
    func stop(_ reason: ScenarioOutcome, _ task: HTTPClientTask) {
        guard !isOver else { return }
        self.reason = self.reason ?? reason
        task.cancel()
    }

    func attach(to task: HTTPClientTask, loop: any Loop) {
        task.onInformational = { [self] in view.earlierStatuses.append($0.status.code) }
        task.onResponse = { [self] response in
            view.status = response.status.code
            view.fields = response.headerFields.map { (name: $0.name.canonicalName, value: $0.value) }
        }
        task.onBody = { [self, unowned task] piece in take(piece, task, loop) }
        task.onEnd = { [self] trailers in
            view.fields += (trailers ?? [:]).map { (name: $0.name.canonicalName, value: $0.value) }
            isOver = true
        }
        task.onError = { [self] error in
            view.outcome = reason ?? ScenarioOutcome(error, answered: view.status != 0)
            view.note = "\(error)"
            isOver = true
        }
        guard case .chunkedPattern(let count) = step.body else { return }
        task.onBodyWanted = { [self, unowned task] in try feed(task, count) }
        task.onWritable = { [self, unowned task] in try feed(task, count) }
    }

    private func feed(_ task: HTTPClientTask, _ count: Int) throws {
        guard sent <= count else { return }
        while sent < count, task.isWritable {
            let size = min(16384, count - sent)
            try task.write(PatternBytes.bytes(offset: sent, count: size))
            sent += size
        }
        guard sent == count else { return }
        sent += 1
        try task.finish()
    }

    private func take(_ piece: Span<UInt8>, _ task: HTTPClientTask, _ loop: any Loop) {
        guard reason == nil else { return }
        let room = step.abortAfter.map { $0 - view.body.count } ?? Int.max
        view.body += (0..<min(room, piece.count)).map { piece[$0] }
        if piece.count >= room { return stop(.clientAborted, task) }
        guard let pause = step.pausePerPart else { return }
        task.pauseBody()
        loop.callLater(.milliseconds(pause)) { task.resumeBody() }
    }
}

extension ScenarioOutcome {
    /// The outcome behind our client's error, in the sense that curl gives its codes.
    fileprivate init(_ error: HTTPClientError, answered: Bool) {
        switch error {
        case .connect: self = .refused
        case .connectionLost(nil): self = answered ? .partial : .emptyReply
        // TCP's end without close_notify: curl says the same as without TLS.
        case .connectionLost(.tls(let error)?) where error.kind == .truncated:
            self = answered ? .partial : .emptyReply
        case .connectionLost: self = .receiveFailed
        case .malformedResponse(let error) where error.code == .unexpectedEOF:
            self = answered ? .partial : .emptyReply
        case .malformedResponse: self = .malformed
        case .timedOut: self = .timedOut
        case .tooManyRedirects: self = .tooManyRedirects
        case .cancelled: self = .clientAborted
        default: self = .other
        }
    }
}
