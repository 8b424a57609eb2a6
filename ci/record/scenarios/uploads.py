"""Requests with bodies: with a length, chunked, with 100-continue, multipart, refused."""

from clients import curl, node, perl, python, raw, wget
from scenario import add

EXPECT = ("-H", "Expect: 100-continue")
CHUNKED = ("-H", "Transfer-Encoding: chunked")


def fill():
    stored()
    echoed()
    refused()
    libraries()


def stored():
    """nginx and Apache store what is put; the file is compared."""
    for s in ("nginx", "apache"):
        add(s, "curl-put", curl("-T", "lines.txt", paths=["/upload/lines.txt"]), "RFC9110#9.3.4", "PUT of a file", tags="put", stored="upload/lines.txt")
        add(s, "curl-put-chunked", curl("-T", "lines.txt", *CHUNKED, paths=["/upload/chunked.txt"]), "RFC9112#7.1", "PUT of a file in chunks", tags="put chunked", stored="upload/chunked.txt")
        add(s, "curl-put-continue", curl("-T", "lines.txt", *EXPECT, paths=["/upload/continue.txt"]), "RFC9110#10.1.1", "PUT that waits for 100", tags="put 100-continue", stored="upload/continue.txt")
        add(s, "curl-put-empty", curl("-X", "PUT", "-H", "Content-Length: 0", paths=["/upload/empty.txt"]), "RFC9110#8.6", "PUT of nothing", tags="put", stored="upload/empty.txt")
    add("nginx", "curl-put-large", curl("-T", "large.txt", paths=["/upload/large.txt"]), "RFC9110#9.3.4", "PUT of 96,000 bytes", tags="put large", stored="upload/large.txt")
    add(
        "apache",
        "curl-put-large-chunked",
        curl("-T", "large.txt", *CHUNKED, paths=["/upload/large.txt"]),
        "RFC9112#7.1",
        "PUT of 96,000 bytes in chunks",
        tags="put chunked large",
        stored="upload/large.txt",
    )
    add(
        "nginx",
        "curl-put-chunked-continue",
        curl("-T", "lines.txt", *EXPECT, *CHUNKED, paths=["/upload/both.txt"]),
        "RFC9110#10.1.1",
        "PUT in chunks after 100",
        tags="put chunked 100-continue",
        stored="upload/both.txt",
    )
    add("nginx", "wget-put", wget("--method=PUT", "--body-file=lines.txt", paths=["/upload/wget.txt"]), "RFC9110#9.3.4", "PUT by wget", tags="put", stored="upload/wget.txt")
    add("nginx", "curl-put-noise", curl("-T", "noise.bin", paths=["/upload/noise.bin"]), "RFC9110#9.3.4", "PUT of 70,000 bytes that do not repeat", tags="put large", stored="upload/noise.bin")
    add("apache", "curl-delete", curl("-X", "DELETE", paths=["/upload/nothing-there"]), "RFC9110#9.3.5", "DELETE of what is not there", tags="error")
    add("apache", "curl-propfind", curl("-X", "PROPFIND", "-H", "Depth: 0", paths=["/upload/"]), "RFC4918#9.1", "A method of WebDAV with a 207", tags="webdav")
    add("nginx", "curl-mkcol", curl("-X", "MKCOL", paths=["/upload/folder/"]), "RFC4918#9.3", "A method of WebDAV", tags="webdav")


