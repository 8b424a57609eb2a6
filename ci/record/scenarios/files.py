"""What servers of files are asked: ranges, conditions, redirects, compression, errors."""

from clients import aria2c, curl, perl, python, raw, wget
from scenario import add

SERVERS = ["nginx", "apache", "lighttpd", "h2o", "caddy"]


def fill():
    for s in SERVERS:
        every(s)
    few()
    some()


def every(s):
    add(s, "curl-get", curl(paths=["/hello.txt"]), "RFC9110#9.3.1", "A small file")
    add(s, "curl-head", curl("-I", paths=["/hello.txt"]), "RFC9110#9.3.2 MUST NOT", "HEAD: the length of a body that is not sent", tags="head")
    add(
        s,
        "curl-http10-keep-alive",
        curl("-0", "-H", "Connection: keep-alive", paths=["/hello.txt", "/alphabet.txt"]),
        "RFC9112#9.3",
        "HTTP/1.0 that asks for keep-alive, twice",
        tags="http10 keep-alive",
    )
    add(s, "curl-range", curl("-r", "7-11", paths=["/hello.txt"]), "RFC9110#14.2 MAY", "One range of bytes", tags="range")
    add(s, "curl-range-multiple", curl("-r", "0-3,500-510,-2", paths=["/lines.txt"]), "RFC9110#14.6 MUST", "Three ranges at once", tags="range multipart")
    add(
        s,
        "http-client-not-modified-then-head-then-get",
        python("http.client", {"path": "/hello.txt", "headers": {"If-Modified-Since": "Tue, 14 Nov 2023 22:13:20 GMT"}}, {"method": "HEAD", "path": "/hello.txt"}, {"path": "/hello.txt"}),
        "RFC9112#6.3 MUST",
        "A 304, a HEAD and a GET on one connection: only the third has a body",
        tags="304 head keep-alive",
    )
    add(s, "curl-not-found", curl(paths=["/no/such/file"]), "RFC9110#15.5.5", "404 with a page of the server's own", tags="error")
    add(s, "curl-gzip", curl("-H", "Accept-Encoding: gzip", paths=["/css/style.css"]), "RFC9110#8.4.1.3", "A style sheet compressed on the way", tags="gzip")
    add(s, "curl-redirect", curl("-L", paths=["/old/"]), "RFC9110#15.4.2", "A redirect that is followed on the same connection", tags="redirect")
    add(
        s,
        "curl-method-refused",
        curl("-X", "DELETE", paths=["/hello.txt"]),
        "RFC9110#15.5.6",
        "DELETE of a file" + ("" if s != "caddy" else ", which this server takes for GET"),
        tags="" if s == "caddy" else "error",
    )
    add(s, "curl-upgrade-h2c", curl("--http2", paths=["/hello.txt"]), "RFC9110#7.8 MAY", "An offer to go on with HTTP/2", tags="upgrade", log=s not in ("lighttpd", "h2o"))
    add(
        s,
        "socket-pipelined",
        raw(b"GET /hello.txt HTTP/1.1\r\nHost: site.test\r\n\r\nHEAD /alphabet.txt HTTP/1.1\r\nHost: site.test\r\n\r\nGET /alphabet.txt HTTP/1.1\r\nHost: site.test\r\nConnection: close\r\n\r\n"),
        "RFC9112#9.3.2 MUST",
        "Three requests in one segment, the last of which closes",
        tags="pipelining head close",
    )


def few():
    for s in ("apache", "h2o", "caddy"):
        add(s, "curl-close", curl("-H", "Connection: close", paths=["/hello.txt"]), "RFC9112#9.6 MUST", "The client asks for the connection to be closed", tags="close")
    for s in ("nginx", "apache", "caddy"):
        add(s, "curl-http10", curl("-0", paths=["/hello.txt"]), "RFC9112#2.3", "HTTP/1.0 without keep-alive", tags="http10")
    for s in ("nginx", "lighttpd", "h2o"):
        add(s, "curl-two-requests", curl(paths=["/hello.txt", "/alphabet.txt"]), "RFC9112#9.3", "Two requests on one connection", tags="keep-alive")
    for s in ("nginx", "lighttpd", "caddy"):
        add(s, "curl-range-unsatisfiable", curl("-r", "5000-", paths=["/hello.txt"]), "RFC9110#15.5.17", "A range beyond the end", tags="range error")
    for s in ("nginx", "h2o", "caddy"):
        add(
            s,
            "curl-not-modified",
            curl("-H", "If-Modified-Since: Tue, 14 Nov 2023 22:13:20 GMT", "-H", "User-Agent: conditional", paths=["/hello.txt"]),
            "RFC9110#15.4.5 MUST NOT",
            "Not modified since",
            tags="304",
        )
    for s in ("nginx", "apache", "lighttpd"):
        add(s, "curl-options", curl("-X", "OPTIONS", paths=["/hello.txt"]), "RFC9110#9.3.7", "OPTIONS of a file")


