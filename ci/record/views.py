"""What the servers say they saw, and whether views agree with the events that the independent parsers found."""

import hashlib
import json
import re
import zlib

from servers import SEPARATOR

# Fields that a server's log cannot say as they were sent: taken out, renamed or answered for by the server before logging.
BLIND = {
    "h2o": {"Host", "Connection", "Content-Length", "Transfer-Encoding", "Expect", "Upgrade"},
    "varnish": {"Connection", "Transfer-Encoding", "Expect", "Accept-Encoding", "Range", "Host"},
    "caddy": {"Transfer-Encoding", "Host", "Connection", "Cookie", "Authorization"},
    "lighttpd": {"Connection", "Expect", "Transfer-Encoding", "Content-Length"},
    "haproxy": {"Connection"},
    "squid": {"Host", "Content-Length", "Transfer-Encoding"},
    "nginx": set(),
    "apache": set(),
}


def unescape_log(text):
    text = re.sub(r"\\x([0-9A-Fa-f]{2})", lambda m: chr(int(m[1], 16)), text)
    return text.replace('\\"', '"').replace("\\\\", "\\")


def parse_log(server, text):
    """The requests in a server's log: method, target, version, status, headers, and the body where it was written down."""
    views = []
    for line in text.splitlines():
        if server in ("aiohttp", "python", "node"):
            view = json.loads(line)
            view["match"] = "values" if server == "python" else "exact"
            views.append(view)
        elif server == "caddy":
            entry = json.loads(line)
            request = entry["request"]
            headers = [[name, value] for name, values in request["headers"].items() for value in values]
            views.append(
                {
                    "method": request["method"],
                    "target": request["uri"],
                    "version": request["proto"].removeprefix("HTTP/"),
                    "status": entry["status"],
                    "headers": headers,
                    "match": "subset",
                }
            )
        elif SEPARATOR in line:
            method, target, version, status, *pairs = unescape_log(line).split(SEPARATOR)
            headers = [pair.split("=", 1) for pair in pairs]
            views.append(
                {
                    "method": method,
                    "target": target,
                    "version": version.removeprefix("HTTP/"),
                    "status": int(status) if status.isdigit() else None,
                    "headers": [[n, v] for n, v in headers],
                    "match": "logged",
                }
            )
    return views


def messages_of(events):
    """Events grouped by message, as dictionaries that views are compared with."""
    messages = []
    for event in events:
        if event[0] == "head":
            messages.append(
                {"head": event[1:], "headers": [], "body": b"", "trailers": [], "end": False, "error": None}
            )
        elif not messages:
            messages.append(
                {
                    "head": None,
                    "headers": [],
                    "body": b"",
                    "trailers": [],
                    "end": False,
                    "error": event[1] if event[0] == "error" else None,
                }
            )
        elif event[0] == "field":
            messages[-1]["headers"].append([event[1].decode("latin-1"), event[2].decode("latin-1")])
        elif event[0] == "trailer":
            messages[-1]["trailers"].append([event[1].decode("latin-1"), event[2].decode("latin-1")])
        elif event[0] == "body":
            messages[-1]["body"] = event[1]
        elif event[0] == "end":
            messages[-1]["end"] = True
        elif event[0] == "error":
            messages[-1]["error"] = event[1]
    return [message for message in messages if message["head"]]


def check(condition, text):
    if not condition:
        raise AssertionError(text)


def joined(pairs):
    table = {}
    for name, value in pairs:
        table.setdefault(name.lower(), []).append(value.strip())
    return {name: ", ".join(values) for name, values in table.items()}


def plain(text):
    """Text as one thing, whether its bytes were read as Latin-1 or as UTF-8."""
    try:
        return text.encode("latin-1").decode("utf-8", "replace")
    except UnicodeEncodeError:
        return text


def compare_headers(message, view, who, blind=frozenset()):
    ours, theirs, match = message["headers"], view.get("headers"), view.get("match", "exact")
    if theirs is None:
        return
    if match == "exact":
        ours, theirs = [[n, plain(v)] for n, v in ours], [[n, plain(v)] for n, v in theirs]
        check(ours == theirs, f"{who} saw fields {theirs}, the parsers {ours}")
    elif match == "values":
        ours, theirs = joined(ours), joined(theirs)
        check(
            {n: plain(v) for n, v in ours.items()} == {n: plain(v) for n, v in theirs.items()},
            f"{who} saw fields {theirs}, the parsers {ours}",
        )
    elif match == "subset":
        ours = joined(ours)
        for name, value in joined(theirs).items():
            if name.title() not in blind:
                check(ours.get(name) == value, f"{who} saw {name}: {value}, the parsers {ours.get(name)}")
    elif match == "logged":
        ours = joined(ours)
        for name, value in theirs:
            if name in blind:
                continue
            found = ours.get(name.lower())
            same = found == value or (value in ("-", "") and not found) or (found and found.split(", ")[0] == value)
            check(same, f"{who} logged {name}: {value!r}, the parsers {found!r}")
    elif match == "passed-on":
        ours, theirs = joined(ours), joined(theirs)
        for name in (
            "content-type",
            "etag",
            "last-modified",
            "location",
            "x-checksum",
            "x-field-01",
            "content-encoding",
        ):
            if name in ours and name in theirs:
                check(ours[name] == theirs[name], f"{who} passed on {name}: {theirs[name]}, the parsers {ours[name]}")


def compare_body(message, view, who):
    if "body_sha256" not in view:
        return
    seen = (view["body_length"], view["body_sha256"])
    plain_ = (len(message["body"]), hashlib.sha256(message["body"]).hexdigest())
    if seen == plain_:
        return
    coding = joined(message["headers"]).get("content-encoding")
    if coding in ("gzip", "deflate"):
        decoded = zlib.decompress(message["body"], 47)
        if seen == (len(decoded), hashlib.sha256(decoded).hexdigest()):
            return
    if coding == "br" and view.get("decodes"):
        return
    raise AssertionError(f"{who} saw a body of {seen}, the parsers {plain_}")


