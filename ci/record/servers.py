"""Starts the servers under loopback addresses of their own, with generated configurations, and ends them again."""

import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
LINE = b"0123456789abcde\n"

# The fields that access logs write down, where a server has no better way to say what it saw.
LOGGED = [
    "Host",
    "User-Agent",
    "Accept",
    "Accept-Encoding",
    "Range",
    "If-None-Match",
    "If-Modified-Since",
    "If-Range",
    "Content-Type",
    "Content-Length",
    "Transfer-Encoding",
    "Expect",
    "Connection",
    "Cookie",
    "Upgrade",
    "Referer",
    "X-Test",
]
SEPARATOR = " ||| "

ADDRESSES = {
    name: f"127.0.2.{number}"
    for number, name in enumerate(
        ["nginx", "apache", "lighttpd", "h2o", "caddy", "haproxy", "varnish", "squid", "aiohttp", "python", "node"], 1
    )
}
INNER = {
    name: ADDRESSES[name].replace("127.0.2.", "127.0.3.")
    for name in ("nginx", "apache", "h2o", "caddy", "haproxy", "varnish")
}
RECORDER = "127.0.1.1"


def free_port():
    """A port that is free under every address: 8080 where possible, so that recordings made again differ little."""
    for port in range(8080, 8180):
        try:
            for address in [RECORDER, *ADDRESSES.values(), *INNER.values()]:
                with socket.socket() as probe:
                    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                    probe.bind((address, port))
            return port
        except OSError:
            continue
    sys.exit("no port between 8080 and 8179 is free on the loopback addresses")


