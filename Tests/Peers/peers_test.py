#!/usr/bin/env python3
"""Crosses our TLS with that of others, each way, and prints the table.

    Tests/Peers/peers_test.py [--anyloop COMMAND] [--only GLOB] [--markdown FILE]

OpenSSL, GnuTLS, NSS, curl, nginx and this Python's ssl must be there (`ci/setup` installs them); Go is crossed if it is."""

import argparse
import concurrent.futures
import fnmatch
import os
import pathlib
import re
import ssl
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
import ours_asking
import ours_serving
from crossing import HERE, Failed, Material, Service, Table, expect, run, version_of

# Debian has nginx where only root's PATH looks.
os.environ["PATH"] += ":/usr/sbin"
# What says each peer's version; NSS's tools do not, its package does.
VERSIONS = {
    "openssl": (["openssl", "version"], r"OpenSSL (\S+)"),
    "gnutls": (["gnutls-cli", "--version"], r"gnutls-cli (\S+)"),
    "nss": (["dpkg-query", "-W", "-f", "${Version}", "libnss3-tools"], r"^(?:\d+:)?([\d.]+)"),
    "curl": (["curl", "--version"], r"curl (\S+)"),
    "nginx": (["nginx", "-v"], r"nginx/(\S+)"),
    "go": (["go", "version"], r"go(\d\S+)"),
}
OPTIONAL = ["go"]
# So many crossings at once: most of their time they wait.
AT_ONCE = 4


def find_peers():
    """The versions of those that are there; fails if one that must be there is not."""
    versions = {name: version_of(*question) for name, question in VERSIONS.items()}
    versions["nss"] = versions["nss"] and version_of(["tstclnt"], "()") is not None and versions["nss"]
    versions["python"] = f"{sys.version.split()[0]} ({ssl.OPENSSL_VERSION.rsplit(' ', 3)[0]})"
    missing = [name for name, version in versions.items() if not version]
    for name in missing:
        print(f"peers: {name} is not there" + (", so it is not crossed" if name in OPTIONAL else ""), file=sys.stderr)
    if set(missing) - set(OPTIONAL):
        sys.exit("peers: run ci/setup")
    return {name: version for name, version in versions.items() if version}


def serve(material, service, *more, chain=None, key=None):
    """One of ours, on a port that the system chose."""
    command = [material.anyloop, "serve", service, "--port", "0", "--tls-certificate", chain or material.chain]
    running = Service([*command, "--tls-key", key or material.key, *more])
    running.port = int(running.await_(rb"listening on [^\n]*:(\d+)\b")[1])
    return running


def build_go(material):
    """Go's client and server; nil without Go."""
    material.go_peer = material.folder / "go-peer"
    environment = os.environ | {"CGO_ENABLED": "0", "GO111MODULE": "off", "GOFLAGS": "", "GOCACHE": str(material.folder / "go")}
    source = str(HERE / "go" / "peer.go")
    done = subprocess.run(
        ["go", "build", "-o", str(material.go_peer), source], capture_output=True, text=True, env=environment
    )
    expect(done.returncode == 0, f"the Go peer was not built: {done.stderr}")


def cross(crossing, table, times):
    row, column, call = crossing
    start = time.monotonic()
    try:
        call()
    except Failed as failure:
        return table.note(row, column, str(failure))
    except Exception as error:
        return table.note(row, column, f"{type(error).__name__}: {error}")
    finally:
        times.append((time.monotonic() - start, f"{row}: {column}"))
    table.note(row, column)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--anyloop", default=".build/debug/anyloop")
    parser.add_argument("--only", default="*", help="such as 'OpenSSL*' or '*resumed', of 'PEER: COLUMN'")
    parser.add_argument("--markdown", help="a file for the tables")
    parser.add_argument("--times", action="store_true", help="prints which crossings take longest")
    options = parser.parse_args()
    versions, start = find_peers(), time.monotonic()
    with tempfile.TemporaryDirectory(prefix="peers-") as folder:
        material = Material(folder)
        material.anyloop, material.versions = pathlib.Path(options.anyloop).resolve(), versions
        if "go" in versions:
            build_go(material)
        material.nss_stranger = material.nss_store(None, None, "stranger")
        material.nss_client = material.nss_store(material.chain, material.key, "client")
        material.nss_server = material.nss_store(material.address_chain, material.key, "server")
        guard = ["--tls-client-ca", material.root, "--tls-client", "required"]
        serving, asking, times = Table(), Table(), []
        with (
            serve(material, "http", "--root", material.files) as files,
            serve(material, "echo") as echo,
            serve(material, "hello", *guard) as guarded,
        ):
            servers = ours_serving.Servers(files.port, echo.port, guarded.port)
            jobs = [(c, serving) for c in ours_serving.crossings([n for n in ours_serving.CLIENTS if n in versions], material, servers)]
            jobs += [(c, asking) for c in ours_asking.crossings([n for n in ours_asking.SERVERS if n in versions], material)]
            jobs = [(c, table) for c, table in jobs if fnmatch.fnmatch(f"{c[0]}: {c[1]}", options.only)]
            # The slowest ones first.
            jobs.sort(key=lambda job: ("GnuTLS" in job[0][0] and "10 MB" in job[0][1], "10 MB" in job[0][1]), reverse=True)
            with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
                list(pool.map(lambda job: cross(*job, times), jobs))
            for ours in (files, echo, guarded):
                if ours.process.poll() is not None:
                    serving.failures.append(f"our server ended: {bytes(ours.output[-1000:])!r}")
    text = "Our server, asked by\n\n" + serving.text(ours_serving.COLUMNS)
    text += "\n\nOur client, answered by\n\n" + asking.text(ours_asking.COLUMNS) + "\n"
    print(text)
    if options.markdown:
        pathlib.Path(options.markdown).write_text(text)
    failures = serving.failures + asking.failures
    for failure in failures:
        print("FAILED", failure, file=sys.stderr)
    if options.times:
        for seconds, name in sorted(times, reverse=True)[:10]:
            print(f"{seconds:6.1f} s  {name}", file=sys.stderr)
    print(f"peers: {len(jobs)} crossings, {len(failures)} failed, {time.monotonic() - start:.0f} s", file=sys.stderr)
    return 1 if failures or not jobs else 0


sys.exit(main())
