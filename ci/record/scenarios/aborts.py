"""Conversations that end too early: by the server or the client, with FIN or RST."""

from clients import curl, node, python, raw
from scenario import add

GET = b"GET %s HTTP/1.1\r\nHost: site.test\r\n\r\n"
EOF = ("unexpected-eof", "RFC9112#8")


def fill():
    by_server()
    by_client()
    broken_responses()


def by_server():
    add("aiohttp", "curl-cut-fin", curl(paths=["/cut?by=fin"], code=18), "RFC9112#8 MUST", "320 of 1,000 bytes, then the end", tags="abort", client_error=EOF)
    add("aiohttp", "curl-cut-rst", curl(paths=["/cut?by=rst"], code=56), "RFC9112#8 MUST", "320 of 1,000 bytes, then a reset", tags="abort")
    add("aiohttp", "curl-cut-chunked-fin", curl(paths=["/cut?by=fin&framing=chunked"], code=18), "RFC9112#8 MUST", "No last chunk", tags="abort chunked", client_error=EOF)
    add("aiohttp", "curl-cut-chunked-rst", curl(paths=["/cut?by=rst&framing=chunked"], code=56), "RFC9112#8 MUST", "A reset between chunks", tags="abort chunked")
    add("aiohttp", "aiohttp-cut-fin", python("aiohttp", {"path": "/cut?by=fin"}), "RFC9112#8 MUST", "320 of 1,000 bytes, then the end", tags="abort", client_error=EOF)
    add("python", "curl-short", curl(paths=["/short"], code=18), "RFC9112#8 MUST", "32 of 100 bytes, then the end", tags="abort", client_error=EOF)
    add("python", "http-client-short", python("http.client", {"path": "/short"}), "RFC9112#8 MUST", "32 of 100 bytes, then the end: IncompleteRead", tags="abort", client_error=EOF)
    add("python", "curl-short-chunk", curl(paths=["/short-chunk"], code=18), "RFC9112#8 MUST", "The end inside a chunk", tags="abort chunked", client_error=EOF)
    add("python", "curl-no-last-chunk", curl(paths=["/no-last-chunk"], code=18), "RFC9112#8 MUST", "The end where the last chunk should be", tags="abort chunked", client_error=EOF)
    add("python", "curl-short-head", curl(paths=["/short-head"], code=(0, 8, 18, 56)), "RFC9112#8", "The end inside the response's head", tags="abort", client_error=EOF, lost=True)
    add("python", "curl-close-at-once", curl(paths=["/close-at-once"], code=52), "RFC9112#9.6", "The end instead of a response", tags="abort", sides="server")
    add("node", "curl-reset", curl(paths=["/reset"], code=56), "RFC9112#8 MUST", "Node resets the connection in mid-body", tags="abort chunked")
    add("node", "curl-destroy", curl(paths=["/destroy"], code=(18, 56)), "RFC9112#8 MUST", "Node drops the connection in mid-body", tags="abort", client_error=EOF)
    add("node", "node-destroy", node({"path": "/destroy"}), "RFC9112#8 MUST", "Node's client sees an aborted response", tags="abort", client_error=EOF)
    add("haproxy", "curl-backend-cut", curl(paths=["/cut?by=fin"], code=(18, 56)), "RFC9112#8", "The server behind the proxy stops in mid-body", tags="abort", client_error=EOF)
    add("nginx", "curl-backend-cut", curl(paths=["/proxied/cut?by=fin"], code=(18, 56)), "RFC9112#8", "The server behind the proxy stops in mid-body", tags="abort", client_error=EOF)
    add(
        "caddy",
        "curl-backend-cut-chunked",
        curl(paths=["/proxied/cut?by=fin&framing=chunked"]),
        "RFC9112#8",
        "The server behind the proxy stops between chunks, which this proxy hides",
        tags="chunked",
    )
    add(
        "apache",
        "socket-half-head",
        raw(b"GET /hello.txt HTTP/1.1\r\nHost: site"),
        "RFC9110#15.5.9",
        "Half a head, and nothing more: the server's patience",
        tags="abort timeout",
        requests="GET",
        sides="client",
        log=False,
    )
    for s in ("nginx", "apache", "lighttpd", "caddy"):
        add(s, "socket-idle", raw(GET % b"/hello.txt"), "RFC9112#9.5", "The server closes a connection that was idle too long", tags="keep-alive timeout")
    add(
        "nginx",
        "socket-half-body",
        raw(b"PUT /upload/half.txt HTTP/1.1\r\nHost: site.test\r\nContent-Length: 100\r\n\r\nhalf of it"),
        "RFC9110#15.5.9",
        "Part of a body, and nothing more: the server's patience",
        tags="abort timeout put",
        log=False,
    )