def compare_client(events, view, who):
    """Whether the client saw what the parsers found in the response stream."""
    messages = messages_of(events)
    if "totals" in view:
        totals = view["totals"]
        complete = [message for message in messages if message["end"] and int(message["head"][0]) >= 200]
        check(
            len(complete) in (totals["responses"], totals["responses"] + 1),
            f"{who} counted {totals['responses']} responses, the parsers {len(complete)}",
        )
        if totals["body"] is not None:
            check(
                totals["body"] == sum(len(message["body"]) for message in complete),
                f"{who} counted {totals['body']} body bytes",
            )
        failed = sum(1 for message in complete if int(message["head"][0]) >= 400)
        check(totals["failed"] in (failed, 0), f"{who} counted {totals['failed']} failures, the parsers {failed}")
        return
    if "messages" not in view:
        return
    if view.get("interim_hidden"):
        messages = [message for message in messages if int(message["head"][0]) >= 200 or int(message["head"][0]) == 101]
    theirs = [message for message in view["messages"] if "status" in message]
    if view.get("interim_hidden"):
        theirs = [message for message in theirs if message["status"] >= 200 or message["status"] == 101]
    if view.get("aborts"):
        return
    upgraded = any(event[0] == "upgrade" for event in events)
    check(
        len(messages) == len(theirs) or upgraded and len(theirs) > len(messages),
        f"{who} saw {[m['status'] for m in theirs]}, the parsers {[m['head'][0] for m in messages]}",
    )
    if view.get("unordered"):
        order = lambda pairs: sorted(map(tuple, pairs))
        messages.sort(key=lambda message: order(message["headers"]))
        theirs.sort(key=lambda message: order(message["headers"]))
    for message, one in zip(messages, theirs):
        check(int(message["head"][0]) == one["status"], f"{who} saw {one['status']}, the parsers {message['head'][0]}")
        if "version" in one and one.get("match") != "passed-on":
            check(
                message["head"][1].decode() == one["version"],
                f"{who} saw HTTP/{one['version']}, the parsers {message['head'][1]}",
            )
        compare_headers(message, one, who)
        if not upgraded:
            compare_body(message, one, who)
        if one.get("trailers") or (message["trailers"] and "trailers" in one):
            check(
                [[n, plain(v)] for n, v in message["trailers"]] == one["trailers"],
                f"{who} saw trailers {one['trailers']}, the parsers {message['trailers']}",
            )
        if "error" in one:
            check(message["error"] or not message["end"], f"{who} reports {one['error']}, the parsers a whole message")
        else:
            check(
                message["end"] or upgraded or one.get("match") == "passed-on",
                f"{who} was content, the parsers saw no end of the message",
            )
    if view.get("concatenated") is not None:
        check(view["concatenated"] == b"".join(message["body"] for message in messages), f"{who} saw other bodies")


def compare_digests(requests, responses):
    """Where a server answers with the digest of the body that it saw, it must be that of the request."""
    requests = messages_of(requests)
    finals = [message for message in messages_of(responses) if int(message["head"][0]) >= 200]
    for request, response in zip(requests, finals):
        if response["end"] and response["body"].startswith(b'{"method"'):
            seen = json.loads(response["body"])
            check(
                seen["length"] == len(request["body"])
                and seen["sha256"] == hashlib.sha256(request["body"]).hexdigest(),
                f"the server answers for a body of {seen['length']} bytes, the parsers found {len(request['body'])}",
            )


def compare_server(events, seen, server, responses, unordered=False):
    """Whether the server saw what the parsers found in the request stream, and logged the status that it sent."""
    messages = messages_of(events)
    who = f"the log of {server}"
    blind = BLIND.get(server, frozenset())
    if unordered:
        messages.sort(key=lambda message: message["head"][1])
        seen = sorted(seen, key=lambda one: one["target"].encode())
        responses = []
    complete = [message for message in messages if message["end"]]
    check(
        len(complete) <= len(seen) <= len(messages) + (1 if any(event[0] == "error" for event in events) else 0)
        or any(event[0] == "upgrade" for event in events),
        f"{who} has {len(seen)} requests, the parsers found {len(messages)}",
    )
    for index, (message, one) in enumerate(zip(messages, seen)):
        method, target, version = (part.decode("latin-1") for part in message["head"])
        if one["method"] in ("-", "", "<BADREQ>"):
            continue
        check(one["method"] == method, f"{who} has method {one['method']}, the parsers {method}")
        check(same_target(one["target"], target), f"{who} has target {one['target']}, the parsers {target}")
        check(one["version"] == version, f"{who} has HTTP/{one['version']}, the parsers HTTP/{version}")
        compare_headers(message, one, who, blind)
        if message["end"] and one.get("complete", True):
            compare_body(message, one, who)
        if "trailers" in one:
            check(
                message["trailers"] == one["trailers"],
                f"{who} has trailers {one['trailers']}, the parsers {message['trailers']}",
            )
        if one.get("status") and index < len(responses) and len(responses) == len(messages):
            check(
                one["status"] == responses[index] or one["status"] == 499,
                f"{who} has status {one['status']}, the wire {responses[index]}",
            )


def same_target(seen, target):
    if seen == target:
        return True
    path = re.sub(r"^https?://[^/]+", "", target) or "/"
    return seen in (path, re.sub(r"^https?://[^/]+", "", seen) and path) or re.sub(r"^https?://[^/]+", "", seen) == path
