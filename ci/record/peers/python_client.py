"""Drives one of the Python HTTP clients through some steps and prints what it saw as JSON.

usage: python_client.py LIBRARY BASE-URL STEPS, where STEPS is a JSON list of objects:
  {"method", "path", "headers": {}, "body": text, "times": n, "chunks": [texts], "expect": true, "read": n, "say": [texts]}
"""

import asyncio
import hashlib
import http.client
import json
import sys
from urllib.parse import urlsplit

library, base, steps = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
seen = []


def body_of(step):
    if "chunks" in step:
        return [part.encode() for part in step["chunks"]]
    return (step["body"] * step.get("times", 1)).encode() if "body" in step else None


def note(status, version, headers, body, **more):
    seen.append(
        {
            "status": status,
            "version": version,
            "headers": headers,
            "body_length": len(body),
            "body_sha256": hashlib.sha256(body).hexdigest(),
        }
        | more
    )


def with_http_client():
    connection = http.client.HTTPConnection(urlsplit(base).netloc, timeout=10)
    for step in steps:
        body = body_of(step)
        connection.request(
            step.get("method", "GET"),
            step["path"],
            body=iter(body) if isinstance(body, list) else body,
            headers=step.get("headers", {}),
            encode_chunked=isinstance(body, list),
        )
        response = connection.getresponse()
        if "read" in step:
            response.read(step["read"])
            connection.close()
            return
        version = {10: "1.0", 11: "1.1"}[response.version]
        try:
            content, error = response.read(), None
        except http.client.IncompleteRead as failure:
            content, error = failure.partial, "incomplete"
        note(response.status, version, response.getheaders(), content, **({"error": error} if error else {}))
    connection.close()


def with_requests():
    import requests

    session = requests.Session()
    session.trust_env = False
    for step in steps:
        body = body_of(step)
        response = session.request(
            step.get("method", "GET"),
            base + step["path"],
            data=iter(body) if isinstance(body, list) else body,
            headers=step.get("headers"),
            auth=tuple(step["auth"]) if "auth" in step else None,
            stream=True,
            files={k: tuple(v) for k, v in step["files"].items()} if "files" in step else None,
            allow_redirects=step.get("follow", False),
        )
        for one in [*response.history, response]:
            content = one.content if one is not response else one.raw.read(decode_content=False)
            note(one.status_code, {10: "1.0", 11: "1.1"}[one.raw.version], list(one.raw.headers.items()), content)
    session.close()


def with_httpx():
    import httpx

    with httpx.Client(trust_env=False) as client:
        for step in steps:
            body = body_of(step)
            with client.stream(
                step.get("method", "GET"),
                base + step["path"],
                content=iter(body) if isinstance(body, list) else body,
                headers=step.get("headers"),
            ) as response:
                content = b"".join(response.iter_raw())
                note(
                    response.status_code,
                    response.http_version.removeprefix("HTTP/"),
                    [[n.decode("latin-1"), v.decode("latin-1")] for n, v in response.headers.raw],
                    content,
                )


async def with_aiohttp():
    import aiohttp

    async def parts(list_):
        for part in list_:
            yield part
            await asyncio.sleep(0.02)

    async with aiohttp.ClientSession(auto_decompress=False) as session:
        for step in steps:
            if "say" in step:
                async with session.ws_connect(base + step["path"], compress=0) as socket:
                    response = socket._response
                    note(
                        response.status,
                        "1.1",
                        [[n.decode("latin-1"), v.decode("latin-1")] for n, v in response.raw_headers],
                        b"",
                    )
                    heard = []
                    for text in step["say"]:
                        await socket.send_str(text)
                        heard.append(await socket.receive_str())
                seen[-1]["heard"] = heard
                continue
            body = body_of(step)
            try:
                async with session.request(
                    step.get("method", "GET"),
                    base + step["path"],
                    data=parts(body) if isinstance(body, list) else body,
                    headers=step.get("headers"),
                    expect100=step.get("expect", False),
                    allow_redirects=step.get("follow", False),
                    compress=step.get("compress"),
                ) as response:
                    if "read" in step:
                        await response.content.readexactly(step["read"])
                        response.close()
                        return
                    content = b""
                    error = None
                    try:
                        async for data in response.content.iter_any():
                            content += data
                    except aiohttp.ClientPayloadError:
                        error = "incomplete"
                    for one in [*response.history, response]:
                        raw = [[n.decode("latin-1"), v.decode("latin-1")] for n, v in one.raw_headers]
                        version = f"{one.version.major}.{one.version.minor}"
                        if one is response:
                            note(one.status, version, raw, content, **({"error": error} if error else {}))
                        else:
                            seen.append({"status": one.status, "version": version, "headers": raw})
            except aiohttp.ClientError as failure:
                seen.append({"error": type(failure).__name__})


match library:
    case "http.client":
        with_http_client()
    case "requests":
        with_requests()
    case "httpx":
        with_httpx()
    case "aiohttp":
        asyncio.run(with_aiohttp())
print(json.dumps(seen))
