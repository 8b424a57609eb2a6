// One measurement of a loop a run, as a number on standard output; `run` calls this and its twin peer.py.
//
//     ours native|compat soon COUNT           callbacks of callSoon a second, 1,000 in each turn
//     ours native|compat closures COUNT       the same with a closure made for each
//     ours native|compat timers PENDING COUNT nanoseconds to insert and cancel a timer beside PENDING others
//     ours native|compat fire PENDING         nanoseconds to insert a timer and run it, of PENDING
import Anyloop
import Foundation

let arguments = CommandLine.arguments
guard arguments.count >= 4, let first = Int(arguments[3]) else {
    print("usage: ours native|compat soon|closures|timers|fire NUMBER [COUNT]")
    exit(2)
}

/// CPU time of this process in nanoseconds: the machine is shared.
func cpuTime() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Double(time.tv_sec) * 1e9 + Double(time.tv_nsec)
}

/// A small generator, the same in every run.
struct Random {
    var state: UInt64 = 88_172_645_463_325_252

    mutating func next() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state
    }
}

/// Callbacks that queue themselves again until they are done.
final class Chains<Running: Loop> {
    let loop: Running
    var left: Int
    var callback: () -> Void = {}

    init(_ loop: Running, _ count: Int) {
        self.loop = loop
        left = count
    }

    func step() {
        left -= 1
        if left > 0 { loop.callSoon(callback) } else if left == 0 { loop.stop() }
    }

    func stepWithClosure(_ number: Int) {
        left -= 1
        if left > 0 { loop.callSoon { self.stepWithClosure(number + 1) } } else if left == 0 { loop.stop() }
    }
}

func soon<Running: Loop>(_ loop: Running, _ count: Int, closures: Bool) throws -> Double {
    let chains = Chains(loop, count)
    chains.callback = { chains.step() }
    for number in 0..<1000 {
        if closures { loop.callSoon { chains.stepWithClosure(number) } } else { loop.callSoon(chains.callback) }
    }
    let begin = cpuTime()
    try loop.run()
    return Double(count) / (cpuTime() - begin) * 1e9
}

func timers<Running: Loop>(_ loop: Running, _ pending: Int, _ count: Int) throws -> Double {
    var random = Random()
    let start = loop.now + .seconds(3600)
    for _ in 0..<pending { loop.callAt(start + .microseconds(random.next() % 1_000_000_000)) {} }
    let begin = cpuTime()
    for _ in 0..<count { loop.callAt(start + .microseconds(random.next() % 1_000_000_000)) {}.cancel() }
    return (cpuTime() - begin) / Double(count)
}

func fire<Running: Loop>(_ loop: Running, _ pending: Int) throws -> Double {
    var random = Random()
    var left = pending
    let start = loop.now
    let begin = cpuTime()
    for _ in 0..<pending {
        loop.callAt(start + .nanoseconds(random.next() % 1_000_000)) {
            left -= 1
            if left == 0 { loop.stop() }
        }
    }
    try loop.run()
    return (cpuTime() - begin) / Double(pending)
}

func measure<Running: Loop>(_ loop: Running) throws -> Double {
    defer { loop.closeLoop() }
    switch arguments[2] {
    case "soon": return try soon(loop, first, closures: false)
    case "closures": return try soon(loop, first, closures: true)
    case "timers": return try timers(loop, first, arguments.count > 4 ? Int(arguments[4]) ?? 1 : 1)
    default: return try fire(loop, first)
    }
}

print(try arguments[1] == "compat" ? measure(CompatLoop()) : measure(NativeLoop()))
