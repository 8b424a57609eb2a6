"""Drives clients against the recorder and returns what each of them saw.

A driver is called with a `Run` and returns a view: {"command": text, "messages": [...]} where a message has some of
status, version, headers (list of pairs), match ("exact", "values" or "subset"), body_length, body_sha256, trailers, error.
Instead of messages a load generator gives "totals": {"responses": n, "body": bytes or None, "failed": n}."""

import hashlib
import json
import os
import re
import shlex
import shutil
import socket
import struct
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))


class Run:
    """Where a driver works: the recorder's address, a directory, and the servers' addresses."""

    def __init__(self, stage, folder):
        self.stage, self.folder, self.target = stage, folder, stage.recorder
        self.base = f"http://{self.target}"

    def expand(self, text):
        return re.sub(
            r"@([a-z0-9_]+)@",
            lambda match: self.target if match[1] == "recorder" else self.stage.address(match[1]),
            text,
        )

    def execute(self, command, timeout=20, codes=None, shown=None):
        environment = {"PATH": os.environ["PATH"], "HOME": self.folder, "LC_ALL": "C", "TERM": "dumb"}
        done = subprocess.run(
            command, cwd=self.folder, env=environment, capture_output=True, timeout=timeout, stdin=subprocess.DEVNULL
        )
        if codes is not None and done.returncode not in codes:
            raise AssertionError(
                f"{command[0]} ended with {done.returncode}: {done.stderr.decode(errors='replace')[-500:]}"
            )
        return done, " ".join(shlex.quote(word) for word in (shown or command))

    def path(self, name):
        return os.path.join(self.folder, name)


def digest(data):
    return {"body_length": len(data), "body_sha256": hashlib.sha256(data).hexdigest()}


def parse_heads(text, match="exact"):
    """The heads in what a client wrote down of them; what follows a head without a status line is trailers."""
    messages = []
    for block in re.split(rb"\r?\n\r?\n", text):
        lines = [line for line in re.split(rb"\r?\n", block) if line.strip()]
        if not lines:
            continue
        pairs = [
            [part.decode("latin-1").strip(" \t") for part in line.split(b":", 1)]
            for line in lines
            if b":" in line and not line.startswith(b"HTTP/")
        ]
        start = re.match(rb"HTTP/(\d(?:\.\d)?) (\d{3})", lines[0].strip())
        if start:
            messages.append({"status": int(start[2]), "version": start[1].decode(), "headers": pairs, "match": match})
        else:
            messages[-1]["trailers"] = pairs
    return messages


def curl(*arguments, paths=("/",), code=0, bodies=True):
    """`paths` are fetched over one curl; the arguments come before them."""

    def drive(run):
        command = ["curl", "-sS", "-D", "head.txt", "--write-out", "%{json}\\n", *map(run.expand, arguments)]
        for index, path in enumerate(paths):
            url = run.expand(path) if path.startswith("http") else run.base + path
            command += ["-o", f"body{index}.out", url]
        for name in os.listdir(run.folder):
            if name.endswith(".out") or name == "head.txt":
                os.unlink(run.path(name))
        done, shown = run.execute(command, codes={code} if isinstance(code, int) else set(code))
        transfers = [json.loads(line) for line in done.stdout.splitlines()]
        heads = b""
        if os.path.exists(run.path("head.txt")):
            with open(run.path("head.txt"), "rb") as file:
                heads = file.read()
        messages = parse_heads(heads)
        finals = [message for message in messages if message["status"] >= 200 or message["status"] == 101]
        contents = []
        for index in range(len(paths)):
            try:
                with open(run.path(f"body{index}.out"), "rb") as file:
                    contents.append(file.read())
            except FileNotFoundError:
                contents.append(b"")
        if finals and bodies and "-I" not in arguments:
            if len(finals) == len(paths):
                for message, content in zip(finals, contents):
                    message |= digest(content)
            else:
                finals[-1] |= digest(contents[-1])
        for transfer in transfers:
            if transfer["exitcode"] in (18, 52, 56) and finals and "-p" not in arguments:
                finals[-1]["error"] = f"curl exit {transfer['exitcode']}"
        return {
            "command": shown,
            "messages": messages,
            "exit": done.returncode,
            "connects": sum(t["num_connects"] for t in transfers),
        }

    drive.client = "curl"
    return drive