def run_text(*command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return done.stdout


class Stage:
    """A temporary directory with the site, the state of every server, and what the servers are told."""

    def __init__(self, root, user):
        self.root, self.port, self.user = root, free_port(), user
        self.site, self.state, self.upload = (os.path.join(root, name) for name in ("site", "state", "up"))
        for path in (root, self.site, self.state, self.upload):
            os.makedirs(path, exist_ok=True)
            os.chmod(path, 0o777)
        self.processes = {}
        # A copy that servers which changed their user can read, wherever the repository is.
        shutil.copytree(os.path.join(HERE, "peers"), os.path.join(self.state, "peers"))
        os.chmod(os.path.join(self.state, "peers"), 0o755)
        self.write_site()
        self.write_passwords()
        self.variables = self.make_variables()

    def address(self, name):
        return f"{ADDRESSES[name]}:{self.port}"

    @property
    def recorder(self):
        return f"{RECORDER}:{self.port}"

    def write_site(self):
        noise = random.Random(9112)
        files = {
            "index.html": b"<!DOCTYPE html><title>site</title><p>index</p>\n",
            "hello.txt": b"hello, world\n",
            "alphabet.txt": b"abcdefghijklmnopqrstuvwxyz\n",
            "empty.txt": b"",
            "lines.txt": LINE * 64,
            "large.txt": LINE * 6000,
            "huge.txt": LINE * 100000,
            "noise.bin": noise.randbytes(70000),
            "css/style.css": b"".join(b".rule-%03d { color: #%06x; margin: 0 }\n" % (i, i * 4711) for i in range(60)),
            "ssi/page.shtml": b'<p>before</p>\n<!--#include virtual="/hello.txt" -->\n<p>after</p>\n',
            "directory/index.html": b"<p>in the directory</p>\n",
            "private/secret.txt": b"open\n",
            "digest/secret.txt": b"digested\n",
            "cookie/index.html": b"<p>cookies</p>\n",
            "asis/plain.asis": b"Status: 200 As It Is\nContent-Type: text/plain\nX-As-Is: yes\n\nas it is\n",
            "page/index.html": b'<!DOCTYPE html><title>page</title><link rel="stylesheet" href="/css/style.css"><p id="p">page</p>\n',
            "favicon.ico": b"\0\0\1\0",
        }
        for name, content in files.items():
            path = os.path.join(self.site, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "wb") as file:
                file.write(content)
            os.utime(path, (1700000000, 1700000000))
        for folder in ("upload", "tiny"):
            os.makedirs(os.path.join(self.upload, folder), exist_ok=True)
            os.chmod(os.path.join(self.upload, folder), 0o777)

    def write_passwords(self):
        # "open-sesame", as htpasswd -nbd writes it would differ each time; a fixed salt keeps it the same.
        hashed = run_text("openssl", "passwd", "-apr1", "-salt", "recorded", "open-sesame").strip()
        with open(os.path.join(self.state, "htpasswd"), "w") as file:
            file.write(f"reader:{hashed}\n")
        with open(os.path.join(self.state, "plainpasswd"), "w") as file:
            file.write("reader:open-sesame\n")
        for name in ("htpasswd", "plainpasswd"):
            os.chmod(os.path.join(self.state, name), 0o644)

    def make_variables(self):
        variables = {f"{name.upper()}": self.address(name) for name in ADDRESSES}
        variables |= {f"{name.upper()}_HOST": address for name, address in ADDRESSES.items()}
        variables |= {f"{name.upper()}_INNER": f"{address}:{self.port}" for name, address in INNER.items()}
        variables |= {f"{name.upper()}_INNER_HOST": address for name, address in INNER.items()}
        modules = "/usr/lib/apache2/modules"
        wanted = "mpm_event authz_core authz_host auth_basic authn_core authn_file authz_user dir alias mime deflate filter headers cgi dav dav_fs dav_lock include asis reqtimeout proxy proxy_http".split()
        variables |= {
            "RECORDER": self.recorder,
            "RECORDER_HOST": RECORDER,
            "PORT": str(self.port),
            "USER": self.user,
            "ROOT": self.site,
            "STATE": self.state,
            "UPLOAD": self.upload,
            "PEERS": os.path.join(self.state, "peers"),
            "NGINX_MODULES": "",
            "APACHE_MODULES": "\n".join(f"LoadModule {name}_module {modules}/mod_{name}.so" for name in wanted)
            + f"\nUser {self.user}",
            "LOG_NGINX": SEPARATOR.join(f"{n}=$http_{n.lower().replace('-', '_')}" for n in LOGGED),
            "LOG_APACHE": SEPARATOR.join(f"{n}=%{{{n}}}i" for n in LOGGED),
            "LOG_SQUID": SEPARATOR.join(f"{n}=%{{{n}}}>h" for n in LOGGED),
            "LOG_HAPROXY": SEPARATOR.join(f"{n}=%[capture.req.hdr({i})]" for i, n in enumerate(LOGGED)),
            "LOG_HAPROXY_CAPTURES": "\n  ".join(f"capture request header {n} len 200" for n in LOGGED),
        }
        return variables

    def configure(self, name):
        """Fills the configuration's placeholders and returns where it was written."""
        with open(os.path.join(HERE, "conf", name)) as file:
            text = re.sub(r"@([A-Z0-9_]+)@", lambda match: self.variables[match[1]], file.read())
        path = os.path.join(self.state, name)
        with open(path, "w") as file:
            file.write(text)
        return path

    def log_path(self, name):
        return os.path.join(self.state, f"{name}.log")

    def start(self, name):
        command, environment, output = self.command(name)
        log = open(self.log_path(name) if output == "log" else os.path.join(self.state, f"{name}.out"), "ab")
        open(self.log_path(name), "ab").close()
        os.chmod(self.log_path(name), 0o666)
        # A session of its own, so that all of it can be ended by its process group.
        self.processes[name] = subprocess.Popen(
            command,
            env=os.environ | environment,
            stdout=log,
            stderr=log if output != "log" else subprocess.DEVNULL,
            stdin=subprocess.DEVNULL,
            cwd=self.state,
            start_new_session=True,
        )
        self.wait_for(name)

    def command(self, name):
        view = {"VIEW_LOG": self.log_path(name)}
        peer = lambda file: os.path.join(HERE, "peers", file)
        match name:
            case "nginx":
                return ["nginx", "-c", self.configure("nginx.conf"), "-p", self.state], {}, ""
            case "apache":
                return ["apache2", "-X", "-f", self.configure("apache.conf")], {}, ""
            case "lighttpd":
                return ["lighttpd", "-D", "-f", self.configure("lighttpd.conf")], {}, ""
            case "h2o":
                return ["h2o", "-c", self.configure("h2o.conf")], {}, ""
            case "caddy":
                home = {"HOME": self.state, "XDG_CONFIG_HOME": self.state, "XDG_DATA_HOME": self.state}
                return ["caddy", "run", "--config", self.configure("Caddyfile"), "--adapter", "caddyfile"], home, ""
            case "haproxy":
                return ["haproxy", "-db", "-f", self.configure("haproxy.cfg")], {}, "log"
            case "varnish":
                return (
                    [
                        "varnishd",
                        "-F",
                        "-j",
                        "none",
                        "-n",
                        os.path.join(self.state, "varnish-work"),
                        "-i",
                        "cache.test",
                        "-s",
                        "default,16m",
                        "-a",
                        f"outer={self.address('varnish')},HTTP",
                        "-a",
                        f"inner={INNER['varnish']}:{self.port},HTTP",
                        "-p",
                        "timeout_idle=1.5",
                        "-p",
                        "thread_pool_min=5",
                        "-p",
                        "thread_pools=1",
                        "-f",
                        self.configure("varnish.vcl"),
                    ],
                    {},
                    "",
                )
            case "varnishlog":
                format_ = SEPARATOR.join(["%m", "%U%q", "%H", "%s", *(f"{n}=%{{{n}}}i" for n in LOGGED)])
                return (
                    [
                        "varnishncsa",
                        "-n",
                        os.path.join(self.state, "varnish-work"),
                        "-F",
                        format_,
                        "-w",
                        self.log_path("varnish"),
                        "-a",
                    ],
                    {},
                    "",
                )
            case "squid":
                return ["squid", "-N", "-f", self.configure("squid.conf")], {}, ""
            case "aiohttp":
                return [sys.executable, peer("aiohttp_server.py"), self.address(name)], view, ""
            case "python":
                return [sys.executable, peer("http_server.py"), self.address(name)], view, ""
            case "node":
                return ["node", peer("node_server.js"), self.address(name)], view, ""
        raise KeyError(name)

    def wait_for(self, name):
        if name not in ADDRESSES:
            return
        end = time.monotonic() + 15
        while time.monotonic() < end:
            try:
                socket.create_connection((ADDRESSES[name], self.port), timeout=1).close()
                return
            except OSError:
                if self.processes[name].poll() is not None:
                    break
                time.sleep(0.05)
        with open(os.path.join(self.state, f"{name}.out"), errors="replace") as file:
            sys.exit(f"{name} did not start: {file.read()[-2000:]}")

    def flush_log(self, name):
        """lighttpd writes its log every few seconds, or when it is told to open it again."""
        if name == "lighttpd":
            os.kill(self.processes[name].pid, signal.SIGHUP)
            time.sleep(0.1)

    def stop_all(self):
        for process in reversed(self.processes.values()):
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGTERM)
        for process in self.processes.values():
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


