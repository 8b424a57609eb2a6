"""One scenario on one running loop: the lines of its trace, the protocols that write them, the driver of its steps.

What each step does is a method `op_NAME` of a mixin, by concept: streams.py, servers.py, peers.py and so on. A plain
method is done when it returns and may also stand in `react`; a coroutine is awaited by the driver, or, with the key
`task`, runs as a task of its own.
"""
import asyncio
import errno
import hashlib
import inspect
import logging
import re
import shutil
import socket
import ssl
import tempfile
import time

LONG = 64
ROUND = 0.01
ROUNDS = 3
DEADLINE = 5


class Boom(Exception):
    """What a scenario raises on purpose."""


# ---- texts

def quoted(text):
    if isinstance(text, str):
        text = text.encode()
    out = ['"']
    for byte in text:
        escape = {13: "\\r", 10: "\\n", 9: "\\t", 92: "\\\\", 34: '\\"'}.get(byte)
        out.append(escape or (chr(byte) if 32 <= byte < 127 else f"\\x{byte:02x}"))
    return "".join(out) + '"'


def data_text(data):
    data = bytes(data)
    if len(data) > LONG:
        return f"{len(data)} bytes sha256:{hashlib.sha256(data).hexdigest()[:8]}"
    return quoted(data)


def normal(text):
    """Free of addresses, descriptors and paths of this run."""
    text = re.sub(r" ?<.*>", "", str(text))
    text = re.sub(r"\[Errno (\d+)\]", lambda m: f"[{errno.errorcode.get(int(m.group(1)), m.group(1))}]", text)
    text = re.sub(r"\('[0-9a-fA-F:.]*', \d+(, \d+, \d+)?\)", "ADDR", str(text))
    text = re.sub(r"\b(fd|descriptor|fd=) ?\d+", lambda m: m.group(0).rstrip("0123456789") + "N", text)
    return re.sub(r"/[^ ',\"]*/anyloop-[^ ',\")]*", "PATH", text)


def message_text(message):
    """A message up to what differs between runs: an object's description, a function's name."""
    message = str(message).splitlines()[0] if message else ""
    if message.startswith("Exception in callback"):
        message = "Exception in callback"
    return normal(re.split(r" ?<| function| 0x", message)[0].strip())


WITHOUT_NUMBER = {BrokenPipeError: "EPIPE", ConnectionResetError: "ECONNRESET", ConnectionAbortedError: "ECONNABORTED",
                  ProcessLookupError: "ESRCH"}


# What is wrong with a certificate, by OpenSSL's numbers.
CERTIFICATE_FAULTS = {9: "not_yet_valid", 10: "expired", 18: "self_signed", 19: "unknown_root", 20: "unknown_root",
                      62: "wrong_host", 64: "wrong_host"}