def wget(*arguments, paths=("/",), codes=(0,)):
    def drive(run):
        command = [
            "wget",
            "-S",
            "--tries=1",
            "--no-hsts",
            "-O",
            "wget.out",
            *map(run.expand, arguments),
            *(run.base + path for path in paths),
        ]
        done, shown = run.execute(command, codes=set(codes))
        blocks, current = [], []
        for line in done.stderr.splitlines():
            if line.startswith(b"  HTTP/"):
                current = []
                blocks.append(current)
            if line.startswith(b"  ") and blocks and not line.startswith(b"   "):
                current.append(line[2:])
            elif blocks and line.strip() and not line.startswith(b"  "):
                current = []
        messages = parse_heads(b"\n\n".join(b"\n".join(block) for block in blocks))
        finals = [message for message in messages if message["status"] >= 200]
        with open(run.path("wget.out"), "rb") as file:
            content = file.read()
        if len(finals) == 1 and finals[0]["status"] < 300 and "--spider" not in arguments:
            finals[0] |= digest(content)
        return {"command": shown, "messages": messages, "concatenated": content if len(paths) > 1 else None}

    drive.client = "wget"
    return drive


def totals(name, command, parse, codes=(0,), timeout=20):
    """A load generator: how many responses it counted, how many failed, and how many body bytes where it says so."""

    def drive(run):
        done, shown = run.execute([run.expand(word) for word in command], codes=set(codes), timeout=timeout)
        text = (done.stdout + b"\n" + done.stderr).decode(errors="replace")
        return {"command": shown, "totals": parse(text)}

    drive.client = name
    return drive


def ab(*arguments, path="/", count=3):
    def parse(text):
        number = lambda label: int(re.search(label + r":\s+(\d+)", text)[1])
        failed = re.search(r"Non-2xx responses:\s+(\d+)", text)
        return {
            "responses": number("Complete requests"),
            "body": number("HTML transferred"),
            "failed": int(failed[1]) if failed else 0,
        }

    return totals("ab", ["ab", "-q", "-n", str(count), "-c", "1", *arguments, "http://@recorder@" + path], parse)


def siege(*arguments, path="/", count=3):
    def parse(text):
        return {
            "responses": int(re.search(r'"?[Tt]ransactions"?:\s+(\d+)', text)[1]),
            "body": None,
            "failed": int(re.search(r'"?[Ff]ailed_transactions"?:\s+(\d+)', text)[1]),
        }

    return totals(
        "siege", ["siege", "-c", "1", "-r", str(count), "-b", "-j", *arguments, "http://@recorder@" + path], parse
    )


def hey(*arguments, path="/", count=3):
    def parse(text):
        codes = re.findall(r"\[(\d+)\]\s+(\d+) responses", text)
        size = re.search(r"Total data:\s+(\d+) bytes", text)
        return {
            "responses": sum(int(n) for _, n in codes),
            "body": int(size[1]) if size else None,
            "failed": sum(int(n) for c, n in codes if int(c) >= 400),
        }

    return totals("hey", ["hey", "-n", str(count), "-c", "1", *arguments, "http://@recorder@" + path], parse)


def wrk(path="/", script=None):
    """wrk for a second, slowed down by a script to a handful of requests."""

    def parse(text):
        failed = re.search(r"Non-2xx or 3xx responses: (\d+)", text)
        return {
            "responses": int(re.search(r"(\d+) requests in", text)[1]),
            "body": None,
            "failed": int(failed[1]) if failed else 0,
        }

    def drive(run):
        with open(run.path("slow.lua"), "w") as file:
            file.write(script or "function delay() return 200 end\n")
        return totals(
            "wrk", ["wrk", "-t", "1", "-c", "1", "-d", "1s", "-s", "slow.lua", "http://@recorder@" + path], parse
        )(run)

    drive.client = "wrk"
    return drive


def aria2c(*arguments, path="/"):
    def drive(run):
        if os.path.exists(run.path("aria2.out")):
            os.unlink(run.path("aria2.out"))
        done, shown = run.execute(
            [
                "aria2c",
                "-q",
                "--no-conf",
                "-l",
                "aria2.log",
                "--log-level=info",
                "-o",
                "aria2.out",
                *arguments,
                run.base + path,
            ],
            codes={0},
        )
        with open(run.path("aria2.log"), "rb") as file:
            log = file.read()
        os.unlink(run.path("aria2.log"))
        heads = re.findall(rb"Response received:\r?\n(HTTP/.*?\r?\n\r?\n)", log, re.S)
        messages = parse_heads(b"".join(heads))
        with open(run.path("aria2.out"), "rb") as file:
            content = file.read()
        if len(messages) == 1:
            messages[0] |= digest(content)
        return {"command": shown, "messages": messages}

    drive.client = "aria2c"
    return drive


