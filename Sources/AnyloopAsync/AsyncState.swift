import AnyloopCore

/// What this module keeps for a loop: its tasks, and who waits on it and must hear of its end.
final class AsyncState {
    var waiters = Bag<AnyWaiter>()
    /// The tasks that are not done.
    var tasks = Bag<TaskControl>()
    private var taskCount = 0

    /// The one of `loop`, made at the first call.
    static func of(_ loop: some TaskLoop) -> AsyncState {
        if let state = loop.asyncState as? AsyncState { return state }
        let state = AsyncState()
        loop.asyncState = state
        _ = loop.whenClosing { [weak state] in state?.loopCloses() }
        return state
    }

    /// A number for the next task's name.
    func nextTaskNumber() -> Int {
        taskCount += 1
        return taskCount
    }

    private func loopCloses() {
        for waiter in waiters.members { waiter.fail(.loopClosed) }
    }
}

/// What a `Bag` holds: it knows its place there.
protocol BagMember: AnyObject {
    /// The member's place; -1 while it is in no bag.
    var bagIndex: Int { get set }
}

/// Objects without an order, put in and taken out in constant time.
struct Bag<Member: BagMember> {
    private(set) var members: [Member] = []

    mutating func insert(_ member: Member) {
        member.bagIndex = members.count
        members.append(member)
    }

    mutating func remove(_ member: Member) {
        let index = member.bagIndex
        guard index >= 0 else { return }
        member.bagIndex = -1
        let last = members.removeLast()
        guard last !== member else { return }
        members[index] = last
        last.bagIndex = index
    }
}
