"""Application servers and their answers: chunked, trailers, interim responses, upgrades, odd but valid heads."""

from clients import aria2c, curl, node, perl, python, raw, wget
from scenario import add


def fill():
    aiohttp()
    http_server()
    node_server()
    upgrades()


def aiohttp():
    s = "aiohttp"
    add(s, "curl-chunked", curl(paths=["/chunked"]), "RFC9112#7.1", "Three chunks, each in a segment", tags="chunked")
    add(s, "curl-http10", curl("-0", paths=["/hello"]), "RFC9112#2.3", "HTTP/1.0", tags="http10")
    add(s, "curl-head", curl("-I", paths=["/hello"]), "RFC9110#9.3.2", "HEAD", tags="head")
    add(s, "curl-gzip", curl("-H", "Accept-Encoding: gzip", paths=["/compressed/gzip"]), "RFC9110#8.4.1.3", "gzip", tags="gzip")
    add(s, "curl-deflate", curl("-H", "Accept-Encoding: deflate", paths=["/compressed/deflate"]), "RFC9110#8.4.1.2", "deflate", tags="deflate")
    add(s, "curl-cookies", curl("-b", "taste=bitter", paths=["/cookies"]), "RFC6265#3", "Cookies with attributes", tags="cookies")
    add(
        s,
        "curl-cookie-jar",
        curl("-c", "jar.txt", "-b", "taste=new", "-L", paths=["/cookies", "/cookies"]),
        "RFC6265#5",
        "Cookies that are set come back with the next request",
        tags="cookies keep-alive",
    )
    for status in ("301", "302", "303", "307", "308"):
        add(
            s,
            f"curl-redirect-{status}",
            curl("-L", "-d", "moved=1", paths=[f"/redirect/{status}"]),
            f"RFC9110#15.4.{ {'301': 2, '302': 3, '303': 4, '307': 8, '308': 9}[status] }",
            f"POST is redirected with {status}: curl goes on with {'POST' if status in ('307', '308') else 'GET'}",
            tags="redirect post keep-alive",
        )
    add(
        s,
        "aiohttp-redirect-307",
        python("aiohttp", {"method": "PUT", "path": "/redirect/307", "body": "kept", "follow": True}),
        "RFC9110#15.4.8 MUST NOT",
        "aiohttp's client repeats the body",
        tags="redirect put keep-alive",
    )
    add(s, "curl-auth", curl("--anyauth", "-u", "reader:open-sesame", paths=["/auth"]), "RFC9110#11.6.1", "curl asks which authentication is wanted, then gives it", tags="auth keep-alive")
    add(s, "requests-auth", python("requests", {"path": "/auth", "auth": ["reader", "open-sesame"]}), "RFC9110#11.6.2", "Basic authentication at once", tags="auth")
    add(
        s,
        "curl-statuses",
        curl(paths=["/status/204", "/status/404", "/status/304", "/status/500", "/status/200"]),
        "RFC9112#6.3",
        "Statuses with and without bodies on one connection",
        tags="204 304 error keep-alive",
    )
    add(s, "curl-rare-statuses", curl(paths=["/status/205", "/status/206", "/status/226", "/status/299"]), "RFC9110#15", "Rarer statuses", tags="keep-alive")
    add(s, "curl-many-response-headers", curl(paths=["/headers?count=60"]), "RFC9110#5.4", "A response with sixty fields", tags="large-headers")
    add(s, "curl-large-response-header", curl(paths=["/headers?count=2&size=7000"]), "RFC9110#5.4", "Two fields of 7,000 bytes", tags="large-headers")
    add(s, "curl-large", curl(paths=["/large?lines=3000"]), "RFC9112#6.2", "48,000 bytes", tags="large")
    add(
        s,
        "http-client-keep-alive",
        python("http.client", {"path": "/chunked"}, {"path": "/hello"}, {"method": "POST", "path": "/echo", "body": "last"}),
        "RFC9112#9.3",
        "A chunked response, then two more requests",
        tags="chunked keep-alive post",
    )
    add(s, "socket-idle", raw(b"GET /hello HTTP/1.1\r\nHost: site.test\r\n\r\n"), "RFC9112#9.5", "The server closes a connection that was idle too long", tags="keep-alive")
    add(
        s,
        "curl-expect-unknown",
        curl("-H", "Expect: a-miracle", paths=["/hello"]),
        "RFC9110#10.1.1 MAY",
        "An expectation that nobody knows",
        tags="error",
        server_error=("bad-expectation", "RFC9110#10.1.1"),
        log=False,
    )
    add(
        s,
        "httpx-options",
        python("httpx", {"method": "OPTIONS", "path": "/echo"}, {"method": "DELETE", "path": "/echo/1"}, {"method": "PROPFIND", "path": "/echo"}),
        "RFC9110#9.3",
        "OPTIONS, DELETE and PROPFIND",
        tags="keep-alive",
    )


