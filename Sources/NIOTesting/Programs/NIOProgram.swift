public import NIOCore

/// A short program for one connection: what its near end, a channel under test, and its far end, a plain socket, do.
///
/// Actions between two settles happen in one task on the channel's loop, so that nothing depends on who is faster.
public struct NIOProgram: Sendable, Equatable {
    /// How the two ends come to be connected.
    public enum Connection: String, Sendable, CaseIterable {
        /// A pair of Unix sockets, one of which the channel takes over.
        case adopted
        /// The group under test listens at a Unix socket, and the channel is an accepted one.
        case acceptedUnix
        /// The same over TCP.
        case acceptedTCP
        /// The channel connects to a Unix socket.
        case connectedUnix
        /// The same over TCP.
        case connectedTCP
        /// The channel binds a UDP socket and names the far end with each datagram.
        case boundUDP
        /// The channel connects a UDP socket.
        case connectedUDP

        var isDatagram: Bool { self == .boundUDP || self == .connectedUDP }
    }

    /// What one end does.
    public enum Action: Sendable, Equatable {
        /// Writes so many bytes, with a promise or without.
        case write(Int, promise: Bool)
        /// Writes so many bytes and flushes.
        case writeAndFlush(Int, promise: Bool)
        case flush, read
        case close(CloseMode)
        case autoRead(Bool)
        case halfClosure(Bool)
        case waterMark(low: Int, high: Int)
        case messagesPerRead(UInt)
        /// Receives into buffers of that size.
        case bufferSize(Int)
        /// Sends an event through the pipeline's handlers for inbound events.
        case inboundEvent
        /// The same outbound; a channel refuses it.
        case outboundEvent
        /// Sends an error through the pipeline.
        case error
        /// Adds a second handler, before or behind the first.
        case addHandler(first: Bool)
        /// Removes the second handler.
        case removeHandler
        /// Writes down what the channel says of itself.
        case look
        /// The far end sends so many bytes.
        case farSend(Int)
        /// The far end ends its stream.
        case farFinish
        case farClose
        /// The far end closes without lingering, which resets a TCP connection.
        case farReset
        /// The far end no longer reads.
        case farPause
        case farResume
    }

    /// What an action may wait for; each is an event of the channel's first handler or a promise's outcome.
    public enum Trigger: String, Sendable, CaseIterable {
        case registered, active, read, readComplete, inputClosed, outputClosed, writability, event, error
        case inactive, unregistered, removed, succeeded, failed, closed
    }

    /// An action at an event, the first so many times that it comes.
    public struct Reaction: Sendable, Equatable {
        /// The event.
        public var trigger: Trigger
        /// The action, in the midst of the event.
        public var action: Action
        /// How often, at most.
        public var times: Int

        /// A reaction.
        public init(at trigger: Trigger, _ action: Action, times: Int = 1) {
            self.trigger = trigger
            self.action = action
            self.times = times
        }
    }

    /// One step.
    public enum Step: Sendable, Equatable {
        /// Something that one end does.
        case act(Action)
        /// Both ends rest until nothing more comes.
        case settle
    }

    /// What it was made of; 0 if it was written by hand.
    public let seed: UInt64
    /// How the ends are connected.
    public var connection: Connection
    /// What is done in the channel's initializer.
    public var setUp: [Action]
    /// What is done at events.
    public var reactions: [Reaction]
    /// What is done in turn; a settle follows the last.
    public var steps: [Step]

    /// A program written by hand.
    public init(_ connection: Connection, setUp: [Action] = [], reactions: [Reaction] = [], steps: [Step]) {
        self.init(seed: 0, connection, setUp, reactions, steps)
    }

    init(seed: UInt64, _ connection: Connection, _ setUp: [Action], _ reactions: [Reaction], _ steps: [Step]) {
        self.seed = seed
        self.connection = connection
        self.setUp = setUp
        self.reactions = reactions
        self.steps = steps
    }

    /// From this many bytes on a write does not fit into the sockets' buffers.
    static let big = 2 << 20
}

extension NIOProgram: CustomStringConvertible {
    /// One line a step.
    public var description: String {
        var lines = ["seed \(seed), \(connection.rawValue)"]
        lines += setUp.map { "  at first \($0)" }
        lines += reactions.map {
            "  at \($0.trigger.rawValue)\($0.times > 1 ? " (\($0.times) times)" : "") \($0.action)"
        }
        lines += steps.map { step in
            switch step {
            case .act(let action): "  \(action)"
            case .settle: "  settle"
            }
        }
        return lines.joined(separator: "\n")
    }
}

extension NIOProgram.Action: CustomStringConvertible {
    /// A few words.
    public var description: String {
        switch self {
        case .write(let count, let promise): "write \(count)\(promise ? " with a promise" : "")"
        case .writeAndFlush(let count, let promise): "writeAndFlush \(count)\(promise ? " with a promise" : "")"
        case .flush: "flush"
        case .read: "read"
        case .close(let mode): "close(\(mode))"
        case .autoRead(let isOn): "autoRead \(isOn)"
        case .halfClosure(let isOn): "allowRemoteHalfClosure \(isOn)"
        case .waterMark(let low, let high): "writeBufferWaterMark \(low) \(high)"
        case .messagesPerRead(let count): "maxMessagesPerRead \(count)"
        case .bufferSize(let size): "receive into \(size) bytes"
        case .inboundEvent: "inbound event"
        case .outboundEvent: "outbound event"
        case .error: "fire an error"
        case .addHandler(let first): "add a handler \(first ? "in front" : "behind")"
        case .removeHandler: "remove the handler"
        case .look: "look"
        case .farSend(let count): "far: send \(count)"
        case .farFinish: "far: finish"
        case .farClose: "far: close"
        case .farReset: "far: reset"
        case .farPause: "far: pause"
        case .farResume: "far: resume"
        }
    }
}
