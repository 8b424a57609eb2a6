#!/usr/bin/env python3
"""Records what real event loops do with the scenarios of Fixtures/asyncio. Run by ci/record-asyncio, which see."""
import argparse
import asyncio
import datetime
import fnmatch
import json
import os
import platform
import select
import signal
import subprocess
import sys
import time
import warnings

HERE = os.path.dirname(os.path.abspath(__file__))
FIXTURES = os.path.normpath(os.path.join(HERE, "../../../Fixtures"))
TIMES = 3
SCENARIO_SECONDS = 30
sys.path.insert(0, HERE)

KEYS = ["asyncio", "id", "title", "rules", "turns", "debug", "driver", "follows", "without", "buffer_size",
        "every_get_buffer", "names", "react", "steps"]


# ---- files

def scenario_paths(globs):
    for folder, folders, files in os.walk(os.path.join(FIXTURES, "asyncio")):
        folders.sort()
        for file in sorted(files):
            if not file.endswith(".json") or file.endswith(".trace.json"):
                continue
            path = os.path.join(folder, file)
            identifier = os.path.relpath(path, FIXTURES)[:-len(".json")]
            short = identifier[len("asyncio/"):]
            if "/" in short and (not globs or any(fnmatch.fnmatch(short, g) or fnmatch.fnmatch(identifier, g) for g in globs)):
                yield path, identifier


def compact(value):
    return json.dumps(value, ensure_ascii=True)


def scenario_text(scenario):
    """The canonical form: one step, and one callback of `react`, a line."""
    unknown = set(scenario) - set(KEYS)
    if unknown:
        raise SystemExit(f"{scenario.get('id')}: unknown keys {sorted(unknown)}")
    parts = []
    for key in KEYS:
        if key not in scenario:
            continue
        value = scenario[key]
        if key == "steps":
            text = "[\n" + ",\n".join("    " + compact(step) for step in value) + "\n  ]"
        elif key == "react":
            actors = []
            for actor, callbacks in value.items():
                lines = ",\n".join(f"      {compact(name)}: {compact(actions)}" for name, actions in callbacks.items())
                actors.append(f"    {compact(actor)}: {{\n{lines}\n    }}")
            text = "{\n" + ",\n".join(actors) + "\n  }"
        else:
            text = compact(value)
        parts.append(f"  {compact(key)}: {text}")
    return "{\n" + ",\n".join(parts) + "\n}\n"


def recording_text(recording):
    traces = []
    for trace in recording["traces"]:
        lines = ",\n".join("        " + compact(line) for line in trace["trace"])
        traces.append("    {\n" + f'      "by": {compact(trace["by"])},\n      "recorded": {compact(trace["recorded"])},\n'
                      + '      "trace": [\n' + lines + "\n      ]\n    }")
    return "{\n" + f'  "id": {compact(recording["id"])},\n  "traces": [\n' + ",\n".join(traces) + "\n  ]\n}\n"


def write_if_changed(path, text):
    try:
        with open(path) as file:
            if file.read() == text:
                return False
    except FileNotFoundError:
        pass
    with open(path, "w") as file:
        file.write(text)
    return True


# ---- one interpreter: runs scenarios, each in a process of its own, and prints their traces as lines of JSON

def recorder_class():
    from datagrams import Datagrams
    from descriptors import Descriptors
    from futures import Futures
    from loops import Loops
    from peers import Peers
    from processes import Processes
    from readers import Readers
    from scenario import Recorder
    from servers import Servers
    from sockets import Sockets
    from streams import Streams
    from tls import TLS

    class Whole(Streams, Servers, Peers, Loops, Futures, Descriptors, Sockets, Datagrams, Processes, Readers, TLS,
                Recorder):
        pass
    return Whole


def new_loop(kind):
    if kind == "uvloop":
        import uvloop
        return uvloop.new_event_loop()
    return asyncio.SelectorEventLoop()


def run_in_child(path, kind, out):
    """In the child: one scenario, its trace into the pipe."""
    warnings.simplefilter("ignore")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # what a loop prints of errors that nobody takes; ours are in the result
    with open(path) as file:
        scenario = json.load(file)
    try:
        result = {"trace": recorder_class()(new_loop(kind), scenario).run()}
    except BaseException as error:
        import traceback
        result = {"error": f"{type(error).__name__}: {error}", "traceback": traceback.format_exc()}
    data = json.dumps(result).encode()
    while data:
        data = data[os.write(out, data):]
    os._exit(0)


