"""Whether a recording is what its tags say: a scenario that silently stopped doing its thing must fail."""

from views import check, joined, messages_of


def fields(messages, name):
    return [value for message in messages if (value := joined(message["headers"]).get(name))]


def check_tags(tags, requests, responses, resets):
    """Each tag with a meaning must hold for the events of the requests and responses."""
    asked, answered = messages_of(requests), messages_of(responses)
    everything = asked + answered
    codes = [int(message["head"][0]) for message in answered]
    broken = resets or any(event[0] == "error" for event in [*requests, *responses])
    claims = {
        "chunked": lambda: any("chunked" in value for value in fields(everything, "transfer-encoding")),
        "trailers": lambda: any(message["trailers"] for message in everything),
        "gzip": lambda: "gzip" in fields(everything, "content-encoding"),
        "deflate": lambda: "deflate" in fields(everything, "content-encoding"),
        "br": lambda: "br" in fields(everything, "content-encoding"),
        "range": lambda: fields(asked, "range"),
        "multipart": lambda: any(value.startswith("multipart/") for value in fields(everything, "content-type")),
        "304": lambda: 304 in codes,
        "204": lambda: 204 in codes,
        "1xx": lambda: any(code < 200 for code in codes),
        "error": lambda: any(code >= 400 for code in codes) or broken,
        "redirect": lambda: any(300 <= code < 400 for code in codes),
        "head": lambda: any(message["head"][0] == b"HEAD" for message in asked),
        "put": lambda: any(message["head"][0] == b"PUT" for message in asked),
        "post": lambda: broken or any(message["body"] or message["head"][0] in (b"POST", b"PUT") for message in asked),
        "connect": lambda: any(message["head"][0] == b"CONNECT" for message in asked),
        "http10": lambda: any(message["head"][2] == b"1.0" for message in asked),
        "keep-alive": lambda: len(answered) > 1 or fields(answered, "keep-alive") or len(codes) == 1 and not broken,
        "pipelining": lambda: len(asked) > 1,
        "100-continue": lambda: "100-continue" in fields(asked, "expect"),
        "upgrade": lambda: fields(asked, "upgrade"),
        "websocket": lambda: any(event[0] == "surplus" for event in requests),
        "cookies": lambda: fields(asked, "cookie") or fields(answered, "set-cookie"),
        "auth": lambda: fields(asked, "authorization")
        or fields(asked, "proxy-authorization")
        or {401, 407} & set(codes),
        "large": lambda: any(len(message["body"]) > 32000 for message in everything),
        "large-headers": lambda: broken
        or any(
            len(message["headers"]) > 50 or any(len(v) > 1000 for _, v in message["headers"]) for message in everything
        ),
        "abort": lambda: broken or not answered,
        "proxied": lambda: True,
    }
    for tag in tags.split():
        if tag in claims:
            check(claims[tag](), f"it is tagged {tag}, but nothing in it is")
