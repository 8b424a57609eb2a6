import AnyloopWire

private let get = "GET / HTTP/1.1\r\nHost: a\r\n"
private let chunked = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
private let post = "POST / HTTP/1.1\r\nHost: a\r\n"

/// Requests that must be refused, whatever else is accepted.
let refusedCases: [WireCase] = startLineCases + fieldCases + hostCases + framingCases + chunkCases

private let startLineCases: [WireCase] = [
    .refused("RFC 9112 §3: two spaces", "GET  / HTTP/1.1\r\n", .badRequestLine),
    .refused("RFC 9112 §3: a space at the end", "GET / HTTP/1.1 \r\n", .badRequestLine),
    .refused("RFC 9112 §3: a space at the start", " GET / HTTP/1.1\r\n", .badRequestLine),
    .refused("RFC 9112 §3: no version (HTTP/0.9)", "GET /\r\n", .badRequestLine),
    .refused("RFC 9112 §3: a space within the target", "GET /a b HTTP/1.1\r\n", .badRequestLine),
    .refused("RFC 9112 §3: tabs for spaces", "GET\t/\tHTTP/1.1\r\n", .badRequestLine),
    .refused("RFC 9112 §2.2: a second empty line", "\r\n\r\nGET / HTTP/1.1\r\n", .badRequestLine),
    .refused("RFC 9110 §9.1: a method that isn't a token", "G@T / HTTP/1.1\r\n", .badMethod),
    .refused("RFC 9112 §2.3: small letters", "GET / http/1.1\r\n", .badVersion),
    .refused("RFC 9112 §2.3: two digits", "GET / HTTP/1.10\r\n", .badVersion),
    .refused("RFC 9112 §2.3: a comma", "GET / HTTP/1,1\r\n", .badVersion),
    .refused("RFC 9110 §15.6.6: HTTP/2.0", "GET / HTTP/2.0\r\n", .unsupportedVersion),
    .refused("RFC 9113 §3.4: HTTP/2's preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", .unsupportedVersion),
    .refused("RFC 9110 §2.5: HTTP/0.9 spelled out", "GET / HTTP/0.9\r\n", .unsupportedVersion),
    .refused("RFC 9112 §3.2: a fragment", "GET /a#b HTTP/1.1\r\n", .badTarget),
    .refused("RFC 9112 §3.2: a control", "GET /a\u{1}b HTTP/1.1\r\n", .badTarget),
    .refused("RFC 9112 §3.2: bytes from 0x80", "GET /é HTTP/1.1\r\n", .badTarget),
    .refused("RFC 3986 §2.1: percent without digits", "GET /%4 HTTP/1.1\r\n", .badTarget),
    .refused("RFC 3986 §3.3: braces", "GET /{a} HTTP/1.1\r\n", .badTarget),
    .refused("RFC 9112 §3.2: no leading slash", "GET a/b HTTP/1.1\r\n", .badTarget),
    .refused("RFC 9112 §3.2.3: authority form without CONNECT", "GET a:80 HTTP/1.1\r\n", .badTarget),
    .refused("RFC 9112 §3.2.4: asterisk without OPTIONS", "GET * HTTP/1.1\r\n", .badTarget),
    .refused("RFC 9110 §9.3.6: CONNECT without port", "CONNECT a HTTP/1.1\r\n", .badTarget),
    .refused("RFC 9110 §9.3.6: CONNECT with an empty port", "CONNECT a: HTTP/1.1\r\n", .badTarget),
    .refused("RFC 9110 §9.3.6: CONNECT with port 65536", "CONNECT a:65536 HTTP/1.1\r\n", .badTarget),
    .refused("RFC 9110 §4.2.1: http without host", "GET http:///a HTTP/1.1\r\n", .badTarget),
    .refused("RFC 9110 §4.2.4: user information", "GET http://u@a/ HTTP/1.1\r\n", .badTarget),
    .refused("RFC 9112 §2.2: lone LF after the request line", "GET / HTTP/1.1\nHost: a\r\n\r\n", .bareLF),
    .refused("RFC 9112 §2.2: a lone LF before it", "\nGET / HTTP/1.1\r\n", .bareLF),
    .refused("RFC 9112 §2.2: CR in the request line", "GET /\r HTTP/1.1\r\n", .bareCR),
    .refused("RFC 9112 §2.2: CR CR LF", "GET / HTTP/1.1\r\r\n", .bareCR),
    .refused("RFC 9112 §2.2: a lone CR before it", "\rGET / HTTP/1.1\r\n", .bareCR),
    .refused("RFC 9110 §5.5: NUL in the target", "GET /\u{0} HTTP/1.1\r\n", .nul),
]