def tls_error_text(error):
    """`SSLError WRONG_VERSION_NUMBER`, `SSLCertVerificationError self_signed`."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"SSLCertVerificationError {CERTIFICATE_FAULTS.get(error.verify_code, error.verify_code)}"
    return type(error).__name__ + (f" {error.reason}" if error.reason else "")


def error_text(error):
    if isinstance(error, ssl.SSLError):
        return tls_error_text(error)
    if isinstance(error, socket.gaierror):
        names = [n for n in dir(socket) if n.startswith("EAI_") and getattr(socket, n) == error.errno]
        return "gaierror " + (names[0] if names else str(error.errno))
    if isinstance(error, OSError) and error.errno:
        return errno.errorcode.get(error.errno, str(error.errno))
    if isinstance(error, asyncio.IncompleteReadError):
        return f"IncompleteReadError {data_text(error.partial)} of {value_text(error.expected)}"
    if isinstance(error, asyncio.LimitOverrunError):
        return f"LimitOverrunError {quoted(str(error))} consumed {error.consumed}"
    if type(error) in WITHOUT_NUMBER:
        return WITHOUT_NUMBER[type(error)]
    name = type(error).__name__
    if name in ("ValueError", "TypeError", "RuntimeError") or type(error) is OSError:
        return f"{name} {quoted(normal(error))}"
    return name


class Name(str):
    """A text that a trace shows bare: an actor, a peer, PATH."""


def value_text(value):
    if value is None or isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Name):
        return str(value)
    if isinstance(value, (int, float)):
        return str(value)
    if isinstance(value, str):
        return quoted(normal(value))
    if isinstance(value, (bytes, bytearray, memoryview)):
        return data_text(value)
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(value_text(item) for item in value) + "]"
    raise TypeError(f"a trace has no text for {type(value).__name__}")


class Received:
    """A line of received bytes, which grows as long as nothing else happens."""

    def __init__(self, actor, callback, data):
        self.actor, self.callback, self.data = actor, callback, bytearray(data)

    def __str__(self):
        return f"{self.actor} {self.callback} {data_text(self.data)}"


# ---- the recorder

class Recorder:
    def __init__(self, loop, scenario):
        self.loop, self.scenario = loop, scenario
        self.entries = []
        self.protocols, self.transports, self.counts = {}, {}, {}
        self.received, self.calls = {}, {}
        self.servers, self.peers, self.handles, self.tasks = {}, {}, {}, {}
        self.outside = scenario.get("driver", "task") == "outside"
        self.ticking = False
        self.ended = False
        self._directory = None
        self.cleanups = []

    # -- lines

    def line(self, text):
        if not self.ended:
            self.entries.append(text)

    def bytes_line(self, actor, callback, data):
        self.received[actor] = self.received.get(actor, 0) + len(data)
        last = self.entries[-1] if self.entries else None
        if isinstance(last, Received) and (last.actor, last.callback) == (actor, callback):
            last.data += data
        else:
            self.line(Received(actor, callback, data))

    def trace(self):
        lines = [str(entry) for entry in self.entries]
        while lines and lines[-1] == "|":
            lines.pop()
        return lines

    def size(self):
        return len(self.entries), sum(self.received.values())

    def call(self, label, function, getter=False):
        """Runs a plain call and writes its line: what it returned or raised, and what was written meanwhile."""
        before = len(self.entries)
        try:
            value = function()
            text = label if value is None and not getter else f"{label} = {value_text(value)}"
        except (Exception, asyncio.CancelledError) as error:
            text = f"{label} !{error_text(error)}"
        inside = len(self.entries) - before
        self.line(text + (f" (inside: {inside})" if inside else ""))

    async def result(self, step, label, awaitable):
        """Awaits and writes the line of the result, under the name of the step's task if it has one."""
        named = "task" in step
        label = step.get("task", label)
        try:
            value = await awaitable
        except asyncio.CancelledError:
            if not named:
                raise
            self.line(f"{label} !CancelledError")
        except Exception as error:
            self.line(f"{label} !{error_text(error)}")
        else:
            self.line(label if value is None and not named else f"{label} = {value_text(value)}")

    def mark(self, name):
        self.line(f"mark {name}")

    # -- actors

    def directory(self):
        """A directory of this scenario, for what needs a path."""
        if not self._directory:
            self._directory = tempfile.mkdtemp(prefix="anyloop-")
        return self._directory

    def reactions(self, actor, callback):
        react = self.scenario.get("react", {})
        for name in (actor, actor.rstrip("0123456789")):
            if callback in react.get(name, {}):
                return react[name][callback]
        return []

    def react(self, actor, callback):
        count = self.calls[actor, callback] = self.calls.get((actor, callback), 0) + 1
        value = None
        for action in self.reactions(actor, callback):
            if action.get("call", count) != count:
                continue
            if "return" in action:
                value = action["return"]
            elif "raise" in action:
                raise Boom(action["raise"])
            else:
                self.act({"on": actor, **action})
        return value

    def callback(self, actor, name, text=None):
        self.line(f"{actor} {name}" + (f" {text}" if text else ""))
        return self.react(actor, name)

    def factory(self, name, kind, numbered=False):
        """A protocol factory: writes `NAME factory` and makes a recording protocol of the kind."""
        def make():
            actor = name
            if numbered:
                self.counts[name] = self.counts.get(name, -1) + 1
                actor = f"{name}{self.counts[name]}"
            self.callback(actor, "factory")
            return self.make_protocol(actor, kind)
        return make

    def make_protocol(self, actor, kind):
        self.protocols[actor] = getattr(self, f"{kind}_protocol")(actor)
        return self.protocols[actor]

    def actor_of(self, protocol):
        for actor, known in self.protocols.items():
            if known is protocol:
                return Name(actor)
        return None

    def bytes_of(self, step, key="data"):
        if "fill" in step:
            return step["fill"].encode() * step["times"]
        return step.get(key, "").encode("latin-1")

    # -- the driver

    def act(self, step):
        """A step inside a callback: a plain one, or one that starts a task."""
        value = self.operation(step)
        if inspect.isawaitable(value):
            if "task" not in step:
                raise SystemExit(f"{step['op']} takes time: inside a callback it needs a task's name")
            self.start(step, value)

    def operation(self, step):
        method = getattr(self, "op_" + step["op"], None)
        if method is None:
            raise SystemExit(f"unknown op {step['op']}")
        return method(step)

    def start(self, step, coroutine):
        self.tasks[step["task"]] = self.loop.create_task(coroutine)

    async def drive(self):
        for step in self.scenario["steps"]:
            value = self.operation(step)
            if inspect.isawaitable(value):
                if "task" in step:
                    self.start(step, value)
                else:
                    await value
        await self.settle()

    def drive_from_outside(self):
        for step in self.scenario["steps"]:
            value = self.operation(step)
            if inspect.isawaitable(value):
                if "task" in step:
                    self.start(step, value)
                else:
                    self.loop.run_until_complete(value)

    async def settle(self):
        """Until nothing new was written for some rounds."""
        same, last, start = 0, self.size(), time.monotonic()
        while same < ROUNDS and time.monotonic() - start < DEADLINE:
            await asyncio.sleep(ROUND)
            size = self.size()
            same, last = (same + 1 if size == last else 0), size

    async def op_settle(self, step):
        await self.settle()

    async def op_wait_for(self, step):
        """Until a line stands in the trace, `count` times, or so many bytes were received by `on`."""
        start = time.monotonic()

        def there():
            if "received" in step:
                return self.received.get(step["on"], 0) >= step["received"]
            return [str(entry) for entry in self.entries].count(step["line"]) >= step.get("count", 1)
        while not there():
            if time.monotonic() - start > DEADLINE:
                self.line(f"wait_for {step.get('line', step.get('received'))} timed out")
                return
            await asyncio.sleep(0.002)

    def op_step(self, step):
        self.line(f"step {step['name']}")

    def op_turns(self, step):
        """From here on (`on`: true, the default), or no longer, the ends of turns are lines."""
        if step.get("on", True):
            self.ticking = True
            self.loop.call_soon(self._tick)
        else:
            self.ticking = False

    def _tick(self):
        if not self.ticking:
            return
        if self.entries and self.entries[-1] != "|":
            self.line("|")
        self.loop.call_soon(self._tick)

    # -- what the loop reports

    def exception_handler(self, loop, context):
        error = context.get("exception")
        keys = sorted(key for key in context if key not in ("message", "source_traceback", "handle_traceback"))
        parts = ["handler", quoted(message_text(context.get("message")))]
        if error is not None:
            parts.append(error_text(error))
        self.line(" ".join(parts) + f" [{', '.join(keys)}]")

    def watch_log(self):
        recorder = self

        class Lines(logging.Handler):
            def emit(self, record):
                recorder.line(f"log {record.levelname} {quoted(message_text(record.getMessage()))}")
        logger = logging.getLogger("asyncio")
        logger.handlers[:] = [Lines(level=logging.WARNING)]
        logger.propagate = False

    def answer_names(self):
        """The names of the scenario's `names` have the addresses given there, in that order."""
        names, asked = self.scenario.get("names", {}), socket.getaddrinfo

        def getaddrinfo(host, port, family=0, type=0, proto=0, flags=0):
            if host not in names:
                return asked(host, port, family, type, proto, flags)
            if names[host] is None:
                raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
            return [answer for address in names[host] for answer in asked(address, port, family, type, proto, flags)]
        if names:
            socket.getaddrinfo = getaddrinfo

    # -- from start to end

    def run(self):
        loop = self.loop
        asyncio.set_event_loop(loop)
        loop.set_debug(self.scenario.get("debug", False))
        if loop.get_debug():
            # A busy machine must not make callbacks slow; those that are to be say so.
            loop.slow_callback_duration = 60
        loop.set_exception_handler(self.exception_handler)
        self.watch_log()
        self.answer_names()
        try:
            if self.scenario.get("turns"):
                self.op_turns({})
            if self.outside:
                self.drive_from_outside()
            else:
                loop.run_until_complete(self.drive())
        finally:
            self.ended = True
            self.clean_up()
        return self.trace()

    def clean_up(self):
        for cleanup in reversed(self.cleanups):
            try:
                cleanup()
            except Exception:
                pass
        if self._directory:
            shutil.rmtree(self._directory, ignore_errors=True)
