/// What an HTTP/1 parser found next.
///
/// One message is `head body* trailers? end`, followed by `mightSwitch` or `upgrade` where the protocol may change.
/// An interim response (1xx) is a message of its own: `head end`.
public enum HTTP1Event: Sendable, Equatable {
    /// The head is complete; the parser's `head` has it.
    case head
    /// These bytes of the input are content; never empty.
    case body(Range<Int>)
    /// The message has trailer fields; the parser's `trailers` has them. Comes only if there is at least one.
    case trailers
    /// The message is complete.
    case end
    /// After `end` of a request that asks for another protocol (Upgrade) or a tunnel (CONNECT): the parser stands.
    ///
    /// To agree, leave the parser and take what is left of the input; to decline, call `resumeAsHTTP()`.
    case mightSwitch
    /// After `end` of a response that switches (101, or 2xx to CONNECT): what is left of the input is not HTTP.
    case upgrade
}
