"""What the benchmarks share: servers as children, their CPU time, interleaved rounds, medians of ratios."""

import os
import platform
import re
import socket
import statistics
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TICKS = os.sysconf("SC_CLK_TCK")


def anyloop_binary():
    """The release build of the command, built if need be."""
    subprocess.run(["swift", "build", "-c", "release", "--product", "anyloop"], cwd=ROOT, check=True,
                   stdout=sys.stderr)
    return os.path.join(ROOT, ".build", "release", "anyloop")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def cpu_seconds(pid):
    """User and system time of a process and its waited-for children, in seconds."""
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return sum(int(value) for value in fields[11:15]) / TICKS


def resident_bytes(pid):
    with open(f"/proc/{pid}/status") as file:
        return int(re.search(r"VmRSS:\s+(\d+) kB", file.read()).group(1)) * 1024


class Server:
    """A child process that listens on a port; ended with the `with` block."""

    def __init__(self, name, command, port, environment=None, cpu_pid=None):
        self.name, self.command, self.port = name, command, port
        self.environment, self.find_pid = environment or {}, cpu_pid

    def __enter__(self):
        self.process = subprocess.Popen(self.command, env={**os.environ, **self.environment},
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(500):
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                break
            except OSError:
                if self.process.poll() is not None:
                    sys.exit(f"{self.name} ended with {self.process.returncode}: {' '.join(self.command)}")
                time.sleep(0.02)
        else:
            sys.exit(f"{self.name} does not listen on {self.port}")
        self.pid = self.find_pid(self.process.pid) if self.find_pid else self.process.pid
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()


NGINX = """
worker_processes 1; daemon off; pid {prefix}/pid; error_log {prefix}/error.log; worker_rlimit_nofile 20000;
events {{ worker_connections 15000; }}
http {{ access_log off; keepalive_requests 1000000000; keepalive_timeout 600;
  client_body_temp_path {prefix}/a; proxy_temp_path {prefix}/b; fastcgi_temp_path {prefix}/c;
  uwsgi_temp_path {prefix}/d; scgi_temp_path {prefix}/e;
  server {{ {server} }} }}
"""
# A server in the clear that says hello.
NGINX_HELLO = """listen 127.0.0.1:{port}; location / {{ default_type text/plain; return 200 "hello, world\\n"; }}"""


def nginx(prefix, port, server):
    """nginx with one worker, whose time and memory are what counts; `server` is its server block."""
    path = os.path.join(prefix, "nginx.conf")
    with open(path, "w") as file:
        file.write(NGINX.format(prefix=prefix, server=server))
    return Server("nginx", ["nginx", "-p", prefix, "-c", path, "-e", f"{prefix}/error.log"], port,
                  cpu_pid=nginx_worker)


def nginx_worker(master):
    # The master listens before its worker exists.
    for _ in range(500):
        with open(f"/proc/{master}/task/{master}/children") as file:
            children = file.read().split()
        if children:
            return int(children[0])
        time.sleep(0.02)
    sys.exit("nginx has no worker")


def compiled(source, directory, *libraries, needs):
    """The program that a C file makes, in the directory."""
    binary = os.path.join(directory, os.path.splitext(os.path.basename(source))[0])
    try:
        subprocess.run(["cc", "-O2", "-o", binary, source, *libraries], check=True)
    except (OSError, subprocess.CalledProcessError):
        sys.exit(f"{source} does not compile: apt-get install {needs}")
    return binary


def interleaved(rounds, contestants, measure):
    """measure(contestant) for each, round by round, so that noise hits all alike. Name -> list of results."""
    results = {contestant: [] for contestant in contestants}
    for index in range(rounds):
        order = list(contestants) if index % 2 == 0 else list(reversed(contestants))
        for contestant in order:
            results[contestant].append(measure(contestant))
        print(f"round {index + 1}/{rounds}: " + ", ".join(
            f"{name} {values[-1]:,.0f}" for name, values in results.items()), file=sys.stderr, flush=True)
    return results


def ratios(results, ours, peer):
    """The median of the rounds' ratios, with the least and the greatest."""
    values = [mine / theirs for mine, theirs in zip(results[ours], results[peer])]
    return statistics.median(values), min(values), max(values)


def report(title, unit, results, comparisons):
    """Prints a Markdown section: medians, and each wanted ratio beside what it should reach."""
    print(f"## {title}\n")
    print(f"{time.strftime('%Y-%m-%d')}, {cpu_model()}, {os.cpu_count()} cores, Linux {platform.release().split('-')[0]}\n")
    print(f"| who | median {unit} |\n|---|---|")
    for name, values in results.items():
        print(f"| {name} | {statistics.median(values):,.0f} |")
    print("\n| ratio | median | least | greatest | wanted |\n|---|---|---|---|---|")
    for ours, peer, wanted in comparisons:
        middle, least, greatest = ratios(results, ours, peer)
        print(f"| {ours} / {peer} | {middle:.2f} | {least:.2f} | {greatest:.2f} | {wanted} |")
    print()


def cpu_model():
    with open("/proc/cpuinfo") as file:
        return next((line.split(":", 1)[1].strip() for line in file if line.startswith("model name")), "unknown")
