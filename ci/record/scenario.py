"""One recording: a server, a client and what is said between them."""

from dataclasses import dataclass, field


@dataclass
class Scenario:
    server: str
    name: str
    drive: object
    spec: str
    title: str
    tags: str = ""
    # The error that RFC 9112 asks for, as (code, where the rule stands); None where the conversation is valid.
    server_error: tuple | None = None
    client_error: tuple | None = None
    # Which of the connections is kept (from 0), "all", or None if there must be exactly one.
    connection: object = None
    # The methods of the requests that were answered, where they cannot be told from valid requests.
    requests: str = ""
    # Why an oracle is not asked: {"h11": reason}.
    without: dict = field(default_factory=dict)
    # Which sides are judged.
    sides: str = "both"
    # False where the server's log says nothing of the request (it was cut off, or is malformed).
    log: bool = True
    # The status that a malformed request must have got.
    status: int | None = None
    # The client's view of the answer cannot be compared: it refused it, or had more of it than it showed.
    lost: bool = False
    gives_up: bool = False
    # A file that the server must have stored, with the body of the request.
    stored: str = ""
    # How long to wait for the ends of connections after the client is done.
    settle: float = 0.15
    redact: tuple = ("authorization", "proxy-authorization")

    @property
    def id(self):
        return f"http1/recorded/{self.server}/{self.name}"


TABLE = []


def add(server, name, drive, spec, title, **more):
    TABLE.append(Scenario(server, name, drive, spec, title, **more))
