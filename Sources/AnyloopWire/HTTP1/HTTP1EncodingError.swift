/// Why an HTTP/1 encoder refused to write something; nothing of the refused part is in the buffer.
public enum HTTP1EncodingError: Error, Sendable, Equatable, CustomStringConvertible {
    /// A method that isn't a token.
    case badMethod
    /// A target that is empty or has a space, control, non-ASCII byte or `#`.
    case badTarget
    /// A status outside 100 to 599.
    case badStatus(Int)
    /// A reason phrase with a control character.
    case badReason
    /// A field name that isn't a token.
    case badFieldName
    /// A field value with a control character; the field's name.
    case badFieldValue(String)
    /// Content-Length or Transfer-Encoding as a field; the encoder writes these itself.
    case reservedField(String)
    /// A request without Host, or with more than one.
    case badHostCount(Int)
    /// Content in a message that can't have any: 1xx, 204, 304, the response to HEAD, and 2xx to CONNECT.
    case contentNotAllowed
    /// Framing that the message can't have, such as content until the close in a request.
    case framingNotAllowed
    /// Chunks to a peer that speaks HTTP/1.0.
    case chunkedToHTTP10
    /// More content than Content-Length said; by how many bytes.
    case contentTooLong(by: Int)
    /// Less content than Content-Length said; by how many bytes.
    case contentTooShort(by: Int)
    /// Trailers in a message without chunks.
    case trailersNotAllowed
    /// A trailer field that may only be sent in a head.
    case forbiddenTrailer(String)
    /// A call that doesn't fit where the message stands.
    case wrongOrder

    /// One sentence: what is wrong, and the remedy.
    public var description: String {
        switch self {
        case .badMethod: "the method is not a token; use letters, digits and !#$%&'*+-.^_`|~"
        case .badTarget: "the target is empty or has a space, control, '#' or non-ASCII byte; percent-encode it"
        case .badStatus(let status): "the status \(status) is outside 100 to 599; use a registered one"
        case .badReason: "the reason phrase has a control character; remove it"
        case .badFieldName: "the field name is not a token; use letters, digits and !#$%&'*+-.^_`|~"
        case .badFieldValue(let name): "the value of \(name) has a control character; remove or encode it"
        case .reservedField(let name): "\(name) is written by the encoder; say it with the framing"
        case .badHostCount(let count): "the request has \(count) Host fields; give it one"
        case .contentNotAllowed: "this message has no content; send none"
        case .framingNotAllowed: "this message cannot have such framing; use another"
        case .chunkedToHTTP10: "an HTTP/1.0 peer cannot read chunks; use a length or close after the content"
        case .contentTooLong(let count): "the content is \(count) bytes longer than its Content-Length; send less"
        case .contentTooShort(let count): "the content is \(count) bytes shorter than its Content-Length; send the rest"
        case .trailersNotAllowed: "only a chunked message has trailers; use chunked framing"
        case .forbiddenTrailer(let name): "\(name) may not be a trailer; send it in the head"
        case .wrongOrder: "the call does not fit here; a message is start, fields, endHead, body, end"
        }
    }
}