def run_all(paths, kind, jobs):
    waiting, running = [(path, n) for path in paths for n in range(TIMES)], {}
    while waiting or running:
        while waiting and len(running) < jobs:
            path, n = waiting.pop(0)
            source, sink = os.pipe()
            sys.stdout.flush()
            child = os.fork()
            if child == 0:
                os.close(source)
                run_in_child(path, kind, sink)
            os.close(sink)
            running[source] = (path, n, child, time.monotonic(), bytearray())
        ready, _, _ = select.select(list(running), [], [], 0.5)
        for source in list(running):
            path, n, child, start, got = running[source]
            data = b""
            if source in ready:
                data = os.read(source, 1 << 16)
                got += data
            late = time.monotonic() - start > SCENARIO_SECONDS
            if (source in ready and not data) or late:
                if late:
                    os.kill(child, signal.SIGKILL)
                os.waitpid(child, 0)
                os.close(source)
                del running[source]
                result = json.loads(bytes(got)) if got and not late else {
                    "error": f"no end after {SCENARIO_SECONDS} s" if late else "the process ended"}
                print(json.dumps({"path": path, "n": n, **result}), flush=True)


def interpreter_name(kind):
    name = f"CPython {platform.python_version()}"
    if kind == "uvloop":
        import uvloop
        name = f"uvloop {uvloop.__version__} on {name}"
    return name


# ---- all interpreters: compares, groups, writes

def record_with(python, kind, paths, jobs):
    """The traces of one loop: by path, the trace that three recordings agree on, or a complaint."""
    command = [python, os.path.join(HERE, "main.py"), "--run", kind, "--jobs", str(jobs)]
    process = subprocess.run(command, input="\n".join(paths), stdout=subprocess.PIPE, text=True, check=True)
    lines = process.stdout.splitlines()
    name, results = lines[0], {}
    for line in lines[1:]:
        result = json.loads(line)
        results.setdefault(result["path"], []).append(result)
    return name, results


def loop_name(python, kind):
    return subprocess.run([python, os.path.join(HERE, "main.py"), "--name", kind],
                          stdout=subprocess.PIPE, text=True, check=True).stdout.strip()


def left_out(scenario, name):
    """Whether the scenario says that this loop is not to be recorded, by the start of its name."""
    return any(name.startswith(start) for start in scenario.get("without", {}))


def differing(traces):
    import difflib
    for other in traces[1:]:
        if other != traces[0]:
            return "\n".join("    " + line for line in difflib.unified_diff(traces[0], other, lineterm="", n=1)
                             if not line.startswith(("---", "+++", "@@")))
    return ""


def record(arguments, loops):
    scenarios = list(scenario_paths(arguments.globs))
    complaints, recorded, texts = [], {}, {}
    for path, identifier in scenarios:
        with open(path) as file:
            texts[path] = file.read()
        scenario = json.loads(texts[path])
        if scenario.get("id") != identifier:
            complaints.append(f"{identifier}: its id is {scenario.get('id')}")
        canonical = scenario_text(scenario)
        if arguments.check and canonical != texts[path]:
            complaints.append(f"{identifier}: not in the canonical form (main.py --format)")
        elif canonical != texts[path]:
            write_if_changed(path, canonical)
    names = []
    for python, kind in loops:
        known = loop_name(python, kind)
        paths = [path for path, _ in scenarios if not left_out(json.loads(texts[path]), known)]
        name, results = record_with(python, kind, paths, arguments.jobs)
        names.append(name)
        for path, identifier in scenarios:
            runs = results.get(path, [])
            if not runs:
                continue
            failed = [run for run in runs if "error" in run]
            if failed:
                complaints.append(f"{identifier} on {name}: {failed[0]['error']}\n{failed[0].get('traceback', '')}")
            elif any(run["trace"] != runs[0]["trace"] for run in runs):
                complaints.append(f"{identifier} on {name}: three recordings differ\n{differing([r['trace'] for r in runs])}")
            else:
                recorded.setdefault(path, []).append((name, runs[0]["trace"]))
    changed = 0
    for path, identifier in scenarios:
        if path in recorded:
            changed += merge(path, identifier, json.loads(texts[path]), recorded[path], arguments, complaints)
    for complaint in complaints:
        print(complaint, file=sys.stderr)
    print(f"{len(scenarios)} scenarios on {', '.join(names)}: {changed} traces {'differ' if arguments.check else 'written'}, "
          f"{len(complaints)} complaints")
    return 1 if complaints else 0


