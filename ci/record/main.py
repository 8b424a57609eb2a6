"""Makes the recorded HTTP/1.1 fixtures: starts servers, drives clients through the recorder, asks the oracles, writes files.

Run by ci/record-http. Fails loudly where client, server and the independent parsers do not agree on what was said."""

import argparse
import datetime
import fnmatch
import getpass
import glob
import os
import re
import shlex
import shutil
import socket as sockets
import subprocess
import sys
import tempfile
import time
import traceback

import claims
import oracles
import scenarios
import transcript
import views
from clients import Run
from recorder import Recorder
from scenario import TABLE
from servers import ADDRESSES, Stage, version_of

LOGS = {name: name for name in ADDRESSES}


def log_size(stage, server):
    return os.path.getsize(stage.log_path(LOGS[server]))


def read_log(stage, server, start, count):
    """What a server logged since `start`; waits a little for as many requests as there were."""
    end = time.monotonic() + 3
    stage.flush_log(server)
    while True:
        with open(stage.log_path(LOGS[server]), encoding="utf-8", errors="replace") as file:
            file.seek(start)
            seen = views.parse_log(server, file.read())
        if len(seen) >= count or time.monotonic() > end:
            return seen
        time.sleep(0.05)


def redacted(steps, names):
    """The steps with the values of some fields replaced by as many x, but for an authentication scheme's name."""
    found = set()

    def hide(match):
        found.add(match[2].decode().lower())
        return match[1] + match[2] + match[3] + match[4] + b"x" * len(match[5])

    if names:
        pattern = re.compile(
            rb"(^|\n)(%s)(: *)((?:Basic |Digest |Bearer )?)([^\r\n]*)" % "|".join(names).encode(), re.I
        )
        steps = [
            (step[0], pattern.sub(hide, step[1])) if len(step) == 2 and isinstance(step[1], bytes) else step
            for step in steps
        ]
    return steps, found


def judge(steps, scenario):
    """The events of both sides by the independent parsers, and which of them had a say."""
    sent, sent_end = transcript.stream(steps, ">")
    got, got_end = transcript.stream(steps, "<")
    given = [method.encode() for method in scenario.requests.split()]

    def status_of(index, methods):
        try:
            codes = oracles.statuses(responses(methods))
        except oracles.Refused as refused:
            codes = oracles.statuses(refused.events)
        return codes[index] if index < len(codes) else None

    def responses(methods):
        return oracles.h11_responses(got, got_end, methods)

    methods = given
    if not given:
        # CONNECT and Upgrade depend on the answers, which depend on the methods: take the methods seen so far.
        def status_so_far(index):
            known = []
            try:
                known = oracles.methods_of(oracles.h11_requests(sent, sent_end, lambda _: None))[: index + 1]
            except oracles.Refused as refused:
                known = oracles.methods_of(refused.events)[: index + 1]
            return status_of(index, known)

    else:
        status_so_far = lambda index: status_of(index, given[: index + 1])

    server = verdict(
        scenario.server_error,
        scenario.without,
        "the requests",
        lambda: ended(sent_end, lambda end: oracles.h11_requests(sent, end, status_so_far)),
        lambda: ended(sent_end, lambda end: oracles.llhttp(sent, end, True, status_of=status_so_far)),
    )
    if not given:
        methods = oracles.methods_of(server[0]) or [b"GET"]
    client = verdict(
        scenario.client_error,
        scenario.without,
        "the responses",
        lambda: ended(got_end, lambda end: oracles.h11_responses(got, end, methods)),
        lambda: ended(got_end, lambda end: oracles.llhttp(got, end, False, methods=methods)),
    )
    return server, client, methods


def ended(ending, ask):
    """The events of a stream that ended so. A reset is never the proper end of a body (RFC 9112 section 8)."""
    if ending != "rst":
        return ask(ending)
    events, closed = list(ask(None)), list(ask("fin"))
    return events if events == closed else [*closed[:-1], ("error", "unexpected-eof")]


def verdict(error, without, what, *ask):
    """The events on which the parsers agree; for a malformed stream those before the error, then the error."""
    names, answers, refusals = ["h11", "llhttp"], {}, {}
    for name, question in zip(names, ask):
        if name in without:
            continue
        try:
            answers[name] = question()
        except oracles.Refused as refused:
            refusals[name] = refused
    if error is None:
        views.check(not refusals, f"{what} were refused: {', '.join(map(str, refusals.values()))}")
        values = list(answers.values())
        views.check(
            all(list(value) == list(values[0]) for value in values),
            f"{what} are read differently:\n" + "\n".join(f"  {n}: {a}" for n, a in answers.items()),
        )
        return list(values[0]), names_of(answers), ""
    code, section, *keep = error
    if keep:
        events = list((answers | {name: refused.events for name, refused in refusals.items()})["h11"])[: keep[0]]
    elif refusals:
        events = list(next(iter(refusals.values())).events)
    elif code == "unexpected-eof":
        values = list(answers.values())
        views.check(values[0][-1] == ("error", code), f"{what} do not end too early: {values[0][-3:]}")
        return list(values[0]), names_of(answers), section
    else:
        events = []
    return events + [("error", code)], names_of(refusals), section


