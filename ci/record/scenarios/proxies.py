"""Proxies: what they are asked, and what they ask of the servers behind them."""

from clients import curl, node, python, raw, through
from scenario import add

SQUID = ("-x", "http://@recorder@")
BEHIND_SQUID = ("-x", "http://@squid@")
EXPECT = ("-H", "Expect: 100-continue")
CHUNKED = ("-H", "Transfer-Encoding: chunked")


def fill():
    haproxy()
    varnish()
    squid()
    behind()


def haproxy():
    s = "haproxy"
    add(s, "curl-get", curl(paths=["/hello"]), "RFC9110#7.6", "A response that passed a proxy")
    add(s, "curl-head", curl("-I", paths=["/hello"]), "RFC9110#9.3.2", "HEAD through a proxy", tags="head")
    add(s, "curl-chunked", curl(paths=["/chunked"]), "RFC9112#7.1", "Chunks through a proxy", tags="chunked")
    add(s, "curl-redirect", curl("-L", paths=["/moved"]), "RFC9110#15.4.3", "The proxy itself redirects", tags="redirect")
    add(s, "curl-local", curl(paths=["/local"]), "RFC9110#9.3.1", "The proxy itself answers")
    add(s, "curl-denied", curl(paths=["/denied/x"]), "RFC9110#15.5.4", "403 by the proxy", tags="error")
    add(s, "curl-busy", curl(paths=["/busy"]), "RFC6585#4", "429 by the proxy", tags="error")
    add(s, "curl-no-backend", curl(paths=["/nobody"]), "RFC9110#15.6.4", "503: no server behind the proxy", tags="error")
    add(s, "curl-auth", curl("-u", "reader:open-sesame", paths=["/private"]), "RFC9110#11.6.2", "The proxy wants authentication, and has it", tags="auth")
    add(s, "curl-auth-missing", curl(paths=["/private"]), "RFC9110#15.5.2", "The proxy wants authentication", tags="auth error")
    add(s, "curl-trailers", curl(paths=["/py/trailers"]), "RFC9110#6.5", "Trailers through a proxy", tags="chunked trailers")
    add(s, "curl-early-hints", curl(paths=["/py/early-hints"]), "RFC9110#15.2", "An interim response through a proxy", tags="1xx")
    add(s, "curl-until-close", curl(paths=["/py/until-close"]), "RFC9112#6.3", "A body that ends with the connection, through a proxy", tags="close")
    add(s, "curl-http10", curl("-0", paths=["/chunked"]), "RFC9112#6.1", "Chunks, for a client of HTTP/1.0", tags="http10")
    add(s, "curl-bad-gateway", curl(paths=["/py/bad-status-line"]), "RFC9110#15.6.3", "502: the server behind the proxy speaks no HTTP", tags="error")
    add(s, "socket-timeout", raw(b"GET /hello HTTP/1.1\r\nHost: site.te"), "RFC9110#15.5.9", "408: half a head, and nothing more", tags="error", log=False, requests="GET", sides="client")


def varnish():
    s = "varnish"
    add(s, "curl-get", curl(paths=["/hello"]), "RFC9111#5.1", "A miss of a cache")
    add(s, "curl-hit", curl(paths=["/hello?cache=max-age=60", "/hello?cache=max-age=60"]), "RFC9111#5.1", "A miss, then a hit with Age", tags="keep-alive")
    add(s, "curl-head", curl("-I", paths=["/hello?cache=max-age=60"]), "RFC9110#9.3.2", "HEAD of what the cache has", tags="head")
    add(s, "curl-range", curl("-r", "0-4", paths=["/hello?cache=max-age=60"]), "RFC9110#14.2", "A range made by the cache", tags="range")
    add(s, "curl-not-modified", curl("-H", 'If-None-Match: "hello-1"', paths=["/hello?cache=max-age=60"]), "RFC9110#15.4.5", "304 by the cache", tags="304")
    add(s, "curl-chunked", curl(paths=["/chunked?miss"]), "RFC9112#7.1", "Chunks streamed through a cache", tags="chunked")
    add(s, "curl-synth", curl(paths=["/synth"]), "RFC9110#9.3.1", "The cache itself answers")
    add(s, "curl-forbidden", curl(paths=["/forbidden"]), "RFC9110#15.5.4", "403 by the cache", tags="error")
    add(s, "curl-http10", curl("-0", paths=["/chunked?ten"]), "RFC9112#6.1", "Chunks, for a client of HTTP/1.0", tags="http10 close")
    add(s, "curl-bad-gateway", curl(paths=["/cut?by=rst"], code=(0, 18, 56)), "RFC9112#8", "The server behind the cache is cut off in mid-body", tags="abort", log=False)


