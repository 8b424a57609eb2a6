"""Malformed requests, and how each server answers them. What is wrong, and its code, is RFC 9112's."""

from clients import curl, raw
from scenario import add

# name: what the client sends before it only reads; the code; the rule; what it is
REQUESTS = {
    "no-host": (b"GET /hello.txt HTTP/1.1\r\nUser-Agent: none\r\n\r\n", "missing-host", "RFC9112#3.2 MUST", "No Host"),
    "two-hosts": (b"GET /hello.txt HTTP/1.1\r\nHost: a.test\r\nHost: b.test\r\n\r\n", "duplicate-host", "RFC9112#3.2 MUST", "Two Hosts"),
    "bad-host": (b"GET /hello.txt HTTP/1.1\r\nHost: a b@c/d\r\n\r\n", "bad-host", "RFC9112#3.2 MUST", "A Host that is none"),
    "differing-lengths": (b"POST /hello.txt HTTP/1.1\r\nHost: site.test\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", "differing-content-lengths", "RFC9112#6.3 MUST", "Two lengths"),
    "length-list": (b"POST /hello.txt HTTP/1.1\r\nHost: site.test\r\nContent-Length: 3, 4\r\n\r\nabcd", "bad-content-length", "RFC9112#6.3 MUST", "A list of lengths"),
    "signed-length": (b"POST /hello.txt HTTP/1.1\r\nHost: site.test\r\nContent-Length: +3\r\n\r\nabc", "bad-content-length", "RFC9110#8.6 MUST", "A length with a sign"),
    "huge-length": (b"POST /hello.txt HTTP/1.1\r\nHost: site.test\r\nContent-Length: 99999999999999999999\r\n\r\nabc", "bad-content-length", "RFC9110#8.6 MUST", "A length beyond 64 bits"),
    "length-and-encoding": (
        b"POST /hello.txt HTTP/1.1\r\nHost: site.test\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nX",
        "length-and-encoding",
        "RFC9112#6.1",
        "Both a length and chunks",
    ),
    "unknown-coding": (
        b"POST /hello.txt HTTP/1.1\r\nHost: site.test\r\nTransfer-Encoding: snappy, chunked\r\n\r\n0\r\n\r\n",
        "unknown-transfer-coding",
        "RFC9112#6.1 SHOULD",
        "A coding that nobody knows",
    ),
    "encoding-in-http10": (b"POST /hello.txt HTTP/1.0\r\nHost: site.test\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "encoding-in-http10", "RFC9112#6.1 MUST", "Chunks in HTTP/1.0"),
    "space-before-colon": (b"GET /hello.txt HTTP/1.1\r\nHost: site.test\r\nX-Test : a\r\n\r\n", "space-before-colon", "RFC9112#5.1 MUST", "White space between a name and its colon"),
    "folded-field": (b"GET /hello.txt HTTP/1.1\r\nHost: site.test\r\nX-Test: a\r\n b\r\n\r\n", "obs-fold", "RFC9112#5.2 MUST", "A folded field"),
    "line-without-colon": (b"GET /hello.txt HTTP/1.1\r\nHost: site.test\r\nno colon\r\n\r\n", "header-without-colon", "RFC9112#5", "A field line without a colon"),
    "bad-name": (b"GET /hello.txt HTTP/1.1\r\nHost: site.test\r\nX(Test): a\r\n\r\n", "bad-header-name", "RFC9110#5.1", "A field name that is no token"),
    "nul": (b"GET /hello.txt HTTP/1.1\r\nHost: site.test\r\nX-Test: a\0b\r\n\r\n", "nul", "RFC9110#5.5 MUST", "NUL in a field"),
    "bare-cr": (b"GET /hello.txt HTTP/1.1\r\nHost: site.test\r\nX-Test: a\rb\r\n\r\n", "bare-cr", "RFC9112#2.2 MUST", "A bare CR in a field"),
    "bare-lf": (b"GET /hello.txt HTTP/1.1\nHost: site.test\n\n", "bare-lf", "RFC9112#2.2 MAY", "Lines that end in LF alone"),
    "bad-method": (b"G@T /hello.txt HTTP/1.1\r\nHost: site.test\r\n\r\n", "bad-method", "RFC9110#9.1", "A method that is no token"),
    "bad-version": (b"GET /hello.txt HTTP/1.x\r\nHost: site.test\r\n\r\n", "bad-version", "RFC9112#2.3", "A version that is none"),
    "version-2": (b"GET /hello.txt HTTP/2.0\r\nHost: site.test\r\n\r\n", "unsupported-version", "RFC9110#15.6.6", "HTTP/2.0 in a line of text"),
    "no-version": (b"GET /hello.txt\r\nHost: site.test\r\n\r\n", "bad-request-line", "RFC9112#3", "No version"),
    "two-spaces": (b"GET  /hello.txt HTTP/1.1\r\nHost: site.test\r\n\r\n", "bad-request-line", "RFC9112#3", "Two spaces in the request line"),
    "fragment": (b"GET /hello.txt#part HTTP/1.1\r\nHost: site.test\r\n\r\n", "bad-target", "RFC9112#3.2", "A fragment in the target"),
    "space-in-target": (b"GET /hello .txt HTTP/1.1\r\nHost: site.test\r\n\r\n", "bad-request-line", "RFC9112#3.2 SHOULD", "A space in the target"),
}
BODIES = {
    "bad-chunk-size": (b"zz\r\nabc\r\n0\r\n\r\n", "bad-chunk-size", "RFC9112#7.1", "A chunk size that is no number"),
    "huge-chunk-size": (b"fffffffffffffffff\r\nabc\r\n0\r\n\r\n", "chunk-size-overflow", "RFC9112#7.1 MUST", "A chunk size beyond 64 bits"),
    "chunk-too-long": (b"3\r\nabcdef\r\n0\r\n\r\n", "bad-chunk-end", "RFC9112#7.1", "More in a chunk than its size"),
}
PATHS = {
    "aiohttp": "/echo",
    "python": "/echo",
    "node": "/echo",
    "haproxy": "/echo",
    "varnish": "/echo",
    "lighttpd": "/cgi/echo.cgi",
    "apache": "/cgi/echo.cgi",
    "nginx": "/upload/chunks.txt",
    "h2o": "/echo",
    "caddy": "/proxied/echo",
    "squid": "/echo",
}
# Who is sent what.
WHO = {
    "no-host": "nginx caddy varnish",
    "two-hosts": "apache haproxy",
    "bad-host": "nginx lighttpd",
    "differing-lengths": "nginx apache lighttpd h2o haproxy squid",
    "length-list": "haproxy caddy",
    "signed-length": "lighttpd node",
    "huge-length": "nginx varnish",
    "length-and-encoding": "nginx apache haproxy node",
    "unknown-coding": "nginx caddy",
    "encoding-in-http10": "apache haproxy",
    "space-before-colon": "nginx apache lighttpd node",
    "folded-field": "nginx h2o aiohttp",
    "line-without-colon": "apache caddy",
    "bad-name": "haproxy node",
    "nul": "nginx lighttpd aiohttp",
    "bare-cr": "apache node",
    "bare-lf": "nginx haproxy",
    "bad-method": "apache aiohttp",
    "bad-version": "nginx python",
    "version-2": "apache lighttpd python",
    "no-version": "lighttpd haproxy",
    "two-spaces": "apache node",
    "fragment": "nginx varnish",
    "space-in-target": "nginx node",
    "bad-chunk-size": "nginx lighttpd haproxy aiohttp varnish",
    "huge-chunk-size": "apache caddy",
    "chunk-too-long": "nginx node",
}
# http.server answers with a page but no status line where it could not tell the version.
NO_STATUS_LINE = {("python", "bad-version"), ("python", "version-2")}


def fill():
    for name, servers in WHO.items():
        for s in servers.split():
            if name in REQUESTS:
                data, code, rule, what = REQUESTS[name]
            else:
                body, code, rule, what = BODIES[name]
                data = f"{'PUT' if s == 'nginx' else 'POST'} {PATHS[s]} HTTP/1.1\r\nHost: site.test\r\nTransfer-Encoding: chunked\r\n\r\n".encode() + body
            method = data.split(b" ")[0].decode()
            if s == "squid":
                data = data.replace(b" /", b" http://site.test/", 1)
            add(
                s,
                f"socket-{name}",
                raw(data, timeout=4, quiet=1.2),
                rule,
                what,
                tags="malformed error",
                server_error=(code, rule),
                log=False,
                client_error=("bare-lf", "RFC9112#2.2") if (s, name) in NO_STATUS_LINE else None,
                requests=method if method.isalpha() else "GET",
            )
    too_large()


def too_large():
    """Beyond a limit that both the server and our parser have by default."""
    for s in ("nginx", "lighttpd"):
        add(
            s,
            "curl-target-too-long",
            curl(paths=["/hello.txt?" + "q" * 70000], code=(0, 52, 55, 56), bodies=False),
            "RFC9112#3 SHOULD",
            "A target of 70,000 bytes",
            tags="malformed error large-headers",
            server_error=("request-line-too-long", "RFC9112#3"),
            log=False,
            requests="GET",
        )
    for s in ("nginx", "varnish", "node"):
        add(
            s,
            "curl-field-too-long",
            curl("-H", "X-Test: " + "f" * 20000, paths=["/hello.txt"], code=(0, 52, 55, 56), bodies=False),
            "RFC9110#5.4 MUST",
            "A field of 20,000 bytes",
            tags="malformed error large-headers",
            server_error=("header-line-too-long", "RFC9110#5.4"),
            log=False,
            requests="GET",
        )
    for s in ("apache", "haproxy"):
        add(
            s,
            "curl-too-many-fields",
            curl(*sum((["-H", f"X-{i}: {i}"] for i in range(120)), []), paths=["/hello.txt"], code=(0, 52, 55, 56), bodies=False),
            "RFC6585#5",
            "More than a hundred fields",
            tags="malformed error large-headers",
            server_error=("too-many-headers", "RFC9110#5.4"),
            log=False,
            requests="GET",
        )
    for s in ("nginx", "caddy"):
        add(
            s,
            "curl-http2-preface",
            curl("--http2-prior-knowledge", paths=["/hello.txt"], code=(0, 1, 16, 52, 55, 56), bodies=False),
            "RFC9113#3.4",
            "HTTP/2 to a server that has not been asked",
            tags="malformed error",
            server_error=("unsupported-version", "RFC9110#15.6.6", 0),
            log=False,
            requests="GET",
            lost=True,
        )