def echoed():
    """Applications that answer with the digest of what they saw."""
    for s, path in (
        ("apache", "/cgi/echo.cgi"),
        ("lighttpd", "/cgi/echo.cgi"),
        ("aiohttp", "/echo"),
        ("haproxy", "/echo"),
        ("varnish", "/echo"),
        ("caddy", "/proxied/echo"),
        ("h2o", "/proxied/echo"),
        ("nginx", "/proxied/echo"),
    ):
        if s not in ("varnish", "nginx", "h2o"):
            add(s, "curl-post", curl("-d", "name=value&other=1", paths=[path]), "RFC9110#9.3.3", "A form is posted", tags="post")
        add(s, "curl-post-chunked", curl("--data-binary", "@lines.txt", *CHUNKED, paths=[path]), "RFC9112#7.1", "A body posted in chunks", tags="post chunked")
        if s not in ("nginx", "h2o"):
            add(s, "curl-post-continue", curl("--data-binary", "@lines.txt", *EXPECT, paths=[path]), "RFC9110#10.1.1", "A body that waits for 100", tags="post 100-continue")
    add("h2o", "curl-post-mruby", curl("-d", "to the handler", paths=["/echo"]), "RFC9110#9.3.3", "A handler inside the server gives the body back", tags="post")
    add("python", "curl-post", curl("-d", "name=value", paths=["/echo"]), "RFC9110#9.3.3", "A form is posted and comes back", tags="post")
    add("python", "curl-post-chunked", curl("--data-binary", "@lines.txt", *CHUNKED, paths=["/echo"]), "RFC9112#7.1", "A chunked body comes back with a length", tags="post chunked")
    add("node", "curl-post-chunked", curl("--data-binary", "@lines.txt", *CHUNKED, paths=["/echo"]), "RFC9112#7.1", "A chunked body comes back", tags="post chunked")
    add("node", "curl-post-continue", curl("--data-binary", "@lines.txt", *EXPECT, paths=["/echo"]), "RFC9110#10.1.1", "Node answers 100 of its own accord", tags="post 100-continue")
    add("python", "curl-post-continue", curl("--data-binary", "@lines.txt", *EXPECT, paths=["/echo"]), "RFC9110#10.1.1", "http.server answers 100 of its own accord", tags="post 100-continue")
    add("aiohttp", "curl-multipart", curl("-F", "title=a file", "-F", "file=@hello.txt", paths=["/multipart"]), "RFC7578#4", "A form with a file", tags="post multipart")
    add("aiohttp", "curl-post-json", curl("-H", "Content-Type: application/json", "-d", '{"a": [1, 2, 3]}', paths=["/echo"]), "RFC9110#8.3", "JSON is posted", tags="post")
    add("aiohttp", "curl-patch-and-delete", curl("-X", "PATCH", "-d", "part", paths=["/echo/1", "/echo/2"]), "RFC5789#2", "PATCH, twice", tags="keep-alive")
    add("aiohttp", "curl-empty-post", curl("-X", "POST", "-H", "Content-Length: 0", paths=["/echo"]), "RFC9110#8.6", "POST of nothing", tags="post")
    add("aiohttp", "curl-get-with-body", curl("-X", "GET", "-d", "unexpected", paths=["/echo"]), "RFC9110#9.3.1", "GET with a body", tags="post")
    add("aiohttp", "curl-stream", curl("--data-binary", "@lines.txt", *CHUNKED, "-H", "Content-Type: text/plain", paths=["/stream"]), "RFC9112#7.1", "Chunked both ways at once", tags="post chunked")
    add(
        "aiohttp",
        "socket-chunk-by-chunk",
        raw(
            b"POST /stream HTTP/1.1\r\nHost: site.test\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n",
            0.05,
            b"6\r\nalpha\n\r\n",
            0.05,
            b"5\r\nbe",
            0.05,
            b"ta\n\r\n",
            0.05,
            b"0\r\n",
            0.05,
            b"\r\n",
        ),
        "RFC9112#7.1",
        "Chunks that come one by one, one of them in two segments, each answered at once",
        tags="post chunked",
    )
    add("aiohttp", "curl-post-twice", curl("-d", "one body", paths=["/echo", "/echo/again"]), "RFC9112#9.3", "Two posts on one connection", tags="post keep-alive")
    add(
        "aiohttp",
        "socket-pipelined-posts",
        raw(
            b"POST /echo HTTP/1.1\r\nHost: site.test\r\nContent-Length: 3\r\n\r\noneGET /hello HTTP/1.1\r\nHost: site.test\r\n\r\n"
            b"POST /echo HTTP/1.1\r\nHost: site.test\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n3\r\ntwo\r\n0\r\n\r\n"
        ),
        "RFC9112#9.3.2",
        "Bodies of both kinds in a pipeline",
        tags="pipelining post chunked",
    )
    add(
        "node",
        "socket-pipelined",
        raw(
            b"POST /echo HTTP/1.1\r\nHost: site.test\r\nContent-Length: 3\r\n\r\noneGET /chunked HTTP/1.1\r\nHost: site.test\r\n\r\nHEAD /hello HTTP/1.1\r\nHost: site.test\r\nConnection: close\r\n\r\n"
        ),
        "RFC9112#9.3.2",
        "A body, a chunked answer and a HEAD in a pipeline",
        tags="pipelining post head chunked",
    )
    add(
        "haproxy",
        "socket-pipelined",
        raw(b"GET /hello HTTP/1.1\r\nHost: site.test\r\n\r\nGET /local HTTP/1.1\r\nHost: site.test\r\n\r\nGET /moved HTTP/1.1\r\nHost: site.test\r\nConnection: close\r\n\r\n"),
        "RFC9112#9.3.2",
        "A pipeline through a proxy, some of it answered by the proxy",
        tags="pipelining",
    )
    add(
        "varnish",
        "socket-pipelined",
        raw(b"GET /hello HTTP/1.1\r\nHost: site.test\r\n\r\nGET /synth HTTP/1.1\r\nHost: site.test\r\n\r\nGET /forbidden HTTP/1.1\r\nHost: site.test\r\nConnection: close\r\n\r\n"),
        "RFC9112#9.3.2",
        "A pipeline to a cache, some of it answered by the cache",
        tags="pipelining",
    )
    add(
        "python",
        "socket-pipelined",
        raw(b"GET /hello HTTP/1.1\r\nHost: site.test\r\n\r\nGET /trailers HTTP/1.1\r\nHost: site.test\r\n\r\nGET /until-close HTTP/1.1\r\nHost: site.test\r\n\r\n"),
        "RFC9112#9.3.2",
        "A length, chunks with trailers, and a body until close in a pipeline",
        tags="pipelining chunked trailers close",
    )