def python(library, *steps):
    def drive(run):
        script = os.path.join(HERE, "peers", "python_client.py")
        words = [library, run.base, json.dumps(steps)]
        done, shown = run.execute(
            [sys.executable, script, *words], codes={0}, shown=["python3", "ci/record/peers/python_client.py", *words]
        )
        messages = json.loads(done.stdout)
        for message in messages:
            message["match"] = "values" if library in ("requests", "http.client") else "exact"
        return {
            "command": shown,
            "messages": messages,
            "interim_hidden": True,
            "aborts": any("read" in step for step in steps),
        }

    drive.client = library
    return drive


def node(*steps):
    def drive(run):
        script = os.path.join(HERE, "peers", "node_client.js")
        words = [run.base, json.dumps([json.loads(run.expand(json.dumps(step))) for step in steps])]
        done, shown = run.execute(
            ["node", script, *words], codes={0}, shown=["node", "ci/record/peers/node_client.js", *words]
        )
        messages = json.loads(done.stdout)
        return {"command": shown, "messages": [message | {"match": "exact"} for message in messages]}

    drive.client = "node"
    return drive


def perl(method, path, file=None):
    def drive(run):
        script = os.path.join(HERE, "peers", "lwp_client.pl")
        words = [method, run.base + path, *([file] if file else [])]
        done, shown = run.execute(
            ["perl", script, *words], codes={0}, shown=["perl", "ci/record/peers/lwp_client.pl", *words]
        )
        return {
            "command": shown,
            "messages": [message | {"match": "subset"} for message in json.loads(done.stdout)],
            "interim_hidden": True,
        }

    drive.client = "perl"
    return drive


def chromium(path):
    """Headless Chromium; what it saw is in its own network log."""

    def drive(run):
        command = [
            "chromium-headless-shell",
            "--no-sandbox",
            "--disable-gpu",
            "--no-proxy-server",
            "--disable-background-networking",
            "--user-data-dir=profile",
            "--log-net-log=net.json",
            "--net-log-capture-mode=Everything",
            "--dump-dom",
            run.base + path,
        ]
        shutil.rmtree(run.path("profile"), ignore_errors=True)
        done, shown = run.execute(command, timeout=60, codes={0})
        with open(run.path("net.json")) as file:
            log = json.load(file)
        kinds = {number: name for name, number in log["constants"]["logEventTypes"].items()}
        messages = []
        for event in log["events"]:
            if kinds[event["type"]] != "HTTP_TRANSACTION_READ_RESPONSE_HEADERS":
                continue
            lines = event["params"]["headers"]
            start = re.match(r"HTTP/(\d\.\d) (\d{3})", lines[0])
            pairs = [[part.strip() for part in line.split(":", 1)] for line in lines[1:]]
            messages.append({"status": int(start[2]), "version": start[1], "headers": pairs, "match": "exact"})
        return {"command": shown, "messages": messages, "unordered": True}

    drive.client = "chromium"
    return drive


def raw(*pieces, ending=None, timeout=6.0, quiet=None):
    """A plain socket: sends the pieces as they are (a number waits that many seconds, "read" waits for an answer),
    then ends as told ("fin", "rst") and reads until the end, or until it was quiet for so many seconds. Speaks no HTTP, so it has no view of the answer.
    """

    def drive(run):
        host, port = run.target.split(":")
        received = b""
        with socket.create_connection((host, int(port)), timeout=timeout) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            try:
                for piece in pieces:
                    if piece == "read":
                        received += connection.recv(1 << 16)
                    elif isinstance(piece, (int, float)):
                        time.sleep(piece)
                    else:
                        connection.sendall(run.expand(piece).encode("latin-1") if isinstance(piece, str) else piece)
                if ending == "fin":
                    connection.shutdown(socket.SHUT_WR)
                if ending == "rst":
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                connection.settimeout(quiet or timeout)
                while ending != "rst" and (data := connection.recv(1 << 16)):
                    received += data
            except (ConnectionError, TimeoutError):
                pass
        return {
            "command": "ci/record-http '@scenario@' # a socket: "
            + "; ".join(describe(piece) for piece in pieces)
            + (f"; {ending}" if ending else ""),
            "received": received,
        }

    drive.client = "socket"
    return drive


def describe(piece):
    if isinstance(piece, (int, float)):
        return f"wait {piece} s"
    if piece == "read":
        return piece
    size = len(piece)
    return f"send {size} bytes"


def through(server, driver, client=None):
    """A proxy as the client: `driver` talks to its inner front end, which talks to the recorder.

    The view is the outer client's: what the proxy understood of the answer, as far as it passes it on."""

    def drive(run):
        from servers import INNER

        outer = Run(run.stage, run.folder)
        outer.target = f"{INNER[server]}:{run.stage.port}"
        outer.base = f"http://{outer.target}"
        view = driver(outer)
        for message in view.get("messages", []):
            message["match"] = "passed-on"
        view["interim_hidden"] = True
        return view

    drive.client = client or server
    return drive