def names_of(answers):
    known = dict(zip(["h11", "llhttp"], oracles.NAMES.split(", ")))
    return [known[name] for name in answers]


def leaks(text):
    """What must not be in a fixture: this machine's name, its users, its paths."""
    names = {
        sockets.gethostname(),
        os.path.expanduser("~"),
        tempfile.gettempdir() + "/",
        os.getcwd(),
        "/work",
        "/home/",
    }
    return [name for name in names if name and len(name) > 3 and name in text]


def shown(command):
    """A command for the header: long runs and lists shortened, the password left out."""
    command = re.sub(r"(.)\1{79,}", lambda match: f"{match[1]}{{{len(match[0])}}}", command).replace(
        "open-sesame", "x" * 11
    )
    return command if len(command) <= 500 else command[:400] + " ... " + command[-90:]


def write(fixtures, scenario, suffix, steps, view, sides, oracle, methods, found, date, outcome):
    identifier = scenario.id + suffix
    path = os.path.join(fixtures, identifier + ".wire")
    os.makedirs(os.path.dirname(path), exist_ok=True)
    for old in glob.glob(path[:-5] + ".*.bin"):
        os.unlink(old)
    counter = iter(range(1, 100))

    def blob(data):
        name = f"{os.path.basename(identifier)}.{next(counter)}.bin"
        with open(os.path.join(os.path.dirname(path), name), "wb") as file:
            file.write(data)
        return name

    header = [
        "wire 1",
        f"id       {identifier}",
        *([f"spec     {scenario.spec}"] if scenario.spec else []),
        f"source   recorded {version_of(scenario.server)} <- {version_of(scenario.drive.client)} {date}",
        f"command  {shown(view['command']).replace('@scenario@', f'{scenario.server}/{scenario.name}')}",
        f"oracle   {oracle}",
        *(f"redact   {name}=same-length" for name in sorted(found)),
        f"requests {' '.join(method.decode('latin-1') for method in methods)}",
        f"tags     http1 recorded{' ' + scenario.tags if scenario.tags else ''}",
        f"title    {scenario.title}{outcome}",
    ]
    lines = [*header, "--- stream", *transcript.format_steps(steps, blob)]
    for side, events in sides.items():
        lines += [f"--- expect {side}", *transcript.format_events(events)]
    text = "\n".join(lines) + "\n"
    views.check(not leaks(text), f"the fixture would tell of this machine: {leaks(text)}")
    with open(path, "w") as file:
        file.write(text)
    return path


def record(scenario, stage, options, folder, date):
    recorder = Recorder(options.recorder, stage.recorder, stage.address(scenario.server), folder)
    stage.flush_log(scenario.server)
    start = log_size(stage, scenario.server)
    try:
        view = scenario.drive(Run(stage, folder))
        time.sleep(scenario.settle)
        connections = recorder.stop()
    finally:
        recorder.kill()
    connections = [steps for steps in connections if any(isinstance(step[-1], bytes) for step in steps)]
    views.check(connections, "nothing was recorded")
    if scenario.connection is None:
        views.check(len(connections) == 1, f"there were {len(connections)} connections")
        chosen = [(connections[0], "")]
    elif scenario.connection == "all":
        chosen = [(steps, f"-{index}" if len(connections) > 1 else "") for index, steps in enumerate(connections, 1)]
    else:
        chosen = [(connections[scenario.connection], "")]

    verdicts = [judge(steps, scenario) for steps, _ in chosen]
    client_events = [event for _, client, _ in verdicts for event in client[0]]
    server_events = [event for server, _, _ in verdicts for event in server[0]]
    codes = oracles.statuses(client_events)
    who_client, who_server = version_of(scenario.drive.client), version_of(scenario.server)
    if not (scenario.lost or scenario.gives_up) and scenario.connection in (None, "all"):
        views.compare_client(client_events, view, who_client)
    if scenario.status is not None:
        views.check(
            codes and codes[-1] == scenario.status, f"{scenario.server} answered {codes}, not {scenario.status}"
        )
    if "received" in view and not scenario.gives_up:
        sent = b"".join(transcript.stream(steps, "<")[0] for steps, _ in chosen)
        views.check(view["received"] == sent, "the socket received other bytes than were recorded")
    requests = sum(1 for event in server_events if event[0] == "head")
    if scenario.log and (scenario.connection is None or scenario.connection == "all"):
        seen = read_log(stage, scenario.server, start, requests)
        views.compare_server(server_events, seen, scenario.server, codes, unordered=view.get("unordered"))
    views.compare_digests(server_events, client_events)
    resets = any(step[-1] == "!rst" for steps, _ in chosen for step in steps)
    claims.check_tags(scenario.tags, server_events, client_events, resets)
    if scenario.stored:
        path = os.path.join(stage.upload, scenario.stored)
        with open(path, "rb") as file:
            body = [event[1] for event in server_events if event[0] == "body"]
            views.check(file.read() == b"".join(body), f"{who_server} stored other bytes than the parsers found")
        os.unlink(path)
    paths = []
    for (steps, suffix), (server, client, methods) in zip(chosen, verdicts):
        steps, found = redacted(steps, scenario.redact)
        if found:
            server, client, methods = judge(steps, scenario)
        sides = {}
        if scenario.sides in ("both", "server") and server[0]:
            sides["server"] = server[0]
        if scenario.sides in ("both", "client") and client[0]:
            sides["client"] = client[0]
        views.check(sides, "there is nothing to judge on either side")
        names = list(dict.fromkeys(server[1] + client[1]))
        if scenario.log and not scenario.server_error:
            names.append(f"the view of {who_server}")
        if "messages" in view or "totals" in view:
            names.append(f"the view of {who_client}")
        outcome = ""
        if scenario.server_error:
            outcome = f" ({scenario.server} answers {codes[-1]})" if codes else f" ({scenario.server} closes)"
            answer = f"answered {codes[-1]}" if codes else "closed the connection"
            names.append(f"{scenario.server_error[1]}, {who_server} {answer}")
        if scenario.client_error:
            names.append(scenario.client_error[1])
        paths.append(
            write(
                options.fixtures, scenario, suffix, steps, view, sides, ", ".join(names), methods, found, date, outcome
            )
        )
    return paths