def http_server():
    s = "python"
    add(s, "curl-get", curl(paths=["/hello"]), "RFC9110#9.3.1", "http.server's answer")
    add(s, "curl-chunked", curl(paths=["/chunked"]), "RFC9112#7.1", "Three chunks", tags="chunked")
    add(s, "curl-trailers", curl(paths=["/trailers"]), "RFC9112#7.1.2", "Two trailer fields that were announced", tags="chunked trailers")
    add(s, "node-trailers-down", node({"path": "/trailers"}, {"path": "/hello"}), "RFC9112#7.1.2", "Two trailer fields, then another response", tags="chunked trailers keep-alive")
    add(s, "curl-chunk-extensions", curl(paths=["/extensions"]), "RFC9112#7.1.1 MUST", "Chunk extensions that nobody knows, one of them quoted", tags="chunked")
    add(s, "wget-chunk-extensions", wget(paths=["/extensions"]), "RFC9112#7.1.1 MUST", "Chunk extensions that nobody knows, one of them quoted", tags="chunked")
    add(s, "curl-chunk-sizes", curl(paths=["/upper-hex"]), "RFC9112#7.1", "Chunk sizes with capitals and zeros in front", tags="chunked")
    add(s, "curl-until-close", curl(paths=["/until-close"]), "RFC9112#6.3", "A body that ends with the connection", tags="close")
    add(s, "wget-until-close", wget(paths=["/until-close"]), "RFC9112#6.3", "A body that ends with the connection", tags="close")
    add(s, "aiohttp-until-close", python("aiohttp", {"path": "/until-close"}), "RFC9112#6.3", "A body that ends with the connection", tags="close")
    add(s, "curl-early-hints", curl(paths=["/early-hints"]), "RFC8297#2", "103 before 200", tags="1xx")
    add(s, "curl-processing", curl(paths=["/processing", "/hello"]), "RFC9110#15.2 MUST", "102 twice before 200, then another request", tags="1xx keep-alive")
    add(s, "curl-no-content", curl(paths=["/no-content", "/hello"]), "RFC9110#15.3.5", "204, then another request", tags="204 keep-alive")
    add(s, "curl-reset-content", curl(paths=["/reset-content"]), "RFC9110#15.3.6", "205 with a length of none")
    add(s, "curl-not-modified", curl(paths=["/not-modified", "/hello"]), "RFC9110#15.4.5 MUST NOT", "304 with the length that 200 would have had", tags="304 keep-alive")
    add(s, "curl-gzip", curl(paths=["/gzip"]), "RFC9110#8.4.1.3", "gzip with a length", tags="gzip")
    add(s, "curl-empty-reason", curl(paths=["/empty-reason"]), "RFC9112#4 MUST", "A status line with an empty reason")
    add(s, "curl-odd-fields", curl(paths=["/odd-fields"]), "RFC9110#5.5", "Empty, doubled, punctuated and non-ASCII fields")
    add(s, "curl-http10", curl("-0", paths=["/until-close"]), "RFC9112#2.3", "HTTP/1.0", tags="http10 close")
    add(s, "curl-large", curl(paths=["/large"]), "RFC9112#6.2", "96,000 bytes", tags="large")
    add(s, "curl-not-found", curl(paths=["/nowhere"]), "RFC9110#15.5.5", "404 with http.server's page", tags="error")
    add(
        s, "curl-not-implemented", curl("-X", "BREW", paths=["/hello"]), "RFC9110#15.6.2", "A method that the server has not", tags="error", log=False, without={"llhttp": "it knows a list of methods"}
    )
    add(s, "aria2-get", aria2c(path="/hello"), "RFC9110#9.3.1", "aria2 fetches from http.server")
    add(s, "perl-chunked", perl("GET", "/chunked"), "RFC9112#7.1", "libwww-perl reads chunks", tags="chunked")


