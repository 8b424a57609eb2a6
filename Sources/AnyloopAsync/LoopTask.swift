import AnyloopCore

/// A task of a loop, whatever its value (asyncio: `Task`).
public protocol AnyLoopTask: AnyFuture {
    /// What it is called in reports; `Task-` and a number unless named (asyncio: `get_name`, `set_name`).
    var name: String { get set }

    /// Cancellations that were asked for and not taken back (asyncio: `cancelling`).
    var cancelRequestCount: Int { get }

    /// Takes one request to cancel back; how many are left (asyncio: `uncancel`).
    @discardableResult
    func uncancel() -> Int
}

/// Async code that runs on a loop's thread, and its result (asyncio: `Task`, rule 29).
///
/// `loop.createTask { … }` makes one; its body starts in the next turn and runs until it suspends. It is a task of
/// Swift's underneath, with asyncio's cancellation: each `cancel()` is thrown once, at what the body awaits of the
/// loop, and a body that catches it may go on waiting. What the body awaits elsewhere (`Task.sleep`, task groups)
/// sees Swift's cancellation, which stays.
public final class LoopTask<Value>: Future<Value>, AnyLoopTask {
    private let control: TaskControl
    private var givenName: String?

    /// Starts `body` in the next turn; a task of a closed loop is cancelled from the start.
    init(loop: any TaskLoop, name: String?, _ body: @escaping () async throws -> Value) {
        let state = AsyncState.of(loop)
        control = TaskControl(number: state.nextTaskNumber())
        givenName = name
        super.init(loop: loop)
        guard !loop.isClosed else {
            _ = becomeCancelled()
            return
        }
        control.task = self
        state.tasks.insert(control)
        let bound = LoopBound((task: self, body: body), to: loop.remote)
        let current = LoopBound(control, to: loop.remote)
        control.swiftTask = Task(executorPreference: loop.loopTaskExecutor) {
            await TaskControl.$bound.withValue(current) { await bound.value.task.run(bound.value.body) }
        }
    }

    /// What it is called in reports; `Task-` and a number unless named (asyncio: `get_name`, `set_name`).
    public var name: String {
        get { givenName ?? "Task-\(control.number)" }
        set { givenName = newValue }
    }

    /// Cancellations that were asked for and not taken back (asyncio: `cancelling`).
    public var cancelRequestCount: Int { control.cancelRequestCount }

    /// Takes one request to cancel back; how many are left (asyncio: `uncancel`).
    @discardableResult
    public func uncancel() -> Int {
        if control.cancelRequestCount > 0 { control.cancelRequestCount -= 1 }
        return control.cancelRequestCount
    }

    /// Has `TransportError.cancelled` thrown at what the body awaits; false if the task is done (asyncio: `cancel`).
    ///
    /// A body that has not started yet never does. What is awaited is cancelled in this call: a future, another
    /// task, a connect.
    @discardableResult
    public override func cancel() -> Bool {
        guard !isDone else { return false }
        if !control.interrupt(), control.waiter == nil {
            // It waits elsewhere, or has not started, or cancels itself.
            control.swiftTask?.cancel()
        }
        return true
    }

    /// - Throws: `TransportError.usage`: only its body can finish a task.
    public override func setResult(_ value: Value) throws(TransportError) {
        throw .usage("Task does not support set_result operation")
    }

    /// - Throws: `TransportError.usage`: only its body can finish a task.
    public override func setError(_ error: any Error) throws(TransportError) {
        throw .usage("Task does not support set_exception operation")
    }

    override var kindName: String { "Task" }

    private nonisolated(nonsending) func run(_ body: () async throws -> Value) async {
        unsafe control.identity = unsafe withUnsafeCurrentTask { unsafe $0 }
        var outcome: Result<Value, any Error>
        if control.mustCancel {
            outcome = .failure(TransportError.cancelled)
        } else {
            do { outcome = .success(try await body()) } catch { outcome = .failure(error) }
        }
        // A cancellation that no await has thrown yet takes the result's place.
        if control.mustCancel, case .success = outcome { outcome = .failure(TransportError.cancelled) }
        end(outcome)
    }

    private func end(_ outcome: Result<Value, any Error>) {
        control.mustCancel = false
        control.task = nil
        AsyncState.of(loop).tasks.remove(control)
        if case .failure(let error) = outcome, isCancellation(error) {
            _ = becomeCancelled()
        } else {
            // Nobody else finishes a task.
            try? finish(outcome)
        }
    }
}

/// Whether `error` says that somebody was cancelled.
func isCancellation(_ error: any Error) -> Bool {
    if error is CancellationError { return true }
    if case .cancelled? = error as? TransportError { return true }
    return false
}

/// How a task is cancelled: through what it waits for, or at its next wait.
@safe
final class TaskControl: BagMember {
    /// Set in the tasks that the body starts, too, which is why `current` looks at the identity.
    @TaskLocal static var bound: LoopBound<TaskControl>?

    let number: Int
    /// The task; nil once it is done.
    var task: (any AnyLoopTask)?
    var swiftTask: Task<Void, Never>?
    /// The task of Swift's that runs the body; compared only, never asked anything.
    var identity: UnsafeCurrentTask?
    /// What the body waits for on the loop.
    var waiter: AnyWaiter?
    /// A cancellation that nothing has thrown yet.
    var mustCancel = false
    var cancelRequestCount = 0
    var bagIndex = -1

    init(number: Int) {
        self.number = number
    }

    /// The one of the `LoopTask` whose body is running; nil in other tasks and outside of tasks.
    static var current: TaskControl? {
        guard let control = bound?.value else { return nil }
        let isMine = unsafe withUnsafeCurrentTask { current in unsafe current == control.identity }
        return isMine ? control : nil
    }

    /// Cancels what the body waits for on the loop, or has its next wait throw; whether it was the former.
    @discardableResult
    func interrupt() -> Bool {
        cancelRequestCount += 1
        if let waiter, waiter.cancel() { return true }
        mustCancel = true
        return false
    }
}

extension TaskLoop {
    /// Runs `body` on this loop, from the next turn on (asyncio: `create_task`, rule 29).
    ///
    /// An error that nobody asks for is told to the exception handler when the task goes.
    @discardableResult
    public func createTask<Value>(
        name: String? = nil, _ body: @escaping () async throws -> Value
    ) -> LoopTask<Value> {
        LoopTask(loop: self, name: name, body)
    }

    /// The task whose body is running; nil in callbacks (asyncio: `current_task`).
    public var currentTask: (any AnyLoopTask)? {
        guard remote.isOnLoopThread else { return nil }
        return TaskControl.current?.task
    }

    /// The tasks that are not done, in no order (asyncio: `all_tasks`).
    public var allTasks: [any AnyLoopTask] { AsyncState.of(self).tasks.members.compactMap(\.task) }
}
