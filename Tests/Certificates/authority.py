"""Keys, certificates and revocation lists, made by the `openssl` command into one directory."""

import dataclasses
import datetime
import pathlib
import subprocess

# What `openssl genpkey` takes for each kind of key.
ALGORITHMS = {
    "ec": ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
    "p192": ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-192"],
    "ed25519": ["-algorithm", "ED25519"],
    "rsa": ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
    "rsa1024": ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024"],
}

CONFIGURATION = """\
[ca]
default_ca = authority
[request]
distinguished_name = name
[name]
[authority]
database = {index}
serial = {serial}
new_certs_dir = {scratch}
default_md = sha256
policy = policy
unique_subject = no
x509_extensions = extensions
default_crl_days = 30
[policy]
organizationName = optional
commonName = optional
[extensions]
{extensions}
"""


def moment(days):
    """The moment that many days from now, as `openssl ca` takes it."""
    return (datetime.datetime.utcnow() + datetime.timedelta(days=days)).strftime("%Y%m%d%H%M%SZ")


@dataclasses.dataclass
class Key:
    """A private key and a signing request for it, in PEM."""

    algorithm: str
    path: pathlib.Path
    request: pathlib.Path


@dataclasses.dataclass
class Certificate:
    """A certificate that was made: its file, its subject as RFC 4514 has it, and what is needed to sign with it."""

    path: pathlib.Path
    subject: str
    key: Key
    serial: int

    @property
    def pem(self):
        """The certificate's text."""
        return self.path.read_text()


class Authority:
    """A directory in which keys, certificates and lists are made; names are the files' names without the ending."""

    def __init__(self, directory):
        self.directory = pathlib.Path(directory)
        self.scratch = self.directory / "scratch"
        self.scratch.mkdir(parents=True)
        self.serial = 4096

    def run(self, *arguments):
        """Runs `openssl`; its errors are shown if it fails."""
        done = subprocess.run(["openssl", *map(str, arguments)], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise SystemExit(f"openssl {' '.join(map(str, arguments))} failed:\n{done.stderr}")

    def write(self, name, text):
        """A file of that name with that text."""
        path = self.directory / name
        path.write_text(text)
        return path

    def key(self, name, algorithm="ec"):
        """A new private key `name.key`."""
        path, request = self.directory / f"{name}.key", self.scratch / f"{name}.csr"
        self.run("genpkey", *ALGORITHMS[algorithm], "-out", path)
        blank = self.configuration({}, "")
        self.run("req", "-new", "-key", path, "-subj", "/CN=unused", "-config", blank, "-out", request)
        return Key(algorithm, path, request)

    def configuration(self, extensions, index):
        """The path of a configuration with those extensions, a database of that text and the next serial number."""
        base = self.scratch / f"{self.serial}"
        database, serial = base.with_suffix(".index"), base.with_suffix(".serial")
        database.write_text(index)
        serial.write_text(f"{self.serial:X}\n")
        path = base.with_suffix(".cnf")
        lines = "\n".join(f"{name} = {value}" for name, value in extensions.items())
        path.write_text(
            CONFIGURATION.format(index=database, serial=serial, scratch=self.scratch, extensions=lines)
        )
        return path

    def certificate(self, name, common_name, key, issuer=None, extensions=None, days=(-1, 30), digest="sha256"):
        """A certificate `name.pem` valid from `days[0]` to `days[1]` from now; signed by itself without an issuer."""
        self.serial += 1
        path = self.directory / f"{name}.pem"
        subject = f"/CN={common_name}" if common_name else "/"
        command = ["ca", "-batch", "-notext", "-config", self.configuration(extensions or {}, "")]
        command += ["-subj", subject, "-in", key.request, "-out", path]
        command += ["-startdate", moment(days[0]), "-enddate", moment(days[1])]
        if issuer is None:
            command += ["-selfsign", "-keyfile", key.path]
        else:
            command += ["-cert", issuer.path, "-keyfile", issuer.key.path]
        signer = key if issuer is None else issuer.key
        command += ["-md", "default" if signer.algorithm == "ed25519" else digest]
        self.run(*command)
        return Certificate(path, f"CN={common_name}" if common_name else "", key, self.serial)

    def root(self, name, common_name, **arguments):
        """A root: an authority signed by itself."""
        return self.certificate(name, common_name, self.key(name), extensions=authority_extensions(), **arguments)

    def revocations(self, name, issuer, revoked=(), days=(-1, 30), signer=None):
        """A list `name.crl` of the issuer's revoked certificates, current from `days[0]` to `days[1]`."""
        self.serial += 1
        # The database of an authority, as `openssl ca` keeps it.
        state = f"R\t{moment(30)[2:]}\t{moment(-1)[2:]},keyCompromise"
        index = "".join(f"{state}\t{one.serial:X}\tunknown\t/{one.subject}\n" for one in revoked)
        path = self.directory / f"{name}.crl"
        command = ["ca", "-gencrl", "-config", self.configuration({}, index), "-out", path]
        command += ["-cert", issuer.path, "-keyfile", (signer or issuer).key.path]
        command += ["-crl_lastupdate", moment(days[0]), "-crl_nextupdate", moment(days[1])]
        self.run(*command)
        return path


def authority_extensions(length=None, **more):
    """What an authority's certificate says; `length` is how many authorities may follow it."""
    constraint = "critical,CA:TRUE" if length is None else f"critical,CA:TRUE,pathlen:{length}"
    return {
        "basicConstraints": constraint,
        "keyUsage": "critical,keyCertSign,cRLSign",
        "subjectKeyIdentifier": "hash",
        **more,
    }


def leaf_extensions(names=None, purpose="serverAuth,clientAuth", **more):
    """What a leaf's certificate says; `names` as OpenSSL's configuration has them, such as `DNS:example.com`."""
    extensions = {
        "basicConstraints": "critical,CA:FALSE",
        "keyUsage": "critical,digitalSignature",
        "extendedKeyUsage": purpose,
        "authorityKeyIdentifier": "keyid",
        **more,
    }
    if names:
        extensions["subjectAltName"] = names
    return extensions
