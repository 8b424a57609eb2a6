"""Scans our server by sslyze and testssl.sh. Run by ci/scan-tls."""

import argparse
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

HOST = "host.example.com"
# What testssl.sh finds on any loopback address: nothing that the server could do otherwise.
EXCUSED = {
    "DNS_CAArecord": "the name is in no DNS",
    "HSTS": "a field of responses: the application's decision",
    "security_headers": "fields of responses: the application's decision",
}
SERIOUS = {"LOW", "MEDIUM", "HIGH", "CRITICAL", "WARN", "FATAL"}


def run(command, **more):
    return subprocess.run([str(word) for word in command], capture_output=True, text=True, stdin=subprocess.DEVNULL, **more)


def make_certificates(folder):
    """A root and leaves of it with P-256 and RSA keys, as an authority on the net would make them: for 90 days, with a
    long serial number and the address of a revocation list."""
    path = lambda name: str(folder / name)
    ec, rsa = ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"], ["rsa:2048"]
    new = ["openssl", "req", "-new", "-nodes", "-newkey"]
    authority = ["-addext", "keyUsage=critical,keyCertSign,cRLSign", "-days", "365", "-subj", "/CN=Scan Root"]
    commands = [new + ec + ["-x509", "-keyout", path("root.key"), "-out", path("root.pem"), *authority]]
    (folder / "leaf.cnf").write_text(
        f"subjectAltName=DNS:{HOST}\nbasicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\n"
        "extendedKeyUsage=serverAuth\ncrlDistributionPoints=URI:http://crl.example.com/root.crl\n"
        "subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n"
    )
    for name, key in (("ec", ec), ("rsa", rsa)):
        commands.append(new + key + ["-keyout", path(f"{name}.key"), "-out", path(f"{name}.csr"), "-subj", f"/CN={HOST}"])
        signed = ["-CA", path("root.pem"), "-CAkey", path("root.key"), "-days", "90", "-extfile", path("leaf.cnf")]
        signed += ["-set_serial", str(int.from_bytes(os.urandom(16)) >> 1)]
        commands.append(["openssl", "x509", "-req", "-in", path(f"{name}.csr"), "-out", path(f"{name}.pem"), *signed])
    for command in commands:
        done = run(command)
        if done.returncode != 0:
            sys.exit(f"{' '.join(command)}: {done.stderr}")


class Server:
    """One of ours, on a port that the system chose."""

    def __init__(self, options, folder, key, *more):
        own = ["--tls-certificate", folder / f"{key}.pem", "--tls-key", folder / f"{key}.key"]
        command = [options.anyloop, "serve", "hello", "--port", "0", *own, *more]
        self.process = subprocess.Popen([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        found = re.search(r":(\d+)$", self.process.stdout.readline().strip())
        if not found:
            sys.exit("anyloop serve did not start")
        self.port = found[1]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()


def sslyze(options, folder, server, level):
    """Findings against Mozilla's recommendation `level`, which covers vulnerabilities, too."""
    target = f"{HOST}:{server.port}{{127.0.0.1}}"
    done = run([options.sslyze, "--certinfo_ca_file", folder / "root.pem", "--mozilla_config", level, target])
    summary = done.stdout[done.stdout.find("COMPLIANCE AGAINST") :].strip()
    print(summary or done.stdout[-2000:] + done.stderr[-2000:])
    return [] if done.returncode == 0 and "OK - Compliant" in summary else [f"sslyze: not Mozilla's {level} configuration"]


def ask_testssl(folder, server, *checks):
    """What it says, as a list of objects."""
    report = folder / "testssl.json"
    report.unlink(missing_ok=True)
    command = ["testssl", "--quiet", "--color", "0", "--warnings", "batch", "--ip", "127.0.0.1", *checks]
    done = run(command + ["--add-ca", folder / "root.pem", "--jsonfile", report, f"{HOST}:{server.port}"])
    if not report.exists():
        sys.exit(f"testssl.sh said nothing: {done.stdout[-1000:]}")
    return json.loads(report.read_text())


def testssl(folder, server):
    """Findings from LOW up that are not excused."""
    found = ask_testssl(folder, server)
    # WARN is a check that could not be made, such as for lack of time: once more.
    failed = {item["id"] for item in found if item["severity"] == "WARN"}
    if failed:
        again = ask_testssl(folder, server, "--server-defaults")
        found = [item for item in found if item["id"] not in failed] + [item for item in again if item["id"] in failed]
    counts = {}
    for item in found:
        counts[item["severity"]] = counts.get(item["severity"], 0) + 1
    print("testssl.sh:", ", ".join(f"{count} {severity}" for severity, count in sorted(counts.items())))
    findings = []
    for item in found:
        if item["severity"] not in SERIOUS:
            continue
        text = f"{item['severity']} {item['id']}: {item['finding']}"
        if item["id"] in EXCUSED:
            print(f"  left out of account: {text} ({EXCUSED[item['id']]})")
        else:
            findings.append(f"testssl.sh: {text}")
    if not any(item["id"] == "TLS1_3" for item in found):
        findings.append("testssl.sh did not come as far as the versions")
    return findings


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--anyloop", required=True)
    parser.add_argument("--sslyze", required=True)
    parser.add_argument("--quick", action="store_true", help="without testssl.sh, which takes minutes")
    options = parser.parse_args()
    version = run([pathlib.Path(options.sslyze).with_name("pip"), "show", "sslyze"]).stdout
    print("sslyze", re.search(r"Version: (\S+)", version)[1])
    findings = []
    with tempfile.TemporaryDirectory(prefix="scan-tls-") as name:
        folder = pathlib.Path(name)
        make_certificates(folder)
        for key, level, more in (("ec", "intermediate", []), ("rsa", "intermediate", []), ("ec", "modern", ["--tls-minimum", "1.3"])):
            print(f"\n{key.upper()} certificate {' '.join(more)}")
            with Server(options, folder, key, *more) as server:
                findings += sslyze(options, folder, server, level)
        if not options.quick:
            version = re.search(r"testssl\S*\s+(\d\S+)", run(["testssl", "--version"]).stdout)
            print("\ntestssl.sh", version[1] if version else "")
            with Server(options, folder, "ec") as server:
                findings += testssl(folder, server)
    for finding in findings:
        print("FINDING", finding, file=sys.stderr)
    print("no finding" if not findings else f"{len(findings)} findings")
    return 1 if findings else 0


sys.exit(main())