def merge(path, identifier, scenario, recorded, arguments, complaints):
    """Writes a scenario's recording: what these loops did, beside what others did that were not run now."""
    trace_path = path[:-len(".json")] + ".trace.json"
    try:
        with open(trace_path) as file:
            old = json.load(file)["traces"]
    except FileNotFoundError:
        old = []
    versions = {}
    for name, trace in recorded:
        if name.startswith("CPython"):
            versions[name] = trace
    if "follows" not in scenario and any(trace != recorded[0][1] for trace in versions.values()):
        complaints.append(f"{identifier}: CPython's versions differ, and it does not say which one to follow")
    if arguments.check:
        differ = 0
        for name, trace in recorded:
            known = [entry["trace"] for entry in old if name in entry["by"]]
            if not known or known[0] != trace:
                complaints.append(f"{identifier}: {name} does not reproduce the recording"
                                  + (f"\n{differing([known[0], trace])}" if known else ", which has none of it"))
                differ += 1
        return differ
    today = datetime.date.today().isoformat()
    names = [name for name, _ in recorded]
    groups = [{"by": [n for n in entry["by"] if n not in names], "recorded": entry["recorded"], "trace": entry["trace"]}
              for entry in old]
    for name, trace in recorded:
        for group in groups:
            if group["trace"] == trace:
                group["by"].append(name)
                break
        else:
            groups.append({"by": [name], "recorded": today, "trace": trace})
    groups = [dict(group, by=sorted(group["by"])) for group in groups if group["by"]]
    groups.sort(key=lambda group: group["by"])
    return write_if_changed(trace_path, recording_text({"id": identifier, "traces": groups}))


def show(arguments, loops):
    """Prints what each loop does with the scenarios; writes nothing."""
    for path, identifier in scenario_paths(arguments.globs):
        groups = []
        for python, kind in loops:
            name, results = record_with(python, kind, [path], arguments.jobs)
            for run in results[path]:
                lines = run.get("trace") or [run.get("error", "(empty)"), run.get("traceback", "")]
                for group in groups:
                    if group[1] == lines:
                        group[0][name] = group[0].get(name, 0) + 1
                        break
                else:
                    groups.append(({name: 1}, lines))
        print(f"=== {identifier}")
        for by, lines in groups:
            print("--- " + ", ".join(f"{name} x{count}" for name, count in by.items()))
            print("\n".join(lines))
    return 0


def unshown_rules():
    """Prints the rules that a trace can show and no scenario names, and numbers that are no rule's."""
    with open(os.path.join(FIXTURES, "asyncio/rules.json")) as file:
        rules = {rule["number"]: rule for rule in json.load(file)}
    shown = {}
    for path, identifier in scenario_paths([]):
        with open(path) as file:
            for number in json.load(file)["rules"]:
                shown.setdefault(number, []).append(identifier)
    missing = [number for number, rule in rules.items() if rule["place"] == "scenario" and number not in shown]
    unknown = [number for number in shown if number not in rules]
    for number in missing:
        print(f"{number}. {rules[number]['text']}")
    for number in unknown:
        print(f"{number} is no rule: {', '.join(shown[number])}")
    return 1 if missing or unknown else 0


def main():
    parser = argparse.ArgumentParser(prog="ci/record-asyncio", description=__doc__)
    parser.add_argument("globs", nargs="*", metavar="GLOB", help="such as 'ending/*'; default all")
    parser.add_argument("--check", action="store_true", help="compare with the committed traces, write nothing")
    parser.add_argument("--show", action="store_true", help="print the traces, write nothing")
    parser.add_argument("--format", action="store_true", help="write the scenarios in their canonical form, record nothing")
    parser.add_argument("--rules", action="store_true", help="list the rules that no scenario shows but one could")
    parser.add_argument("--jobs", type=int, default=4, help="scenarios at a time")
    parser.add_argument("--cpython", action="append", default=[], metavar="PATH")
    parser.add_argument("--uvloop", action="append", default=[], metavar="PATH")
    parser.add_argument("--run", metavar="KIND", help=argparse.SUPPRESS)
    parser.add_argument("--name", metavar="KIND", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.name:
        print(interpreter_name(arguments.name))
        return 0
    if arguments.run:
        print(interpreter_name(arguments.run), flush=True)
        recorder_class()
        run_all([line for line in sys.stdin.read().splitlines() if line], arguments.run, arguments.jobs)
        return 0
    if arguments.rules:
        return unshown_rules()
    if arguments.format:
        for path, _ in scenario_paths(arguments.globs):
            with open(path) as file:
                write_if_changed(path, scenario_text(json.load(file)))
        return 0
    loops = [(python, "cpython") for python in arguments.cpython] + [(python, "uvloop") for python in arguments.uvloop]
    return (show if arguments.show else record)(arguments, loops)


if __name__ == "__main__":
    sys.exit(main())
