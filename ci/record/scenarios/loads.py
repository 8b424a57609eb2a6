"""Load generators, slowed down to a few requests, and a browser."""

from clients import ab, chromium, hey, siege, wrk
from scenario import add

PIPELINE = """
function delay() return 200 end
function init(args)
  requests = wrk.format("GET", "/hello.txt") .. wrk.format("GET", "/alphabet.txt")
end
function request() return requests end
"""


def fill():
    add("nginx", "ab-http10", ab(path="/hello.txt", count=1), "RFC9112#2.3", "ab's HTTP/1.0, closed after the response", tags="http10")
    for s in ("nginx", "apache", "lighttpd", "h2o"):
        add(s, "ab-keep-alive", ab("-k", path="/hello.txt"), "RFC9112#9.3", "ab's HTTP/1.0 with keep-alive, three times", tags="http10 keep-alive")
    add("aiohttp", "ab-keep-alive", ab("-k", path="/hello"), "RFC9112#9.3", "ab's HTTP/1.0 with keep-alive, three times", tags="http10 keep-alive")
    add("haproxy", "ab-post", ab("-k", "-p", "lines.txt", "-T", "text/plain", path="/echo", count=2), "RFC9110#9.3.3", "ab posts a file twice", tags="http10 post keep-alive")
    add("apache", "ab-head", ab("-k", "-i", path="/hello.txt", count=2), "RFC9110#9.3.2", "ab asks for heads", tags="http10 head keep-alive")
    for s, path in (("nginx", "/hello.txt"), ("caddy", "/hello.txt"), ("varnish", "/hello"), ("node", "/hello")):
        add(s, "wrk", wrk(path), "RFC9112#9.3", "wrk for a second, one request at a time", tags="keep-alive")
    add("nginx", "wrk-pipelined", wrk(script=PIPELINE), "RFC9112#9.3.2", "wrk with two requests at a time", tags="pipelining keep-alive")
    add("h2o", "wrk-pipelined", wrk(script=PIPELINE), "RFC9112#9.3.2", "wrk with two requests at a time", tags="pipelining keep-alive")
    add("apache", "siege", siege(path="/hello.txt", count=1), "RFC9112#9.3", "siege, once")
    add("haproxy", "siege", siege(path="/hello", count=1), "RFC9112#9.3", "siege, once")
    add("nginx", "hey", hey(path="/hello.txt"), "RFC9112#9.3", "hey, three times", tags="keep-alive")
    add("python", "hey-post", hey("-m", "POST", "-d", "some text", path="/echo"), "RFC9110#9.3.3", "hey posts a little text, three times", tags="keep-alive post")
    add("nginx", "chromium-page", chromium("/page/"), "RFC9110#9.3.1", "A browser loads a page and its style sheet", tags="browser keep-alive", connection="all")
    add("caddy", "chromium-page", chromium("/page/"), "RFC9110#9.3.1", "A browser loads a page and its style sheet", tags="browser keep-alive", connection="all")
    add("aiohttp", "chromium-redirect", chromium("/redirect/302"), "RFC9110#15.4.3", "A browser is redirected", tags="browser redirect", connection="all")
    add("varnish", "chromium-chunked", chromium("/chunked"), "RFC9112#7.1", "A browser reads a chunked text", tags="browser chunked", connection="all")
