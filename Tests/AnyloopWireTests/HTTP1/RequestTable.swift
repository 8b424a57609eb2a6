import AnyloopWire

/// Requests that are right.
let requestCases: [WireCase] = [
    .request(
        "RFC 9112 §3.2.1: origin form", "GET /where?q=now HTTP/1.1\r\nHost: www.example.org\r\n\r\n",
        ["head GET /where?q=now HTTP/1.1", "Host: www.example.org", "none", "end"]),
    .request(
        "RFC 9112 §3.2.2: absolute form, default port, case of the host",
        "GET http://WWW.example.org:80/a HTTP/1.1\r\nHost: www.example.org\r\n\r\n",
        ["head GET http://WWW.example.org:80/a HTTP/1.1", "Host: www.example.org", "none", "end"]),
    .request(
        "RFC 9112 §3.2.4: asterisk form", "OPTIONS * HTTP/1.1\r\nHost: a:8001\r\n\r\n",
        ["head OPTIONS * HTTP/1.1", "Host: a:8001", "none", "end"]),
    .request(
        "RFC 9112 §3.2.3: authority form, taken", "CONNECT a.example:443 HTTP/1.1\r\nHost: a.example\r\n\r\n\u{1}GET",
        ["head CONNECT a.example:443 HTTP/1.1", "Host: a.example", "none", "end", "might-switch", "surplus 4"],
        switches: true),
    .request(
        "RFC 9110 §9.3.6: CONNECT declined, the next request follows",
        "CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
        [
            "head CONNECT a:1 HTTP/1.1", "Host: a", "none", "end", "might-switch",
            "head GET / HTTP/1.1", "Host: a", "none", "end",
        ]),
    .request(
        "RFC 9110 §7.8: Upgrade with content first",
        "POST / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: x\r\nContent-Length: 2\r\n\r\nhi\u{0}\u{1}",
        [
            "head POST / HTTP/1.1", "Host: a", "Connection: Upgrade", "Upgrade: x", "Content-Length: 2",
            "length(2) offers-upgrade", "body hi", "end", "might-switch", "surplus 2",
        ], switches: true),
    .request(
        "RFC 9110 §7.8: Upgrade in HTTP/1.0 is ignored",
        "GET / HTTP/1.0\r\nConnection: upgrade, keep-alive\r\nUpgrade: x\r\n\r\n",
        ["head GET / HTTP/1.0", "Connection: upgrade, keep-alive", "Upgrade: x", "none", "end"]),
    .request(
        "RFC 9112 §9.3: HTTP/1.0 closes", "GET / HTTP/1.0\r\n\r\nGET / HTTP/1.0\r\n\r\n",
        ["head GET / HTTP/1.0", "none last", "end"]),
    .request(
        "RFC 9112 §9.6: after close nothing is read",
        "GET / HTTP/1.1\r\nHost: a\r\nConnection: x, Close\r\n\r\n\u{0}\n",
        ["head GET / HTTP/1.1", "Host: a", "Connection: x, Close", "none last", "end"], ends: true),
    .request(
        "RFC 9112 §2.3: a later minor version is 1.1's", "GET / HTTP/1.2\r\nHost: a\r\n\r\n",
        ["head GET / HTTP/1.2", "Host: a", "none", "end"]),
    .request(
        "RFC 9112 §2.2: one empty line before a request", "\r\nGET / HTTP/1.1\r\nHost:\r\n\r\n",
        ["head GET / HTTP/1.1", "Host: ", "none", "end"]),
    .request(
        "RFC 9112 §9.3.2: pipelined, with content of known length",
        "PUT /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabcGET /2 HTTP/1.1\r\nHost: a\r\n\r\n",
        [
            "head PUT /1 HTTP/1.1", "Host: a", "Content-Length: 3", "length(3)", "body abc", "end",
            "head GET /2 HTTP/1.1", "Host: a", "none", "end",
        ], ends: true),
    .request(
        "RFC 9112 §7.1: chunks, extensions and trailers",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n"
            + "00a;n\r\n0123456789\r\n1 ; a = \"q\\\"\" ;b=c\r\nx\r\n000\r\nA: 1\r\nB:\t2\t\r\n\r\nGET / HTTP/1.0\r\n\r\n",
        [
            "head POST / HTTP/1.1", "Host: a", "Transfer-Encoding: Chunked", "chunked", "body 0123456789x",
            "trailer A: 1", "trailer B: 2", "end", "head GET / HTTP/1.0", "none last", "end",
        ]),
    .request(
        "RFC 9112 §7.1: no content in chunks",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        ["head POST / HTTP/1.1", "Host: a", "Transfer-Encoding: chunked", "chunked", "end"]),
    .request(
        "RFC 9110 §10.1.1: an expectation with content to come",
        "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\nContent-Length: 1\r\n\r\nx",
        [
            "head POST / HTTP/1.1", "Host: a", "Expect: 100-Continue", "Content-Length: 1",
            "length(1) expects-continue", "body x", "end",
        ]),
    .request(
        "RFC 9110 §10.1.1: an expectation in HTTP/1.0 is ignored",
        "POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\nx",
        ["head POST / HTTP/1.0", "Expect: 100-continue", "Content-Length: 1", "length(1) last", "body x", "end"]),
    .request(
        "RFC 9110 §5.5: tabs, spaces and bytes from 0x80 in values; empty values",
        "GET / HTTP/1.1\r\nHost: a\r\nA: \t b\tc d \t\r\nB:\r\nC:é\r\n\r\n",
        ["head GET / HTTP/1.1", "Host: a", "A: b\tc d", "B: ", "C: é", "none", "end"]),
    .request(
        "RFC 9110 §5.6.2: every token character in a name",
        "GET / HTTP/1.1\r\nHost: a\r\n!#$%&'*+-.^_`|~09AZaz: 1\r\n\r\n",
        ["head GET / HTTP/1.1", "Host: a", "!#$%&'*+-.^_`|~09AZaz: 1", "none", "end"]),
    .request(
        "RFC 9110 §9.1: any token is a method", "M-SEARCH /a HTTP/1.1\r\nHost: [::1]:80\r\n\r\n",
        ["head M-SEARCH /a HTTP/1.1", "Host: [::1]:80", "none", "end"]),
    .request("RFC 9112 §8: the stream ends before a message", "", [], ends: true),
    .request(
        "RFC 9112 §8: the stream ends in a start line", "GET / HT", ["error unexpected-eof @8..8"], ends: true),
    .request(
        "RFC 9112 §8: the stream ends in content", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nab",
        [
            "head POST / HTTP/1.1", "Host: a", "Content-Length: 3", "length(3)", "body ab",
            "error unexpected-eof @49..49",
        ], ends: true),
    .request(
        "RFC 9112 §2.2 MAY: lone LF, by option", "\nGET / HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\n\n1\nx\n0\n\n",
        ["head GET / HTTP/1.1", "Host: a", "Transfer-Encoding: chunked", "chunked", "body x", "end"],
        leniency: .bareLF),
    .request(
        "RFC 9112 §5.2 MAY: folded lines, by option",
        "GET / HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n 3\r\nX: a\r\n \tb\r\n\tc \r\n \r\nY: 1\r\n\r\nabc",
        [
            "head GET / HTTP/1.1", "Host: a", "Content-Length: 3", "X: a   \tb  \tc", "Y: 1", "length(3)", "body abc",
            "end",
        ], leniency: .obsFold),
    .request(
        "RFC 9112 §6.3 rule 5 MAY: equal lengths, by option",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2, 2\r\nContent-Length: 2\r\n\r\nab",
        [
            "head POST / HTTP/1.1", "Host: a", "Content-Length: 2, 2", "Content-Length: 2", "length(2)", "body ab",
            "end",
        ],
        leniency: .identicalContentLengths),
    .request(
        "differing lengths stay refused with that option",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2, 3\r\n\r\nab", ["error differing-content-lengths"],
        leniency: .identicalContentLengths),
    .request(
        "a request without Host, by option", "GET / HTTP/1.1\r\n\r\n", ["head GET / HTTP/1.1", "none", "end"],
        leniency: .missingHost),
    .request(
        "a target as browsers send it, by option", "GET /{a}|?\"b\" HTTP/1.1\r\nHost: a\r\n\r\n",
        ["head GET /{a}|?\"b\" HTTP/1.1", "Host: a", "none", "end"], leniency: .unencodedTarget),
]
