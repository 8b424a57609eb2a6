"""Makes the recorded fixtures of TLS: real clients, real servers, the recorder between them. Run by ci/record-tls."""

import argparse
import datetime
import fnmatch
import os
import shlex
import subprocess
import sys
import tempfile
import time

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

import hello as tls
import transcript
import written
from clients import Clients, version_of
from handshakes import TABLE
from outcomes import GREETED, hears_alert
from recorder import Recorder
from servers import Servers

HERE = os.path.dirname(os.path.abspath(__file__))
RECORDER, SERVER = "127.0.1.1:8443", "127.0.0.1:8444"
# How long a client may take; some wait for an answer that does not come.
PATIENCE = 12


class Wrong(Exception):
    """A recording that is not what the table says."""


def flights_of(steps, count):
    """The steps up to the client's `count`th hello and, behind it, the ServerHello's record; all for 0.

    -1: the first hello and the server's whole first flight, which TLS 1.2 sends in the clear."""
    if count == 0:
        return steps
    kept, sent, got, wanted = [], b"", b"", abs(count)
    for step in steps:
        if step == ("|",):
            if kept and kept[-1] != step:
                kept.append(step)
            continue
        direction, data = step
        if isinstance(data, str):
            continue
        if direction == ">":
            if len(tls.hellos(without_changes(sent), tls.CLIENT_HELLO)) >= wanted:
                break
            sent += data
            kept.append(step)
            continue
        room = tls.clear_length(got + data) - len(got)
        if len(tls.hellos(without_changes(sent), tls.CLIENT_HELLO)) >= wanted and count > 0:
            # What follows the ServerHello belongs to keys that are not there any more.
            length = int.from_bytes(data[3:5]) + 5
            kept.append((direction, data[:length]))
            break
        got += data
        kept.append((direction, data if count > 0 else data[: max(0, room)]))
    while kept and kept[-1] == ("|",):
        kept.pop()
    return kept


def without_changes(data):
    """The stream without the change_cipher_spec records that mean nothing (RFC 8446 appendix D.4)."""
    found, rest = tls.records(data)
    kept = [tls.record(kind, payload, version) for kind, version, payload in found if kind != tls.CHANGE_CIPHER_SPEC]
    return b"".join(kept) + rest


def outcomes(handshake, sent, got):
    """The lines of both expectations, and what the real peers did, for the oracle's line."""
    server, client, views = handshake.reads_client, handshake.reads_server, []
    if server == "client-alert":
        found = [number for level, number in tls.alerts(sent) if level == 2]
        if not found:
            raise Wrong("the client sent no alert in the clear")
        server = hears_alert(found[-1], 'x"160303" {any}')
        views.append(f"{version_of(handshake.client[0])} sends alert {found[-1]} ({tls.ALERTS[found[-1]]})")
    answer = [number for _, number in tls.alerts(got)]
    if answer and len(tls.records(got)[0]) == len(answer):
        if client == "alert":
            client = hears_alert(answer[0], 'x"1603" {any}')
        views.append(f"{version_of(handshake.server[0])} sends alert {answer[0]} ({tls.ALERTS[answer[0]]})")
    elif client == "alert":
        # A server that says nothing and hangs up leaves nothing for a client to read.
        client = None
        views.append(f"{version_of(handshake.server[0])} sends no alert")
    return server, client, views


def record(handshake, clients, servers, options, folder, date):
    servers.start(handshake.server)
    recorder = Recorder(options.recorder, RECORDER, SERVER, folder)
    command = clients.command(handshake.client)
    try:
        environment = os.environ | {"HOME": folder}
        client = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment
        )
        try:
            # s_client and gnutls-cli talk until their input ends, and leave at once if it has none.
            time.sleep(0.4)
            client.stdin.close()
            client.stdin = None
            output = client.communicate(timeout=PATIENCE)[0]
        except subprocess.TimeoutExpired:
            client.kill()
            output = client.communicate()[0]
        time.sleep(0.1)
        connections = recorder.stop()
    finally:
        recorder.kill()
        servers.stop()
    if not connections:
        raise Wrong(f"no connection came: {output[-300:]}")
    steps = connections[0]
    sent, got = (transcript.stream(steps, direction)[0] for direction in "><")
    if not handshake.claim(tls.hellos(without_changes(sent), 1), tls.hellos(without_changes(got), 2)):
        raise Wrong(f"it is not what its title says: > {sent[:60].hex()} < {got[:60].hex()} {output[-300:]}")
    server, client, views = outcomes(handshake, sent, got)
    steps = flights_of(steps, handshake.flights)
    if handshake.flights == 0 and (not tls.hellos(sent, 1) or handshake.reads_client is GREETED):
        # How the client ended is its answer to what this server said, not to what another says.
        steps = [step for step in steps if step not in ((">", "!fin"), (">", "!rst"))]
    names = {folder: "CERTIFICATES", HERE: "ci/record/tls", sys.executable: "python3", options.nassl: "python3"}
    names[clients.go_peer] = "peer"
    lines = [
        "wire 1",
        f"id       {handshake.id}",
        f"spec     {handshake.spec}",
        f"source   recorded {version_of(handshake.server[0])} <- {version_of(handshake.client[0])} {date}",
        f"command  {public(shlex.join(command), names)}",
        *([f"oracle   {', '.join(views)}"] if views else []),
        *(["redact   what-follows=left-out"] if handshake.flights else []),
        f"tags     tls recorded {handshake.group}",
        f"title    {handshake.title}",
        "--- stream",
        *transcript.format_steps(steps, None),
        *(["--- expect server", *server] if server else []),
        *(["--- expect client", *client] if client else []),
    ]
    path = os.path.join(options.fixtures, handshake.id + ".wire")
    os.makedirs(os.path.dirname(path), exist_ok=True)
    text = "\n".join(lines) + "\n"
    for private in (folder, os.path.expanduser("~"), os.uname().nodename):
        if private in text:
            raise Wrong(f"the fixture would hold {private}")
    with open(path, "w") as file:
        file.write(text)


def public(command, names):
    """The command without the paths of this machine."""
    for path, name in names.items():
        command = command.replace(path, name)
    return command


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("globs", nargs="*", default=["*"])
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--recorder", default="anyloop record", type=shlex.split)
    parser.add_argument("--fixtures", default="Fixtures")
    parser.add_argument("--nassl", default=sys.executable, help="a Python that has nassl")
    parser.add_argument("--go", default="peer", help="Tests/Peers/go/peer.go, built")
    options = parser.parse_args()
    wanted = lambda name: any(fnmatch.fnmatch(name, glob) for glob in options.globs)
    chosen = [handshake for handshake in TABLE if wanted(handshake.id.removeprefix("tls/recorded/"))]
    if options.list:
        for handshake in TABLE:
            print(handshake.id.removeprefix("tls/recorded/"), handshake.title, sep="\t")
        return 0
    failed = 0
    with tempfile.TemporaryDirectory(prefix="record-tls-") as folder:
        servers = Servers(SERVER, folder, os.path.abspath(options.go))
        clients = Clients(RECORDER, options.nassl, os.path.abspath(options.go), os.path.join(folder, "rsa.pem"))
        date = datetime.date.today().isoformat()
        for handshake in chosen:
            try:
                record(handshake, clients, servers, options, folder, date)
                print("recorded", handshake.id, flush=True)
            except (Wrong, RuntimeError, IndexError) as error:
                failed += 1
                print("FAILED", handshake.id, error, file=sys.stderr, flush=True)
    if wanted("written"):
        written.write_all(options.fixtures)
    return 1 if failed else 0


sys.exit(main())