def squid():
    s = "squid"
    add(s, "curl-get", curl(*SQUID, paths=["http://@aiohttp@/hello"]), "RFC9112#3.2.2 MUST", "A request to a proxy, in absolute form", tags="proxy")
    add(
        s,
        "curl-two-requests",
        curl(*SQUID, paths=["http://@aiohttp@/hello", "http://@python@/chunked"]),
        "RFC9112#3.2.2",
        "Two servers over one connection to a proxy",
        tags="proxy keep-alive chunked",
    )
    add(
        s, "curl-hit", curl(*SQUID, paths=["http://@aiohttp@/hello?cache=max-age=60", "http://@aiohttp@/hello?cache=max-age=60"]), "RFC9111#5.1", "A miss, then a hit with Age", tags="proxy keep-alive"
    )
    add(s, "curl-head", curl("-I", *SQUID, paths=["http://@aiohttp@/hello"]), "RFC9110#9.3.2", "HEAD through a proxy", tags="proxy head")
    add(s, "curl-post", curl("-d", "a=1", *SQUID, paths=["http://@aiohttp@/echo"]), "RFC9110#9.3.3", "POST through a proxy", tags="proxy post")
    add(s, "curl-post-chunked", curl("--data-binary", "@lines.txt", *CHUNKED, *SQUID, paths=["http://@aiohttp@/echo"]), "RFC9112#7.1", "POST in chunks through a proxy", tags="proxy post chunked")
    add(
        s,
        "curl-post-continue",
        curl("--data-binary", "@lines.txt", *EXPECT, *SQUID, paths=["http://@aiohttp@/echo"]),
        "RFC9110#10.1.1",
        "POST that waits for 100, through a proxy",
        tags="proxy post 100-continue",
    )
    add(s, "curl-gzip", curl("-H", "Accept-Encoding: gzip", *SQUID, paths=["http://@aiohttp@/compressed/gzip"]), "RFC9110#8.4.1.3", "gzip through a proxy", tags="proxy gzip")
    add(s, "curl-connect", curl("-p", *SQUID, paths=["http://@aiohttp@/hello"], bodies=False), "RFC9110#9.3.6", "CONNECT, then a request in the tunnel", tags="proxy connect", log=False)
    add(s, "curl-connect-fails", curl("-p", *SQUID, paths=["http://127.0.9.9:9/"], code=56, bodies=False), "RFC9110#9.3.6", "CONNECT to where nobody listens", tags="proxy connect error")
    add(s, "curl-unreachable", curl(*SQUID, paths=["http://127.0.9.9:9/"]), "RFC9110#15.6.4", "503: nobody listens there", tags="proxy error")
    add(s, "curl-refused", curl(*SQUID, paths=["http://@aiohttp@/refused"]), "RFC9110#15.5.4", "403 by the proxy", tags="proxy error")
    add(s, "curl-auth-missing", curl(*SQUID, paths=["http://@aiohttp@/private"]), "RFC9110#15.5.8 MUST", "407 names the scheme", tags="proxy auth error")
    add(s, "curl-auth", curl("-U", "reader:open-sesame", *SQUID, paths=["http://@aiohttp@/private"]), "RFC9110#11.7.2", "Proxy-Authorization", tags="proxy auth error")
    add(s, "curl-origin-form", curl(paths=["/hello"]), "RFC9112#3.2.1", "A proxy that is asked as if it were the server", tags="proxy error", log=False)
    add(s, "curl-http10", curl("-0", *SQUID, paths=["http://@aiohttp@/chunked"]), "RFC9112#6.1", "Chunks for a client of HTTP/1.0", tags="proxy http10")
    add(s, "curl-max-forwards", curl("-X", "TRACE", "-H", "Max-Forwards: 0", *SQUID, paths=["http://@aiohttp@/hello"]), "RFC9110#7.6.2 MUST", "TRACE that ends at the proxy", tags="proxy", log=False)


