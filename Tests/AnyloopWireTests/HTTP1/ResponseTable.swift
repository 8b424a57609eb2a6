import AnyloopWire

/// Responses, right and wrong.
let responseCases: [WireCase] = [
    .response(
        "RFC 9112 §4: a reason", "HTTP/1.1 404 Not  Found é\r\nContent-Length: 2\r\n\r\nno",
        ["head 404 HTTP/1.1 Not  Found é", "Content-Length: 2", "length(2)", "body no", "end"]),
    .response(
        "RFC 9112 §4: an empty reason", "HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n",
        ["head 200 HTTP/1.1 ", "Content-Length: 0", "length(0)", "end"]),
    .response(
        "RFC 9112 §6.3 rule 8: until the close", "HTTP/1.1 200 OK\r\n\r\nab\r\n\u{0}",
        ["head 200 HTTP/1.1 OK", "untilClose last", "body ab\r\n\u{0}", "end"], ends: true),
    .response(
        "RFC 9112 §6.3 rule 1: HEAD, then GET", to: [.head, .get],
        "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx",
        [
            "head 200 HTTP/1.1 OK", "Content-Length: 9", "none", "end",
            "head 200 HTTP/1.1 OK", "Content-Length: 1", "length(1)", "body x", "end",
        ]),
    .response(
        "RFC 9112 §6.3 rule 1: 304 and 204 have no content", to: [.get, .get],
        "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n",
        [
            "head 304 HTTP/1.1 Not Modified", "Content-Length: 9", "none", "end", "head 204 HTTP/1.1 No Content",
            "none", "end",
        ]),
    .response(
        "RFC 9110 §15.2: interim responses", to: [.post],
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        [
            "head 100 HTTP/1.1 Continue", "none", "end", "head 103 HTTP/1.1 Early Hints", "Link: a", "none", "end",
            "head 200 HTTP/1.1 OK", "Content-Length: 0", "length(0)", "end",
        ]),
    .response(
        "RFC 9110 §15.2.2: 101 hands over", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n\u{1}\u{2}",
        ["head 101 HTTP/1.1 Switching Protocols", "Upgrade: x", "none", "end", "upgrade", "surplus 2"]),
    .response(
        "RFC 9112 §6.3 rule 2: 2xx to CONNECT hands over, whatever its fields say", to: [.connect],
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc",
        ["head 200 HTTP/1.1 OK", "Content-Length: 5", "none", "end", "upgrade", "surplus 3"]),
    .response(
        "RFC 9110 §9.3.6: a refused CONNECT", to: [.connect], "HTTP/1.1 407 Auth\r\nContent-Length: 1\r\n\r\nx",
        ["head 407 HTTP/1.1 Auth", "Content-Length: 1", "length(1)", "body x", "end"]),
    .response(
        "RFC 9112 §7.1: chunks with trailers",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n1\r\na\r\n0\r\nT: 1\r\n\r\nmore",
        [
            "head 200 HTTP/1.1 OK", "Transfer-Encoding: chunked", "Connection: close", "chunked last", "body a",
            "trailer T: 1", "end",
        ]),
    .response(
        "RFC 9112 §6.3 rule 4: no chunked means until the close", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nx",
        ["head 200 HTTP/1.1 OK", "Transfer-Encoding: gzip", "untilClose last", "body x", "end"], ends: true),
    .response(
        "RFC 9112 §9.3: HTTP/1.0 that keeps alive", to: [.get, .get],
        "HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 1\r\n\r\naHTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n",
        [
            "head 200 HTTP/1.0 OK", "Connection: Keep-Alive", "Content-Length: 1", "length(1)", "body a", "end",
            "head 200 HTTP/1.0 OK", "Content-Length: 0", "length(0) last", "end",
        ]),
    .response(
        "RFC 9112 §9.2: bytes that answer nothing", "HTTP/1.1 204 A\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
        ["head 204 HTTP/1.1 A", "none", "end", "error unsolicited-response @18..19"]),
    .response(
        "RFC 9112 §6.3: both", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n",
        ["error length-and-encoding"]),
    .response(
        "RFC 9112 §6.1: encoding in 204", "HTTP/1.1 204 A\r\nTransfer-Encoding: chunked\r\n\r\n",
        ["error bad-transfer-encoding"]),
    .response(
        "RFC 9110 §8.6: length in 1xx", "HTTP/1.1 100 A\r\nContent-Length: 0\r\n\r\n", ["error bad-content-length"]),
    .response("RFC 9112 §4: no space after the code", "HTTP/1.1 200\r\n\r\n", ["error bad-status-line"]),
    .response(
        "no space after the code, by option", "HTTP/1.1 204\r\n\r\n", ["head 204 HTTP/1.1 ", "none", "end"],
        leniency: .missingReasonSpace),
    .response("RFC 9112 §4: two digits", "HTTP/1.1 20 OK\r\n\r\n", ["error bad-status-line"]),
    .response("RFC 9112 §4: four digits", "HTTP/1.1 2000 OK\r\n\r\n", ["error bad-status-line"]),
    .response("RFC 9112 §4: letters", "HTTP/1.1 2xx OK\r\n\r\n", ["error bad-status-line"]),
    .response("RFC 9112 §4: a control in the reason", "HTTP/1.1 200 \u{1}\r\n\r\n", ["error bad-status-line"]),
    .response("RFC 9112 §4: not HTTP", "ICY 200 OK\r\n\r\n", ["error bad-status-line"]),
    .response("RFC 9112 §4: an empty line first", "\r\nHTTP/1.1 200 OK\r\n\r\n", ["error bad-status-line"]),
    .response("RFC 9112 §2.3: HTTP/2", "HTTP/2.0 200 OK\r\n\r\n", ["error unsupported-version"]),
    .response("RFC 9112 §2.3: a short version", "HTTP/1 200 OK\r\n\r\n", ["error bad-version"]),
    .response("RFC 9112 §5.1: space before the colon", "HTTP/1.1 204 A\r\nA : 1\r\n\r\n", ["error space-before-colon"]),
    .response(
        "space before the colon, by option (RFC 9112 §5.1)", "HTTP/1.1 204 A\r\nA \t: 1\r\n\r\n",
        ["head 204 HTTP/1.1 A", "A: 1", "none", "end"], leniency: .spaceBeforeColon),
    .response(
        "RFC 9112 §8: the stream ends in the head", "HTTP/1.1 200 OK\r\nA:", ["error unexpected-eof @19..19"],
        ends: true),
]