def some():
    add("nginx", "curl-range-suffix", curl("-r", "-4", paths=["/alphabet.txt"]), "RFC9110#14.1.2", "The last four bytes", tags="range")
    add("apache", "curl-resume", curl("-C", "5", paths=["/alphabet.txt"]), "RFC9110#14.2", "A download resumed at its sixth byte", tags="range")
    add("nginx", "curl-if-range", curl("-r", "0-3", "-H", 'If-Range: "no-such-tag"', paths=["/alphabet.txt"]), "RFC9110#13.1.5", "If-Range that does not hold: the whole file", tags="range")
    add("apache", "curl-if-none-match", curl("-H", 'If-None-Match: "d-60a24181e4000"', paths=["/hello.txt"]), "RFC9110#13.1.2", "An entity tag that matches", tags="304")
    add("lighttpd", "curl-if-none-match", curl("-H", 'If-None-Match: "a", "b", W/"c"', paths=["/hello.txt"]), "RFC9110#13.1.2", "A list of tags of which none matches")
    add("nginx", "curl-empty-file", curl(paths=["/empty.txt", "/hello.txt"]), "RFC9112#6.3", "A file of no bytes, then one of some", tags="keep-alive")
    add("nginx", "curl-ssi-chunked", curl(paths=["/ssi/page.shtml"]), "RFC9112#7.1", "A page put together on the way: chunked", tags="chunked")
    add("apache", "curl-ssi", curl(paths=["/ssi/page.shtml"]), "RFC9112#7.1", "A page put together on the way", tags="chunked")
    add("nginx", "curl-gzip-range", curl("-H", "Accept-Encoding: gzip", "-r", "0-99", paths=["/css/style.css"]), "RFC9110#14.2", "A range of what would be compressed", tags="range gzip")
    add("lighttpd", "curl-deflate", curl("-H", "Accept-Encoding: deflate", paths=["/css/style.css"]), "RFC9110#8.4.1.2", "deflate on the way", tags="deflate")
    add("lighttpd", "curl-brotli", curl("-H", "Accept-Encoding: br", paths=["/css/style.css"]), "RFC9110#8.4.1", "brotli on the way", tags="br")
    add("nginx", "curl-compressed", curl("--compressed", paths=["/css/style.css"]), "RFC9110#12.5.3", "curl offers every coding it has and decodes the answer", tags="gzip")
    add("caddy", "wget-gzip", wget("--compression=gzip", paths=["/css/style.css"]), "RFC9110#8.4.1.3", "wget decodes gzip", tags="gzip")
    for s in ("nginx", "caddy"):
        add(s, "curl-no-content", curl(paths=["/nothing", "/hello.txt"]), "RFC9110#15.3.5 MUST NOT", "204, then a file on the same connection", tags="204 keep-alive")
        add(s, "curl-teapot", curl(paths=["/teapot"]), "RFC9110#15.5.19", "418 with a text of one's own", tags="error")
        add(s, "curl-see-other", curl("-d", "a=1", "-L", paths=["/see-other"]), "RFC9110#15.4.4", "POST, then a GET of what 303 points to", tags="redirect post")
        add(s, "curl-unavailable", curl(paths=["/broken"]), "RFC9110#15.6.4", "503", tags="error")
    for s in ("nginx", "apache", "h2o", "caddy"):
        add(s, "curl-cookies", curl("-b", "taste=plain; size=large", paths=["/cookie/index.html"]), "RFC6265#3", "Cookies both ways, two Set-Cookie lines", tags="cookies")
    for s in ("nginx", "apache", "lighttpd"):
        add(s, "curl-basic-auth-missing", curl(paths=["/private/secret.txt"]), "RFC9110#15.5.2 MUST", "401 names the scheme", tags="auth error")
        add(s, "curl-basic-auth", curl("-u", "reader:open-sesame", paths=["/private/secret.txt"]), "RFC9110#11.6.2", "Basic authentication", tags="auth")
    add(
        "lighttpd",
        "curl-digest-auth",
        curl("--digest", "-u", "reader:open-sesame", paths=["/digest/secret.txt"]),
        "RFC9110#11.6.2",
        "Digest authentication: refused once, then answered",
        tags="auth keep-alive",
    )
    add("apache", "curl-as-is", curl(paths=["/asis/plain.asis"]), "RFC9112#4", "A response whose head is a file, with a reason of its own")
    add("apache", "curl-gone", curl(paths=["/gone"]), "RFC9110#15.5.11", "410", tags="error")
    add(
        "nginx",
        "curl-connect-refused",
        curl("-p", "-x", "http://@recorder@", paths=["http://site.test:80/"], code=56, bodies=False),
        "RFC9110#9.3.6",
        "CONNECT to a server that is no proxy",
        tags="connect error",
    )
    add(
        "apache",
        "curl-connect-refused",
        curl("-p", "-x", "http://@recorder@", paths=["http://site.test:80/"], code=56, bodies=False),
        "RFC9110#9.3.6",
        "CONNECT to a server that is no proxy",
        tags="connect error",
        log=False,
    )
    add("nginx", "curl-absolute-form", curl("-x", "http://@recorder@", paths=["http://site.test/hello.txt"]), "RFC9112#3.2.2 MUST", "The target with its authority, as to a proxy")
    add("caddy", "curl-absolute-form", curl("-x", "http://@recorder@", paths=["http://site.test/hello.txt"]), "RFC9112#3.2.2 MUST", "The target with its authority, as to a proxy")
    add("apache", "curl-options-asterisk", curl("-X", "OPTIONS", "--request-target", "*", paths=["/"]), "RFC9112#3.2.4", "OPTIONS of the server itself")
    add("apache", "curl-trace", curl("-X", "TRACE", "-H", "X-Test: one two", paths=["/hello.txt"]), "RFC9110#9.3.8", "TRACE, where the server answers with what it read")
    add("nginx", "curl-query", curl("--path-as-is", paths=["/hello.txt?a=1&b=%20c;d=/../e?f"]), "RFC9112#3.2.1", "A query with everything that may be in one")
    add("nginx", "curl-escapes", curl("--path-as-is", paths=["/%68ello.txt", "/css/../hello.txt", "/caf%C3%A9"]), "RFC3986#2.1", "Escapes and dots in the path, as they were sent", tags="keep-alive")
    add("nginx", "curl-large", curl(paths=["/large.txt"]), "RFC9112#6.2", "A body of 96,000 bytes in many segments", tags="large")
    add("nginx", "curl-noise", curl(paths=["/noise.bin"]), "RFC9112#6.2", "70,000 bytes that do not repeat", tags="large")
    add("h2o", "curl-large", curl(paths=["/large.txt"]), "RFC9112#6.2", "A body of 96,000 bytes in many segments", tags="large")
    add("nginx", "curl-many-headers", curl(*sum((["-H", f"X-Field-{i:02}: {'v' * i}"] for i in range(60)), []), paths=["/hello.txt"]), "RFC9110#5.4", "Sixty fields", tags="large-headers")
    add("apache", "curl-large-header", curl("-H", "X-Test: " + "w" * 7000, paths=["/hello.txt"]), "RFC9110#5.4", "A field of 7,000 bytes", tags="large-headers", log=False)
    add("caddy", "curl-large-cookie", curl("-b", "c=" + "k" * 4000, paths=["/hello.txt"]), "RFC9110#5.4", "A cookie of 4,000 bytes", tags="large-headers cookies")
    add(
        "lighttpd",
        "curl-odd-headers",
        curl("-H", "X-Empty;", "-H", "x-test: lower", "-H", "X-Latin: caf\u00e9", "-H", "X_Under_Score: 1", "-H", 'X-Punct: a,b;c="d, e" (f) \\ {}', paths=["/hello.txt"]),
        "RFC9110#5.5",
        "Fields with empty, non-ASCII and punctuated values",
    )
    add("h2o", "perl-get", perl("GET", "/hello.txt"), "RFC9110#9.3.1", "libwww-perl's request, with TE", tags="keep-alive")
    add("apache", "perl-head", perl("HEAD", "/hello.txt"), "RFC9110#9.3.2", "HEAD by libwww-perl", tags="head")
    add("nginx", "aria2-get", aria2c(path="/alphabet.txt"), "RFC9110#9.3.1", "aria2 fetches a file")
    add("lighttpd", "wget-get", wget(paths=["/hello.txt"]), "RFC9110#9.3.1", "wget's request")
    add("nginx", "wget-keep-alive", wget(paths=["/hello.txt", "/alphabet.txt", "/lines.txt"]), "RFC9112#9.3", "Three files by one wget", tags="keep-alive")
    add("apache", "wget-spider", wget("--spider", paths=["/hello.txt"]), "RFC9110#9.3.2", "wget looks whether a file is there", tags="head")
    add("h2o", "wget-not-found", wget(paths=["/no/such/file"], codes=(8,)), "RFC9110#15.5.5", "wget is told that there is none", tags="error")
    add("caddy", "wget-redirect", wget(paths=["/old/"]), "RFC9110#15.4.2", "wget follows a redirect", tags="redirect")
    add(
        "lighttpd",
        "requests-session",
        python("requests", {"path": "/hello.txt"}, {"method": "HEAD", "path": "/hello.txt"}, {"path": "/css/style.css", "headers": {"Accept-Encoding": "deflate"}}),
        "RFC9112#9.3",
        "Three requests of one session",
        tags="keep-alive head deflate",
    )
    add("nginx", "requests-redirect", python("requests", {"path": "/old/", "follow": True}), "RFC9110#15.4.2", "requests follows a redirect", tags="redirect")
    add("caddy", "httpx-get", python("httpx", {"path": "/hello.txt"}, {"path": "/css/style.css"}), "RFC9112#9.3", "httpx, twice", tags="keep-alive gzip")
    add("h2o", "aiohttp-get", python("aiohttp", {"path": "/hello.txt"}, {"path": "/css/style.css"}), "RFC9112#9.3", "aiohttp's client, twice", tags="keep-alive gzip")
    add("apache", "aiohttp-range", python("aiohttp", {"path": "/lines.txt", "headers": {"Range": "bytes=2-5,1000-1010"}}), "RFC9110#14.6", "Two ranges by aiohttp's client", tags="range multipart")