def node_server():
    s = "node"
    add(s, "curl-get", curl(paths=["/hello"]), "RFC9110#9.3.1", "Node's answer, with Keep-Alive")
    add(s, "curl-chunked", curl(paths=["/chunked"]), "RFC9112#7.1", "Chunks", tags="chunked")
    add(s, "curl-trailers", curl(paths=["/trailers"]), "RFC9112#7.1.2", "A trailer field", tags="chunked trailers")
    add(s, "node-trailers-down", node({"path": "/trailers"}), "RFC9112#7.1.2", "A trailer field that was announced", tags="chunked trailers")
    add(s, "node-early-hints", node({"path": "/hints"}), "RFC8297#2", "103 before 200", tags="1xx")
    add(s, "curl-early-hints", curl(paths=["/hints"]), "RFC8297#2", "103 before 200", tags="1xx")
    for coding in ("gzip", "deflate", "br"):
        add(s, f"curl-{coding}", curl(paths=[f"/{coding}"]), "RFC9110#8.4.1", f"{coding}, chunked", tags=f"{coding}")
    add(s, "curl-no-content", curl(paths=["/204", "/hello"]), "RFC9110#15.3.5", "204, then another request", tags="204 keep-alive")
    add(s, "curl-reason", curl(paths=["/reason"]), "RFC9112#4", "A status and a reason of one's own")
    add(s, "curl-cookies", curl("-b", "x=y", paths=["/cookies"]), "RFC6265#3", "Two cookies are set", tags="cookies")
    add(s, "curl-http10", curl("-0", paths=["/chunked"]), "RFC9112#6.1 MUST NOT", "HTTP/1.0 gets no chunks but the end of the connection", tags="http10 close")
    add(s, "curl-head", curl("-I", paths=["/chunked"]), "RFC9110#9.3.2", "HEAD of what would be chunked", tags="head")
    add(
        s,
        "requests-keep-alive",
        python("requests", {"path": "/chunked"}, {"method": "POST", "path": "/echo", "body": "x"}, {"path": "/nowhere"}),
        "RFC9112#9.3",
        "Three requests of one session",
        tags="keep-alive chunked post error",
    )
    add(s, "aiohttp-trailers-down", python("aiohttp", {"path": "/trailers"}), "RFC9112#7.1.2", "Trailers that the client does not show", tags="chunked trailers")


def upgrades():
    add("aiohttp", "aiohttp-websocket", python("aiohttp", {"path": "/ws", "say": ["first", "second"]}), "RFC6455#4.1", "A WebSocket is opened, two messages go both ways", tags="upgrade websocket")
    add("haproxy", "aiohttp-websocket", python("aiohttp", {"path": "/ws", "say": ["through"]}), "RFC6455#4.1", "A WebSocket through a proxy", tags="upgrade websocket")
    add("caddy", "aiohttp-websocket", python("aiohttp", {"path": "/proxied/ws", "say": ["through"]}), "RFC6455#4.1", "A WebSocket through a proxy", tags="upgrade websocket")
    add(
        "node",
        "node-upgrade",
        node({"path": "/any", "headers": {"Connection": "Upgrade", "Upgrade": "echo"}, "say": ["one", "two"]}),
        "RFC9110#7.8",
        "An upgrade to a protocol that echoes",
        tags="upgrade",
    )
    add("node", "node-connect", node({"connect": "site.test:80", "say": ["hello", "there"]}), "RFC9110#9.3.6", "CONNECT; the tunnel echoes", tags="connect")
    add(
        "squid",
        "node-connect",
        node({"connect": "@aiohttp@", "say": ["GET /hello HTTP/1.1\r\nHost: site.test\r\nConnection: close\r\n\r\n"]}),
        "RFC9110#9.3.6",
        "CONNECT through a proxy to a server",
        tags="connect",
        log=False,
    )
    add(
        "python",
        "curl-upgrade-declined",
        curl("-H", "Connection: Upgrade", "-H", "Upgrade: something/1", paths=["/hello", "/hello"]),
        "RFC9110#7.8 MAY",
        "An upgrade that is ignored, twice",
        tags="upgrade keep-alive",
    )
