/// What a parser may accept beyond RFC 9110 and 9112; each is off unless asked for.
public struct HTTP1Leniency: OptionSet, Sendable {
    /// The options as bits.
    public let rawValue: UInt8

    /// A set of options from its bits.
    public init(rawValue: UInt8) {
        self.rawValue = rawValue
    }

    /// A lone LF ends a line (RFC 9112 §2.2 MAY).
    public static let bareLF = HTTP1Leniency(rawValue: 1 << 0)
    /// A field line that starts with a blank continues the one before; its line end becomes spaces (RFC 9112 §5.2).
    public static let obsFold = HTTP1Leniency(rawValue: 1 << 1)
    /// An HTTP/1.1 request may come without Host (against RFC 9112 §3.2).
    public static let missingHost = HTTP1Leniency(rawValue: 1 << 2)
    /// Equal Content-Length values, in a list or on several lines, count as one (RFC 9112 §6.3, rule 5).
    public static let identicalContentLengths = HTTP1Leniency(rawValue: 1 << 3)
    /// A status line may lack the space after its code (against RFC 9112 §4).
    public static let missingReasonSpace = HTTP1Leniency(rawValue: 1 << 4)
    /// A target may have any visible ASCII but `#`, as browsers send it (against RFC 3986 §2).
    public static let unencodedTarget = HTTP1Leniency(rawValue: 1 << 5)
    /// Blanks between a field's name and its colon are dropped (RFC 9112 §5.1: in responses only).
    public static let spaceBeforeColon = HTTP1Leniency(rawValue: 1 << 6)
}