def behind():
    """The hop behind a proxy: here the proxy is the client that is recorded."""
    plain = lambda *paths: curl(paths=list(paths))
    for proxy in ("nginx", "apache", "h2o", "caddy", "haproxy", "varnish"):
        label = {"nginx": "nginx", "apache": "Apache", "h2o": "h2o", "caddy": "Caddy", "haproxy": "HAProxy", "varnish": "Varnish"}[proxy]
        add("aiohttp", f"{proxy}-get", through(proxy, plain("/hello")), "RFC9110#7.6", f"{label} as the client", tags="proxied")
        if proxy not in ("apache", "h2o"):
            add("aiohttp", f"{proxy}-post", through(proxy, curl("-d", "name=value", paths=["/echo"])), "RFC9110#7.6", f"{label} passes a body on", tags="proxied post")
        add(
            "aiohttp",
            f"{proxy}-post-chunked",
            through(proxy, curl("--data-binary", "@lines.txt", *CHUNKED, paths=["/echo"])),
            "RFC9110#7.6",
            f"{label} passes on what came in chunks",
            tags="proxied post" + ("" if proxy in ("nginx", "apache", "h2o") else " chunked"),
        )
        add("python", f"{proxy}-chunked", through(proxy, plain("/chunked")), "RFC9112#7.1", f"{label} reads chunks", tags="proxied chunked")
    for proxy in ("nginx", "haproxy", "varnish", "caddy"):
        add("nginx" if proxy != "nginx" else "apache", f"{proxy}-range", through(proxy, curl("-r", "2-5", paths=["/alphabet.txt"])), "RFC9110#14.2", "A range through a proxy", tags="proxied range")
        add("nginx" if proxy != "nginx" else "apache", f"{proxy}-head", through(proxy, curl("-I", paths=["/hello.txt"])), "RFC9110#9.3.2", "HEAD through a proxy", tags="proxied head")
    add("aiohttp", "nginx-http10", through("nginx", plain("/ten/hello")), "RFC9112#2.3", "nginx asks in HTTP/1.0, as it does by default", tags="proxied http10")
    add(
        "aiohttp",
        "nginx-unbuffered",
        through("nginx", curl("--data-binary", "@large.txt", *CHUNKED, paths=["/unbuffered/echo"])),
        "RFC9112#7.1",
        "nginx passes chunks on as they come",
        tags="proxied post chunked large",
    )
    add("aiohttp", "nginx-websocket", through("nginx", python("aiohttp", {"path": "/ws", "say": ["through nginx"]})), "RFC6455#4.1", "A WebSocket behind nginx", tags="proxied upgrade websocket")
    add("aiohttp", "haproxy-two-requests", through("haproxy", plain("/hello", "/chunked")), "RFC9112#9.3", "HAProxy uses its connection again", tags="proxied keep-alive chunked")
    add("node", "caddy-trailers", through("caddy", curl(paths=["/trailers"])), "RFC9110#6.5", "Caddy reads trailers", tags="proxied chunked trailers")
    add(
        "node",
        "haproxy-trailers-up",
        through("haproxy", node({"method": "POST", "path": "/echo", "headers": {"Trailer": "X-Checksum"}, "chunks": ["alpha\n", "beta\n"], "trailers": {"X-Checksum": "0badf00d"}})),
        "RFC9110#6.5",
        "HAProxy passes a request's trailers on",
        tags="proxied post chunked trailers",
    )
    add("python", "nginx-until-close", through("nginx", plain("/until-close")), "RFC9112#6.3", "nginx reads until the end", tags="proxied close")
    add("python", "haproxy-early-hints", through("haproxy", plain("/early-hints")), "RFC9110#15.2", "HAProxy reads an interim response", tags="proxied 1xx")
    add("aiohttp", "squid-get", behind_squid(curl(*BEHIND_SQUID, paths=["http://@recorder@/hello"])), "RFC9110#7.6.3", "Squid as the client, with Via and X-Forwarded-For", tags="proxied")
    add("nginx", "squid-range", behind_squid(curl("-r", "1-3", *BEHIND_SQUID, paths=["http://@recorder@/alphabet.txt"])), "RFC9110#14.2", "A range behind Squid", tags="proxied range")
    add(
        "aiohttp",
        "squid-post-chunked",
        behind_squid(curl("--data-binary", "@lines.txt", *CHUNKED, *BEHIND_SQUID, paths=["http://@recorder@/echo"])),
        "RFC9112#7.1",
        "Squid passes on what came in chunks",
        tags="proxied post",
    )


def behind_squid(driver):
    """Squid is a forward proxy: it goes where it is told to, here to the recorder."""

    def drive(run):
        view = driver(run)
        for message in view["messages"]:
            message["match"] = "passed-on"
        view["interim_hidden"] = True
        return view

    drive.client = "squid"
    return drive
