"""What the crossings share: processes with deadlines, the material they need, and the table of what was crossed."""

import hashlib
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
HOST = "host.example.com"
LARGE = 10_000_000
PATIENCE = 60


class Failed(Exception):
    """A crossing that did not go as it must."""


def expect(condition, text):
    if not condition:
        raise Failed(text)


def run(command, data=None, patience=PATIENCE, text=True):
    """Runs a command to its end; what it wrote to both streams, and its code."""
    try:
        done = subprocess.run(
            [str(word) for word in command], input=data, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=patience
        )
    except subprocess.TimeoutExpired as error:
        raise Failed(f"{command[0]} did not end in {patience} s: {(error.output or b'')[-400:]!r}") from None
    return (done.stdout.decode(errors="replace") if text else done.stdout), done.returncode


def digest(data):
    return hashlib.sha256(data).hexdigest()


class Talk:
    """A process that is talked to while it runs, such as `s_client`."""

    def __init__(self, command, folder=None):
        self.command = [str(word) for word in command]
        self.process = subprocess.Popen(
            self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=folder
        )
        self.output = bytearray()
        self.changed = threading.Condition()
        self.ended = False
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        while piece := self.process.stdout.read1(65536):
            with self.changed:
                self.output += piece
                self.changed.notify_all()
        with self.changed:
            self.ended = True
            self.changed.notify_all()

    def say(self, data):
        try:
            self.process.stdin.write(data)
            self.process.stdin.flush()
        except (BrokenPipeError, ValueError):
            pass

    def hang_up(self):
        try:
            self.process.stdin.close()
        except BrokenPipeError:
            pass

    def await_(self, pattern, patience=PATIENCE):
        """Waits until the output has what `pattern` says (or is so many bytes long)."""
        if isinstance(pattern, int):
            found = lambda: len(self.output) >= pattern
        else:
            found = lambda: re.search(pattern, self.output)
        end = time.monotonic() + patience
        with self.changed:
            while not (match := found()):
                left = end - time.monotonic()
                if left <= 0 or self.ended:
                    raise Failed(f"{self.command[0]} did not come to {pattern!r}: {bytes(self.output[-600:])!r}")
                self.changed.wait(left)
        return match

    def await_end(self, patience=PATIENCE):
        """Waits until the process ends by itself; its output and its code."""
        try:
            code = self.process.wait(patience)
        except subprocess.TimeoutExpired:
            raise Failed(f"{self.command[0]} did not end: {bytes(self.output[-400:])!r}") from None
        self.reader.join(5)
        return bytes(self.output).decode(errors="replace"), code

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.hang_up()
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.reader.join(5)
        self.process.stdout.close()


class Service(Talk):
    """A server that runs until the end of the test."""

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(3)
            except subprocess.TimeoutExpired:
                self.process.kill()
        super().__exit__()


def free_port():
    """A port for servers that cannot choose one themselves. Somebody else may take it: they are tried again."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


def start(make, patience=10, folder=None):
    """Starts the service that `make(port)` commands, on a free port, and waits until it accepts."""
    for _ in range(3):
        port = free_port()
        service = Service(make(port), folder)
        end = time.monotonic() + patience
        while service.process.poll() is None and time.monotonic() < end:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                service.port = port
                return service
            except OSError:
                time.sleep(0.02)
        service.__exit__()
    raise Failed(f"{service.command[0]} did not start: {bytes(service.output[-600:])!r}")


class Material:
    """Certificates, files and stores in a temporary directory."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        make = HERE.parent / "Certificates" / "make"
        output, code = run([sys.executable, "-B", make, self.folder / "certificates"])
        expect(code == 0, f"no certificates: {output[-400:]}")
        path = lambda name: self.folder / "certificates" / name
        self.root = path("root.pem")
        self.chain, self.key = path("good-ec.chain.pem"), path("leaf.key")
        self.rsa_chain, self.rsa_key = path("good-rsa.chain.pem"), path("leaf-rsa.key")
        # Of a server that is reached by its address.
        self.address_chain = path("good-ipv4.chain.pem")
        self.files = self.folder / "files"
        self.files.mkdir()
        (self.files / "hello").write_bytes(b"hello, world\n")
        # Lines of text: some peers take their input for lines.
        line = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_\n"
        self.large = (b"%08d" % 0).join([line] * (LARGE // (len(line) + 8) + 1))[:LARGE]
        (self.files / "large").write_bytes(self.large)

    def nss_store(self, chain, key, name):
        """A store with the root as an authority for both uses and, if there is a chain, one identity."""
        store = self.folder / f"nss-{name}"
        store.mkdir()
        bundle = ["-in", chain, "-inkey", key, "-name", "own", "-passout", "pass:", "-out", store / "own.p12"]
        commands = [
            ["certutil", "-N", "-d", store, "--empty-password"],
            ["certutil", "-A", "-d", store, "-n", "root", "-t", "CT,C,C", "-i", self.root],
            ["openssl", "pkcs12", "-export", *bundle],
            ["pk12util", "-i", store / "own.p12", "-d", store, "-W", ""],
        ]
        for command in commands if chain else commands[:2]:
            output, code = run(command)
            expect(code == 0, f"{command[0]}: {output}")
        return store


class Table:
    """What was crossed: a row for each peer, a column for each thing."""

    def __init__(self):
        self.lock = threading.Lock()
        self.cells = {}
        self.failures = []

    def note(self, row, column, failure=None):
        with self.lock:
            self.cells.setdefault(row, {})[column] = failure is None
            if failure is not None:
                self.failures.append(f"{row}: {column}: {failure}")

    def text(self, columns):
        """In Markdown."""
        lines = ["| peer | " + " | ".join(columns) + " |", "|---" * (len(columns) + 1) + "|"]
        marks = {True: "yes", False: "FAILED", None: "–"}
        for row in sorted(self.cells):
            lines.append(f"| {row} | " + " | ".join(marks[self.cells[row].get(name)] for name in columns) + " |")
        return "\n".join(lines)


def version_of(command, pattern):
    """What a program says of its version; None if it is not there."""
    if not shutil.which(command[0]):
        return None
    output, _ = run(command)
    found = re.search(pattern, output)
    return found[1] if found else "?"