def forget(fixtures, written):
    """After all was recorded: removes the recordings that are in the table no more."""
    for path in glob.glob(os.path.join(fixtures, "http1/recorded/*/*")):
        stem = path[:-5] if path.endswith(".wire") else re.sub(r"\.\d+\.bin$", "", path)
        if stem + ".wire" not in written:
            os.unlink(path)


def main():
    parser = argparse.ArgumentParser(description="records HTTP/1.1 conversations between real servers and clients")
    parser.add_argument("globs", nargs="*", help="which, such as 'nginx/*' or '*/curl-range-*'; default all")
    parser.add_argument(
        "--recorder", default=".build/debug/anyloop record", type=shlex.split, help="the command that records"
    )
    parser.add_argument("--fixtures", default="Fixtures", help="where to write (Fixtures)")
    parser.add_argument(
        "--user",
        default="www-data" if os.geteuid() == 0 else getpass.getuser(),
        help="the user that servers started by root become",
    )
    parser.add_argument("--date", default=datetime.date.today().isoformat(), help="the date to note")
    parser.add_argument("--list", action="store_true", help="only say what would be recorded")
    options = parser.parse_args()
    scenarios.fill()
    names = [scenario.id for scenario in TABLE]
    if len(names) != len(set(names)):
        sys.exit(f"two scenarios are called {[name for name in names if names.count(name) > 1][0]}")
    wanted = [
        s for s in TABLE if not options.globs or any(fnmatch.fnmatch(f"{s.server}/{s.name}", g) for g in options.globs)
    ]
    if options.list:
        print("\n".join(f"{s.server}/{s.name}" for s in wanted))
        return 0
    root = tempfile.mkdtemp(prefix="record-")
    stage, failures, written = None, [], set()
    os.chmod(root, 0o755)
    try:
        stage = Stage(root, options.user)
        folder = os.path.join(root, "client")
        os.makedirs(folder)
        for name in ("lines.txt", "large.txt", "noise.bin", "hello.txt"):
            shutil.copy(os.path.join(stage.site, name), folder)
        for name in [*ADDRESSES, "varnishlog"]:
            stage.start(name)
        for scenario in wanted:
            label = f"{scenario.server}/{scenario.name}"
            try:
                written.update(record(scenario, stage, options, folder, options.date))
                print(f"ok    {label}", flush=True)
            except (
                AssertionError,
                oracles.Refused,
                subprocess.TimeoutExpired,
                IndexError,
                RuntimeError,
                OSError,
            ) as error:
                failures.append(label)
                print(f"FAIL  {label}: {error}", flush=True)
                if not isinstance(error, AssertionError):
                    traceback.print_exc()
    finally:
        if stage:
            stage.stop_all()
        if os.environ.get("KEEP_STATE") is None:
            shutil.rmtree(root, ignore_errors=True)
    if not options.globs and not failures:
        forget(options.fixtures, written)
    print(f"{len(written)} fixtures written, {len(failures)} of {len(wanted)} scenarios failed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