private let fieldCases: [WireCase] = [
    .refused("RFC 9112 §5.1: space before the colon", get + "A : 1\r\n", .spaceBeforeColon),
    .refused("RFC 9112 §5.1: tab before the colon", get + "Content-Length\t: 1\r\n", .spaceBeforeColon),
    .refused("RFC 9110 §5.1: space within a name", get + "A b: 1\r\n", .badHeaderName),
    .refused("RFC 9110 §5.1: an empty name", get + ": 1\r\n", .badHeaderName),
    .refused("RFC 9110 §5.1: NUL in a name", get + "A\u{0}: 1\r\n", .badHeaderName),
    .refused("RFC 9110 §5.1: bytes from 0x80 in a name", get + "É: 1\r\n", .badHeaderName),
    .refused("RFC 9112 §5: no colon", get + "Abc\r\n", .headerWithoutColon),
    .refused("RFC 9112 §5.2: a folded line", get + "A: 1\r\n 2\r\n", .obsFold),
    .refused("RFC 9112 §5.2: a blank after the request line", "GET / HTTP/1.1\r\n\tHost: a\r\n", .obsFold),
    .refused("RFC 9110 §5.5: NUL in a value", get + "A: 1\u{0}2\r\n", .nul),
    .refused("RFC 9110 §5.5: CR in a value", get + "A: 1\rContent-Length: 5\r\n", .bareCR),
    .refused("RFC 9112 §2.2: CR in a name", get + "A\rB: 1\r\n", .bareCR),
    .refused("RFC 9112 §2.2: lone LF after a field", get + "A: 1\n\r\n", .bareLF),
    .refused("RFC 9112 §2.2: lone LF for the empty line", get + "\n", .bareLF),
    .refused("RFC 9110 §5.5: a control in a value", get + "A: \u{B}\r\n", .badHeaderValue),
    .refused("RFC 9110 §5.5: DEL in a value", get + "A: \u{7F}\r\n", .badHeaderValue),
    .refused("RFC 9110 §10.1.1: another expectation", get + "Expect: 200-ok\r\n", .badExpectation),
]

private let hostCases: [WireCase] = [
    .refused("RFC 9112 §3.2: no Host", "GET / HTTP/1.1\r\nA: 1\r\n\r\n", .missingHost),
    .refused("RFC 9112 §3.2: absolute form is no Host", "GET http://a/ HTTP/1.1\r\n\r\n", .missingHost),
    .refused("RFC 9112 §3.2: two Hosts", get + "hOST: a\r\n", .duplicateHost),
    .refused("RFC 9112 §3.2: a list", "GET / HTTP/1.1\r\nHost: a b\r\n", .badHost),
    .refused("RFC 9110 §7.2: a path", "GET / HTTP/1.1\r\nHost: a/b\r\n", .badHost),
    .refused("RFC 9110 §7.2: user information", "GET / HTTP/1.1\r\nHost: u@a\r\n", .badHost),
    .refused("RFC 9110 §7.2: letters for a port", "GET / HTTP/1.1\r\nHost: a:b\r\n", .badHost),
    .refused("RFC 3986 §3.2.2: an unclosed literal", "GET / HTTP/1.1\r\nHost: [::1\r\n", .badHost),
    .refused("RFC 3986 §3.2.2: nine groups", "GET / HTTP/1.1\r\nHost: [1:2:3:4:5:6:7:8:9]\r\n", .badHost),
    .refused("RFC 3986 §3.2.2: two gaps", "GET / HTTP/1.1\r\nHost: [1::2::3]\r\n", .badHost),
    .refused("RFC 9112 §3.2.2: another host", "GET http://a/ HTTP/1.1\r\nHost: b\r\n", .hostMismatch),
    .refused("RFC 9112 §3.2.2: another port", "GET http://a/ HTTP/1.1\r\nHost: a:8080\r\n", .hostMismatch),
    .refused("RFC 9112 §3.2.2: http's port isn't https's", "GET https://a/ HTTP/1.1\r\nHost: a:80\r\n", .hostMismatch),
]

