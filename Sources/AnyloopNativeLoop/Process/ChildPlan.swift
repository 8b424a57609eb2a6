import AnyloopCore
import CAnyloopSystem

/// A child process about to be started: what the system's shim asks for, from `SubprocessOptions`.
struct ChildPlan {
    private let programs: [String]
    private let arguments: [String]
    private let options: SubprocessOptions

    /// - Throws: `TransportError.usage` for texts with a NUL, a variable whose name is none, a stream that cannot be.
    init(program: String, arguments: [String], options: SubprocessOptions) throws(TransportError) {
        let environment = options.environment ?? [:]
        let texts = [program] + arguments + environment.keys + environment.values
        guard (texts + [options.workingDirectory ?? ""]).allSatisfy({ !$0.utf8.contains(0) }) else {
            throw .usage(.argument("embedded null byte"))
        }
        guard environment.keys.allSatisfy({ !$0.isEmpty && !$0.utf8.contains(UInt8(ascii: "=")) }) else {
            throw .usage(.argument("illegal environment variable name"))
        }
        guard options.stdin != .standardOutput, options.stdout != .standardOutput else {
            throw .usage(.argument("only stderr can be what stdout is; use .pipe, .inherit, .devNull or .descriptor"))
        }
        for case .descriptor(let descriptor) in [options.stdin, options.stdout, options.stderr] where descriptor < 0 {
            throw .system(Errno.badDescriptor, "giving the child descriptor \(descriptor)")
        }
        guard options.passDescriptors.allSatisfy({ $0 > 2 }) else {
            throw .usage(.argument("descriptors 0 to 2 are stdin, stdout and stderr; passDescriptors starts at 3"))
        }
        programs = Self.candidates(for: program, options.environment)
        self.arguments = [program] + arguments
        self.options = options
    }

    /// Where `program` may lie: itself if it has a slash, else in the directories of the child's `PATH`.
    private static func candidates(for program: String, _ environment: [String: String]?) -> [String] {
        guard !program.utf8.contains(UInt8(ascii: "/")) else { return [program] }
        let path: String?
        if let environment {
            path = environment["PATH"]
        } else {
            path = unsafe anyloop_search_path().map { unsafe String(cString: $0) }
        }
        return (path ?? "/bin:/usr/bin").split(separator: ":", omittingEmptySubsequences: false).map {
            $0.isEmpty ? program : $0.utf8.last == UInt8(ascii: "/") ? "\($0)\(program)" : "\($0)/\(program)"
        }
    }

    /// Starts the child with `streams` as its first three descriptors; its number.
    ///
    /// - Throws: `TransportError.system` with the step that failed.
    func start(_ streams: [Int32]) throws(TransportError) -> Int32 {
        var plan = anyloop_spawn_plan()
        plan.programs = UInt32(programs.count)
        plan.arguments = UInt32(arguments.count)
        plan.input = streams[0]
        plan.output = streams[1]
        plan.errors = streams[2]
        plan.new_session = options.startNewSession ? 1 : 0
        if let group = options.processGroup {
            plan.has_group = 1
            plan.group = group
        }
        var texts = programs + arguments
        if let environment = options.environment {
            plan.has_variables = 1
            plan.variables = UInt32(environment.count)
            texts += environment.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        }
        if let directory = options.workingDirectory {
            plan.has_directory = 1
            texts.append(directory)
        }
        var block: [CChar] = []
        for text in texts {
            block.append(contentsOf: text.utf8.lazy.map { CChar(bitPattern: $0) })
            block.append(0)
        }
        let kept = Set(options.passDescriptors).sorted()
        var stage: Int32 = 0
        let pid = unsafe anyloop_spawn(&plan, block, kept, kept.count, &stage)
        guard pid >= 0 else { throw .system(-pid, operation(of: stage)) }
        return pid
    }

    /// What failed, with the name that the caller gave.
    private func operation(of stage: Int32) -> String {
        switch Int(stage) {
        case ANYLOOP_STAGE_STREAMS: "connecting the child's descriptors"
        case ANYLOOP_STAGE_DIRECTORY: "chdir '\(options.workingDirectory ?? "")'"
        case ANYLOOP_STAGE_SESSION: "setsid"
        case ANYLOOP_STAGE_GROUP: "setpgid"
        case ANYLOOP_STAGE_EXEC: "exec '\(arguments[0])'"
        default: "fork"
        }
    }
}

/// A child's first three descriptors and our ends of its pipes; closes what was not handed on.
struct ChildStreams: ~Copyable {
    /// What the child gets, as the shim takes it.
    private(set) var theirs = [Int32](repeating: Int32(ANYLOOP_INHERIT), count: 3)
    /// Our ends, by the child's descriptor; -1 where there is no pipe.
    private(set) var ours = [Int32](repeating: -1, count: 3)
    private var lent: [Int32] = []

    init() {}

    deinit {
        for descriptor in lent + ours where descriptor >= 0 { _ = anyloop_close(descriptor) }
    }

    /// - Throws: `TransportError.system` if there are no more descriptors.
    mutating func open(_ options: SubprocessOptions) throws(TransportError) {
        for (number, stream) in [options.stdin, options.stdout, options.stderr].enumerated() {
            switch stream {
            case .inherit: break
            case .descriptor(let descriptor): theirs[number] = descriptor
            case .standardOutput: theirs[number] = Int32(ANYLOOP_AS_OUTPUT)
            case .devNull:
                let descriptor = anyloop_open_null()
                guard descriptor >= 0 else { throw .system(-descriptor, "open /dev/null") }
                lent.append(descriptor)
                theirs[number] = descriptor
            case .pipe:
                var (source, sink) = (Int32(-1), Int32(-1))
                let code = unsafe anyloop_pipe(&source, &sink)
                guard code == 0 else { throw .system(-code, "pipe") }
                theirs[number] = number == 0 ? source : sink
                ours[number] = number == 0 ? sink : source
                lent.append(theirs[number])
            }
        }
    }

    /// Gives our ends to the caller.
    mutating func takeOurs() -> [Int32] {
        defer { ours = [-1, -1, -1] }
        return ours
    }
}