def by_client():
    for s, path in (("nginx", b"/hello.txt"), ("aiohttp", b"/hello"), ("haproxy", b"/hello")):
        add(s, "socket-half-close", raw(GET % path, ending="fin"), "RFC9112#9.6", "The client has said all and closes its half; the answer still comes", tags="half-close", log=False)
    add("nginx", "socket-fin-in-head", raw(b"GET /hello.txt HTTP/1.1\r\nHo", ending="fin"), "RFC9112#8", "The client ends inside a head", tags="abort", server_error=EOF, log=False, requests="GET")
    add(
        "apache",
        "socket-fin-in-head",
        raw(b"GET /hello.txt HTTP/1.1\r\nHost: site.test\r\n", ending="fin"),
        "RFC9112#8",
        "The client ends before the empty line",
        tags="abort",
        server_error=EOF,
        log=False,
        requests="GET",
    )
    for s, path in (("nginx", "/upload/cut.txt"), ("aiohttp", "/echo"), ("node", "/echo"), ("haproxy", "/echo")):
        head = f"{'PUT' if s == 'nginx' else 'POST'} {path} HTTP/1.1\r\nHost: site.test\r\n".encode()
        add(
            s,
            "socket-fin-in-body",
            raw(head + b"Content-Length: 100\r\n\r\n", 0.05, b"only this", ending="fin"),
            "RFC9112#8 MUST",
            "The client ends in mid-body",
            tags="abort post",
            server_error=EOF,
            log=False,
        )
        add(
            s,
            "socket-fin-in-chunk",
            raw(head + b"Transfer-Encoding: chunked\r\n\r\n5\r\nalpha\r\n5\r\nbe", ending="fin"),
            "RFC9112#8 MUST",
            "The client ends inside a chunk",
            tags="abort post chunked",
            server_error=EOF,
            log=False,
        )
    for s, path in (("nginx", "/upload/rst.txt"), ("aiohttp", "/echo"), ("node", "/echo")):
        head = f"{'PUT' if s == 'nginx' else 'POST'} {path} HTTP/1.1\r\nHost: site.test\r\n".encode()
        add(s, "socket-rst-in-body", raw(head + b"Content-Length: 100\r\n\r\n", 0.05, b"only this", 0.1, ending="rst"), "RFC9112#8 MUST", "The client resets in mid-body", tags="abort post", log=False)
    add("aiohttp", "curl-gives-up", curl("-m", "0.3", paths=["/slow"], code=28, bodies=False), "RFC9112#9.6", "The client has had enough after 0.3 s", tags="abort chunked", log=False, gives_up=True)
    add(
        "aiohttp",
        "socket-rst-while-reading",
        raw(GET % b"/slow", "read", 0.1, "read", ending="rst"),
        "RFC9112#9.6",
        "The client resets while the response is coming",
        tags="abort chunked",
        log=False,
        gives_up=True,
    )
    add(
        "nginx",
        "curl-size-exceeded",
        curl("--max-filesize", "5", paths=["/slow/large.txt"], code=63, bodies=False),
        "RFC9112#9.6",
        "A file larger than the client takes: it hangs up",
        tags="abort",
        log=False,
        gives_up=True,
    )
    add("aiohttp", "aiohttp-gives-up", python("aiohttp", {"path": "/slow", "read": 32}), "RFC9112#9.6", "The client reads 32 bytes and hangs up", tags="abort chunked", log=False, gives_up=True)


def broken_responses():
    """Responses that no client may take, each as curl sees it."""
    broken = [
        ("bad-chunk-size", "bad-chunk-size", "RFC9112#7.1", "A chunk size that is no number", (56,)),
        ("bad-status-line", "bad-status-line", "RFC9112#4", "A status that is no number", (0, 1, 8, 56)),
        ("header-without-colon", "header-without-colon", "RFC9112#5", "A field line without a colon", (0, 8, 56)),
        ("two-lengths", "differing-content-lengths", "RFC9112#6.3 MUST", "Two lengths", (0, 8, 18, 56)),
        ("signed-length", "bad-content-length", "RFC9110#8.6", "A negative length", (0, 8, 18, 56)),
    ]
    for path, code, rule, what, exits in broken:
        add("python", f"curl-{path}", curl(paths=[f"/{path}"], code=exits, bodies=False), rule, what + " in a response", tags="malformed", client_error=(code, rule), lost=True)
