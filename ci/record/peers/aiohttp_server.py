"""An aiohttp application that writes down what it saw of every request (VIEW_LOG, one JSON object a line)."""

import asyncio
import base64
import hashlib
import json
import os
import sys

from aiohttp import web

LINE = b"0123456789abcde\n"
VIEW_LOG = os.environ["VIEW_LOG"]


def note(request, body, complete=True):
    view = {
        "method": request.method,
        "target": request.raw_path,
        "version": f"{request.version.major}.{request.version.minor}",
        "headers": [[n.decode("latin-1"), v.decode("latin-1")] for n, v in request.raw_headers],
        "body_length": len(body),
        "body_sha256": hashlib.sha256(body).hexdigest(),
        "complete": complete,
    }
    with open(VIEW_LOG, "a") as log:
        log.write(json.dumps(view) + "\n")


@web.middleware
async def observe(request, handler):
    if request.path.startswith("/stream"):
        return await handler(request)
    try:
        body = await request.read()
    except BaseException:
        note(request, b"", complete=False)
        raise
    note(request, body)
    return await handler(request)


async def hello(request):
    return web.Response(
        text="hello, world\n", headers={"ETag": '"hello-1"', "Cache-Control": request.query.get("cache", "no-store")}
    )


async def echo(request):
    body = await request.read()
    seen = {
        "method": request.method,
        "target": request.raw_path,
        "length": len(body),
        "sha256": hashlib.sha256(body).hexdigest(),
    }
    return web.json_response(seen)


async def chunked(request):
    response = web.StreamResponse(headers={"Content-Type": "text/plain"})
    response.enable_chunked_encoding()
    await response.prepare(request)
    for part in (b"alpha\n", b"beta\n", b"gamma\n"):
        await response.write(part)
        await asyncio.sleep(0.02)
    await response.write_eof()
    return response


async def compressed(request):
    response = web.Response(body=LINE * int(request.query.get("lines", "40")), content_type="text/plain")
    response.enable_compression(
        {"gzip": web.ContentCoding.gzip, "deflate": web.ContentCoding.deflate}[request.match_info["coding"]]
    )
    return response


async def cookies(request):
    response = web.Response(text=";".join(f"{k}={v}" for k, v in sorted(request.cookies.items())) + "\n")
    response.set_cookie("taste", "plain", path="/", httponly=True)
    response.set_cookie("size", "large", max_age=60)
    return response


async def redirect(request):
    kind = {
        "301": web.HTTPMovedPermanently,
        "302": web.HTTPFound,
        "303": web.HTTPSeeOther,
        "307": web.HTTPTemporaryRedirect,
        "308": web.HTTPPermanentRedirect,
    }
    raise kind[request.match_info["status"]]("/echo")


async def auth(request):
    if request.headers.get("Authorization") == "Basic " + base64.b64encode(b"reader:open-sesame").decode():
        return web.Response(text="welcome\n")
    return web.Response(status=401, text="who are you?\n", headers={"WWW-Authenticate": 'Basic realm="recordings"'})


async def status(request):
    code = int(request.match_info["status"])
    return web.Response(status=code) if code in (204, 304) else web.Response(status=code, text=f"status {code}\n")


async def large(request):
    return web.Response(body=LINE * int(request.query.get("lines", "8192")), content_type="text/plain")


async def headers(request):
    return web.Response(
        text="many\n",
        headers={
            f"X-Field-{i:02}": "v" * int(request.query.get("size", "40"))
            for i in range(int(request.query.get("count", "40")))
        },
    )


async def cut(request):
    """Promises 1,000 bytes, sends 320 and ends the connection: with FIN, or with RST."""
    response = web.StreamResponse(headers={"Content-Type": "text/plain"})
    if request.query.get("framing") == "chunked":
        response.enable_chunked_encoding()
    else:
        response.content_length = 1000
    await response.prepare(request)
    await response.write(LINE * 20)
    await asyncio.sleep(0.1)
    if request.query.get("by") == "rst":
        import socket
        import struct

        sock = request.transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        request.transport.abort()
    else:
        request.transport.close()
    return response


async def slow(request):
    response = web.StreamResponse(headers={"Content-Type": "text/plain"})
    response.enable_chunked_encoding()
    await response.prepare(request)
    for _ in range(100):
        await response.write(LINE)
        await asyncio.sleep(0.05)
    await response.write_eof()
    return response


async def stream(request):
    """Answers while the request's body is still arriving, part by part."""
    response = web.StreamResponse(headers={"Content-Type": "application/octet-stream"})
    response.enable_chunked_encoding()
    body = b""
    try:
        await response.prepare(request)
        async for part in request.content.iter_any():
            body += part
            await response.write(part)
        await response.write_eof()
    except BaseException:
        note(request, body, complete=False)
        raise
    note(request, body)
    return response


async def multipart(request):
    form = await request.post()
    seen = {}
    for name, value in form.items():
        seen[name] = value if isinstance(value, str) else {"filename": value.filename, "length": len(value.file.read())}
    return web.json_response(seen)


async def socket(request):
    ws = web.WebSocketResponse(compress=False)
    await ws.prepare(request)
    async for message in ws:
        if message.type == web.WSMsgType.TEXT:
            await ws.send_str("echo: " + message.data)
    return ws


async def refuse(request):
    raise web.HTTPExpectationFailed(text="no\n")


def main():
    app = web.Application(middlewares=[observe], client_max_size=1 << 24)
    app.router.add_get("/hello", hello)
    for method in ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"):
        app.router.add_route(method, "/echo{rest:.*}", echo)
    app.router.add_get("/chunked", chunked)
    app.router.add_get("/compressed/{coding}", compressed)
    app.router.add_get("/cookies", cookies)
    app.router.add_route("*", "/redirect/{status}", redirect)
    app.router.add_get("/auth", auth)
    app.router.add_get("/status/{status}", status)
    app.router.add_get("/large", large)
    app.router.add_get("/headers", headers)
    app.router.add_get("/cut", cut)
    app.router.add_get("/slow", slow)
    app.router.add_post("/stream", stream)
    app.router.add_post("/multipart", multipart)
    app.router.add_get("/ws", socket)
    app.router.add_put("/refuse", echo, expect_handler=refuse)
    host, port = sys.argv[1].rsplit(":", 1)
    web.run_app(
        app, host=host, port=int(port), access_log=None, print=None, keepalive_timeout=1.5, shutdown_timeout=0.1
    )


main()