private let framingCases: [WireCase] = [
    .refused("RFC 9112 §6.3: both", post + "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n", .lengthAndEncoding),
    .refused(
        "RFC 9112 §6.3: both, other order", post + "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n",
        .lengthAndEncoding),
    .refused(
        "RFC 9112 §6.3: two lengths", post + "Content-Length: 1\r\nContent-Length: 2\r\n", .differingContentLengths),
    .refused(
        "RFC 9112 §6.3: equal lengths twice", post + "Content-Length: 1\r\nContent-Length: 1\r\n", .badContentLength),
    .refused("RFC 9110 §8.6: a list", post + "Content-Length: 1, 1\r\n", .badContentLength),
    .refused("RFC 9110 §8.6: a sign", post + "Content-Length: +1\r\n", .badContentLength),
    .refused("RFC 9110 §8.6: a minus", post + "Content-Length: -1\r\n", .badContentLength),
    .refused("RFC 9110 §8.6: hexadecimal", post + "Content-Length: 0x1\r\n", .badContentLength),
    .refused("RFC 9110 §8.6: empty", post + "Content-Length: \r\n\r\n", .badContentLength),
    .refused("RFC 9110 §8.6: within blanks", post + "Content-Length: 1 2\r\n", .badContentLength),
    .refused("RFC 9110 §8.6: 2^63", post + "Content-Length: 9223372036854775808\r\n", .badContentLength),
    .refused("RFC 9110 §8.6: 2^64 and one", post + "Content-Length: 18446744073709551617\r\n", .badContentLength),
    .refused("RFC 9112 §6.1: HTTP/1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n", .encodingInHTTP10),
    .refused("RFC 9112 §6.1: empty", post + "Transfer-Encoding:\r\n\r\n", .badTransferEncoding),
    .refused("RFC 9112 §6.1: twice", post + "Transfer-Encoding: chunked, chunked\r\n", .badTransferEncoding),
    .refused(
        "RFC 9112 §6.1: twice, two lines", post + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        .badTransferEncoding),
    .refused("RFC 9112 §7.1: a parameter", post + "Transfer-Encoding: chunked;a=b\r\n", .badTransferEncoding),
    .refused("RFC 9112 §7: not a token", post + "Transfer-Encoding: \"chunked\"\r\n", .badTransferEncoding),
    .refused("RFC 9112 §6.3: chunked not last", post + "Transfer-Encoding: chunked, gzip\r\n\r\n", .chunkedNotLast),
    .refused("RFC 9112 §6.3: no chunked", post + "Transfer-Encoding: identity\r\n\r\n", .chunkedNotLast),
    .refused("RFC 9112 §6.1: a name near it", post + "Transfer-Encoding: xchunked\r\n\r\n", .chunkedNotLast),
    .refused("RFC 9112 §6.1: unknown", post + "Transfer-Encoding: cow, chunked\r\n\r\n", .unknownTransferCoding),
    .refused(
        "RFC 9112 §6.1: gzip", post + "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n",
        .unknownTransferCoding),
]

private let chunkCases: [WireCase] = [
    .refused("RFC 9112 §7.1: no digit", chunked + "\r\n", .badChunkSize),
    .refused("RFC 9112 §7.1: 0x", chunked + "0x5\r\n", .badChunkSize),
    .refused("RFC 9112 §7.1: a sign", chunked + "+5\r\n", .badChunkSize),
    .refused("RFC 9112 §7.1: a minus", chunked + "-1\r\n", .badChunkSize),
    .refused("RFC 9112 §7.1: a space first", chunked + " 5\r\n", .badChunkSize),
    .refused("RFC 9112 §7.1: a space last", chunked + "5 \r\n", .badChunkSize),
    .refused("RFC 9112 §7.1: an underscore", chunked + "5_0\r\n", .badChunkSize),
    .refused("RFC 9112 §7.1: CR after the size", chunked + "5\rX\r\n", .bareCR),
    .refused("RFC 9112 §7.1: LF after the size", chunked + "5\nhello\r\n", .bareLF),
    .refused("RFC 9112 §7.1: 2^63", chunked + "8000000000000000\r\n", .chunkSizeOverflow),
    .refused("RFC 9112 §7.1: 2^64 and five", chunked + "10000000000000005\r\n", .chunkSizeOverflow),
    .refused("RFC 9112 §7.1: seventeen digits", chunked + "00000000000000005\r\n", .chunkSizeOverflow),
    .refused("RFC 9112 §7.1.1: no name", chunked + "5;\r\n", .badChunkExtension),
    .refused("RFC 9112 §7.1.1: no value", chunked + "5;a=\r\n", .badChunkExtension),
    .refused("RFC 9112 §7.1.1: an unclosed string", chunked + "5;a=\"b\r\n", .badChunkExtension),
    .refused("RFC 9112 §7.1.1: a blank last", chunked + "5;a \r\n", .badChunkExtension),
    .refused("RFC 9112 §7.1.1: LF ends an extension", chunked + "5;a\nxx\r\n", .bareLF),
    .refused("RFC 9112 §7.1: data too long", chunked + "1\r\nabc\r\n", .badChunkEnd),
    .refused("RFC 9112 §7.1: LF after data", chunked + "1\r\na\n", .badChunkEnd),
    .refused("RFC 9112 §7.1: CR alone after data", chunked + "1\r\na\r0\r\n", .badChunkEnd),
    .refused("RFC 9110 §6.5.1: framing as trailer", chunked + "0\r\ncontent-length: 5\r\n", .forbiddenTrailer),
    .refused("RFC 9110 §6.5.1: Host as trailer", chunked + "0\r\nHost: b\r\n", .forbiddenTrailer),
    .refused("RFC 9112 §7.1.2: no colon", chunked + "0\r\nabc\r\n", .badTrailer),
    .refused("RFC 9112 §7.1.2: a folded one", chunked + "0\r\nA: 1\r\n 2\r\n", .badTrailer),
    .refused("RFC 9112 §7.1.2: space before the colon", chunked + "0\r\nA : 1\r\n", .badTrailer),
    .refused("RFC 9112 §7.1.2: lone LF", chunked + "0\r\nA: 1\n\r\n", .bareLF),
    .refused("RFC 9112 §7.1: lone LF at the very end", chunked + "0\r\n\n", .bareLF),
]