VERSION_COMMANDS = {
    "nginx": (["nginx", "-v"], r"nginx/(\S+)", "nginx"),
    "apache": (["apache2", "-v"], r"Apache/(\S+)", "Apache"),
    "lighttpd": (["lighttpd", "-v"], r"lighttpd/(\S+)", "lighttpd"),
    "h2o": (["h2o", "--version"], r"version (\S+)", "h2o"),
    "caddy": (["caddy", "version"], r"v?(\d\S+)", "Caddy"),
    "haproxy": (["haproxy", "-v"], r"version (\d+\.\d+\.\d+)", "HAProxy"),
    "varnish": (["varnishd", "-V"], r"varnish-(\d[\d.]*)", "Varnish"),
    "squid": (["squid", "-v"], r"Version (\S+)", "Squid"),
    "node": (["node", "--version"], r"v(\S+)", "Node.js"),
    "curl": (["curl", "--version"], r"curl (\S+)", "curl"),
    "wget": (["wget", "--version"], r"Wget (\S+)", "wget"),
    "ab": (["ab", "-V"], r"Version (\S+)", "ab"),
    "wrk": (["wrk", "-v"], r"wrk (?:debian/)?(\S+)", "wrk"),
    "siege": (["siege", "--version"], r"SIEGE (\S+)", "siege"),
    "aria2c": (["aria2c", "--version"], r"aria2 version (\S+)", "aria2"),
    "chromium": (["chromium-headless-shell", "--version"], r"(\d+\.\d+\.\d+\.\d+)", "Chromium"),
    "perl": (["perl", "-MLWP", "-e", "print qq(LWP $LWP::VERSION)"], r"LWP (\S+)", "libwww-perl"),
}


def version_of(name):
    """Such as `nginx/1.22.1`, as the program itself says."""
    import importlib.metadata as metadata

    python = ".".join(map(str, sys.version_info[:3]))
    fixed = {
        "python": f"Python-http.server/{python}",
        "http.client": f"Python-http.client/{python}",
        "socket": f"Python-socket/{python}",
    }
    if name in fixed:
        return fixed[name]
    if name in ("aiohttp", "requests", "httpx"):
        return f"{name}/{metadata.version(name)}"
    if name == "hey":
        found = re.search(r"Version: (\d[\d.]*)", run_text("dpkg", "-s", "hey"))
        return f"hey/{found[1]}" if found else "hey"
    command, pattern, label = VERSION_COMMANDS[name]
    return f"{label}/{re.search(pattern, run_text(*command))[1]}"