def refused():
    add("nginx", "curl-put-too-large", curl("-T", "lines.txt", paths=["/tiny/lines.txt"], code=(0, 55, 56)), "RFC9110#15.5.14", "A body larger than the server takes", tags="put error")
    add(
        "nginx",
        "curl-put-too-large-continue",
        curl("-T", "lines.txt", *EXPECT, paths=["/tiny/lines.txt"]),
        "RFC9110#10.1.1",
        "413 instead of 100: the body is never sent",
        tags="put error 100-continue",
    )
    add(
        "lighttpd",
        "curl-post-too-large-continue",
        curl("-T", "large.txt", *EXPECT, paths=["/hello.txt"]),
        "RFC9110#10.1.1",
        "PUT where nothing can be put, with 100-continue",
        tags="put error 100-continue",
    )
    add("apache", "curl-post-to-file", curl("-d", "a=1", paths=["/hello.txt"]), "RFC9110#9.3.3", "POST to a file", tags="post")
    add("caddy", "curl-post-to-file", curl("-d", "a=1", paths=["/hello.txt"]), "RFC9110#9.3.3", "POST to a file, which this server takes for GET", tags="post")


def libraries():
    add("aiohttp", "wget-post", wget("--post-file=lines.txt", paths=["/echo"]), "RFC9110#9.3.3", "POST by wget", tags="post")
    add("aiohttp", "perl-post", perl("POST", "/echo", "lines.txt"), "RFC9110#9.3.3", "POST by libwww-perl", tags="post")
    add(
        "aiohttp",
        "requests-chunked",
        python("requests", {"method": "POST", "path": "/echo", "chunks": ["alpha\n", "beta\n", "gamma\n"]}),
        "RFC9112#7.1",
        "requests sends what a generator yields",
        tags="post chunked",
    )
    add(
        "apache",
        "requests-chunked",
        python("requests", {"method": "POST", "path": "/cgi/echo.cgi", "chunks": ["alpha\n", "beta\n", "gamma\n"]}),
        "RFC9112#7.1",
        "requests sends what a generator yields",
        tags="post chunked",
    )
    add(
        "node",
        "requests-multipart",
        python("requests", {"method": "POST", "path": "/echo", "files": {"file": ["hello.txt", "hello, world\n", "text/plain"]}}),
        "RFC7578#4",
        "A file in a form by requests",
        tags="post multipart",
    )
    add(
        "python",
        "requests-post",
        python("requests", {"method": "POST", "path": "/echo", "body": "some text"}, {"method": "PUT", "path": "/echo", "body": "other text"}),
        "RFC9110#9.3.3",
        "POST and PUT by requests",
        tags="post put keep-alive",
    )
    add(
        "node",
        "aiohttp-chunked",
        python("aiohttp", {"method": "POST", "path": "/echo", "chunks": ["alpha\n", "beta\n"]}),
        "RFC9112#7.1",
        "aiohttp sends what an async generator yields",
        tags="post chunked",
    )
    add(
        "nginx",
        "aiohttp-put-continue",
        python("aiohttp", {"method": "PUT", "path": "/upload/aiohttp.txt", "body": "put by aiohttp\n", "expect": True}),
        "RFC9110#10.1.1",
        "aiohttp waits for 100",
        tags="put 100-continue",
        stored="upload/aiohttp.txt",
    )
    add(
        "aiohttp",
        "aiohttp-compressed-upload",
        python("aiohttp", {"method": "POST", "path": "/stream", "body": "0123456789abcde\n", "times": 40, "compress": "deflate", "headers": {"Content-Type": "text/plain"}}),
        "RFC9110#8.4",
        "A compressed body, chunked by the client",
        tags="post chunked deflate",
        log=False,
    )
    add(
        "python",
        "http-client-chunked",
        python("http.client", {"method": "POST", "path": "/echo", "chunks": ["alpha\n", "beta\n", "gamma\n"]}),
        "RFC9112#7.1",
        "http.client sends what an iterator yields",
        tags="post chunked",
    )
    add("haproxy", "httpx-chunked", python("httpx", {"method": "POST", "path": "/echo", "chunks": ["alpha\n", "beta\n"]}), "RFC9112#7.1", "httpx sends what a generator yields", tags="post chunked")
    trailers = {"method": "POST", "path": "/echo", "headers": {"Trailer": "X-Checksum"}, "chunks": ["alpha\n", "beta\n"], "trailers": {"X-Checksum": "0badf00d"}}
    add("node", "node-trailers", node(trailers), "RFC9112#7.1.2", "Trailers after a chunked request", tags="post chunked trailers")
    add("python", "node-trailers", node(trailers), "RFC9112#7.1.2", "Trailers after a chunked request", tags="post chunked trailers")
    add("apache", "node-trailers", node(trailers | {"path": "/cgi/echo.cgi"}), "RFC9112#7.1.2", "Trailers that the server reads and drops", tags="post chunked trailers")
    add(
        "nginx",
        "node-trailers",
        node(trailers | {"method": "PUT", "path": "/upload/trailers.txt"}),
        "RFC9112#7.1.2",
        "Trailers that the server reads and drops",
        tags="put chunked trailers",
        stored="upload/trailers.txt",
    )
    add("haproxy", "node-trailers", node(trailers | {"path": "/node/echo"}), "RFC9112#7.1.2", "Trailers that a proxy passes on", tags="post chunked trailers")
    add(
        "nginx",
        "node-continue",
        node({"method": "PUT", "path": "/upload/node.txt", "headers": {"Expect": "100-continue", "Content-Length": "12"}, "body": "put by node\n"}),
        "RFC9110#10.1.1",
        "Node's client waits for 100",
        tags="put 100-continue",
        stored="upload/node.txt",
    )
