"""Steps of TLS: contexts, start_tls, what a transport tells about its TLS, and peers that speak it.

Certificates are made at record time and appear in no trace.
"""
import asyncio
import os
import socket
import ssl
import subprocess
import time

from scenario import Name, error_text

PEER_DEADLINE = 5
RECORD = 16384
NAMES = ["anyloop.test", "localhost"]
VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}
CLIENTS = {"requested": ssl.CERT_OPTIONAL, "required": ssl.CERT_REQUIRED}


class CloseNotify(Exception):
    """What reading from a peer ends with where the other side said close_notify."""


class TLSPeer:
    """TLS by hand over a peer: a non-blocking socket, or another one of these."""

    def __init__(self, below, context, server_side, server_name):
        self.below, self.done, self.pending = below, False, b""
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.object = context.wrap_bio(self.incoming, self.outgoing, server_side=server_side,
                                       server_hostname=None if server_side else server_name)

    def __getattr__(self, name):
        return getattr(self.below, name)

    def flush(self):
        """Sends what there is; raises BlockingIOError if the kernel does not take all of it."""
        self.pending += self.outgoing.read()
        while self.pending:
            self.pending = self.pending[self.below.send(self.pending):]

    def feed(self):
        """Takes what came; false at the end of the stream below. Raises BlockingIOError if nothing came."""
        data = self.below.recv(1 << 16)
        if data:
            self.incoming.write(data)
        return bool(data)

    def step_handshake(self):
        """One step; true when the handshake is done."""
        try:
            self.object.do_handshake()
            self.done = True
        except ssl.SSLWantReadError:
            pass
        return self.done

    def send(self, data):
        self.flush()
        count = self.object.write(bytes(data[:RECORD]))
        try:
            self.flush()
        except BlockingIOError:
            pass
        return count

    def sendall(self, data):
        while data:
            data = data[self.object.write(bytes(data[:RECORD])):]
        self.flush()

    def recv(self, limit):
        while True:
            try:
                data = self.object.read(min(limit, RECORD))
            except ssl.SSLWantReadError:
                if not self.feed():
                    return b""
                continue
            except ssl.SSLZeroReturnError:
                data = b""
            if not data:
                raise CloseNotify
            return data

    def close_notify(self):
        try:
            self.object.unwrap()
        except ssl.SSLWantReadError:
            pass


class TLS:
    # -- contexts

    @property
    def contexts(self):
        return self.__dict__.setdefault("_contexts", {})

    @property
    def identities(self):
        return self.__dict__.setdefault("_identities", {})

    def identity(self, name, names=NAMES):
        """The files of a self-signed certificate and its key, made when first asked for."""
        if name not in self.identities:
            certificate, key = (os.path.join(self.directory(), f"{name}.{part}.pem") for part in ("certificate", "key"))
            others = ",".join([f"DNS:{one}" for one in names] + (["IP:127.0.0.1"] if names == NAMES else []))
            subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                            "-keyout", key, "-out", certificate, "-days", "2", "-subj", f"/CN={name}",
                            "-addext", f"subjectAltName={others}"],
                           check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            self.identities[name] = (certificate, key)
        return self.identities[name]

    def op_tls_context(self, step):
        """A context of `side`, server or client. Without tickets, whose time of coming is luck."""
        server = step["side"] == "server"
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if server else ssl.PROTOCOL_TLS_CLIENT)
        if server:
            context.num_tickets = 0
            context.sni_callback = self.note_server_name
            if "clients" in step:
                context.verify_mode = CLIENTS[step["clients"]]
        else:
            context.check_hostname = step.get("check_hostname", True) and step.get("verify", True)
            context.verify_mode = ssl.CERT_REQUIRED if step.get("verify", True) else ssl.CERT_NONE
        if server or "certificate" in step:
            context.load_cert_chain(*self.identity(step.get("certificate", "server"), step.get("names", NAMES)))
        for trusted in step.get("trusts", [] if server else ["server"]):
            context.load_verify_locations(self.identity(trusted)[0])
        if "alpn" in step:
            context.set_alpn_protocols(step["alpn"])
        if "minimum" in step:
            context.minimum_version = VERSIONS[step["minimum"]]
        if "maximum" in step:
            context.maximum_version = VERSIONS[step["maximum"]]
        self.contexts[step["name"]] = context

    @staticmethod
    def note_server_name(tls, name, context):
        tls.server_name_of_client = name

    def context(self, name):
        """A context by its name; `server` and `client` are there without a step."""
        if name not in self.contexts and name in ("server", "client"):
            self.op_tls_context({"name": name, "side": name})
        return self.contexts[name]

    def tls_keywords(self, step):
        """What a step says of TLS, as asyncio's arguments."""
        keywords = {}
        if "tls" in step:
            keywords["ssl"] = step["tls"] if isinstance(step["tls"], bool) else self.context(step["tls"])
        if "server_name" in step:
            keywords["server_hostname"] = step["server_name"]
        for key in ("handshake_timeout", "shutdown_timeout"):
            if key in step:
                keywords[f"ssl_{key}"] = step[key]
        return keywords

    def over_tls(self, actor):
        return actor in self.upgraded or self.transports[actor].get_extra_info("sslcontext") is not None

    # -- upgrades

    @property
    def upgraded(self):
        """The actors whose transport start_tls has made, or is about to."""
        return self.__dict__.setdefault("_upgraded", set())

    async def op_start_tls(self, step):
        """start_tls on the transport of `on`, for a new protocol `as`, or without it for the one that it has."""
        keywords = self.tls_keywords(step)
        context = keywords.pop("ssl")
        transport = self.transports[step["on"]]
        actor = step.get("as", step["on"])
        protocol = self.make_protocol(actor, step.get("kind", "stream")) if "as" in step else self.protocols[actor]
        self.upgraded.add(actor)

        async def run():
            upgraded = await self.loop.start_tls(transport, protocol, context,
                                                 server_side=step.get("server_side", False), **keywords)
            if upgraded is None:
                return None
            self.transports[actor] = upgraded
            return Name(actor)
        await self.result(step, "start_tls", run())

    async def op_writer_start_tls(self, step):
        """StreamWriter.start_tls; its transport is then that of the writer's name."""
        writer = self.writers[step["writer"]]
        keywords = self.tls_keywords(step)
        context = keywords.pop("ssl")

        async def run():
            await writer.start_tls(context, **keywords)
            self.transports[step["writer"]] = writer.transport
        await self.awaited_result(step, f"{step['writer']}.start_tls", run())

    # -- what a transport tells

    def op_tls(self, step):
        """`name`: version, cipher, alpn, server_name (what the client sent, at a server), resumed."""
        known = self.transports[step["on"]].get_extra_info("ssl_object")
        values = {
            "version": lambda: known.version(), "cipher": lambda: known.cipher()[0],
            "alpn": lambda: known.selected_alpn_protocol(), "resumed": lambda: known.session_reused,
            "server_name": lambda: getattr(known, "server_name_of_client", None) if known.server_side
            else known.server_hostname,
        }
        self.call(f"{step['on']}.tls {step['name']}", values[step["name"]], True)

    # -- peers

    async def op_peer_handshake(self, step):
        """Begins or goes on with the handshake of a peer. `stop`: sends its first flight and leaves it at that.
        `hold`: does not send its last one; the next send does. `silent`: a failure writes no line."""
        name, peer = step["peer"], self.peers[step["peer"]]
        if not isinstance(peer, TLSPeer) or peer.done:
            side = step.get("side", "client")
            if peer.family != socket.AF_UNIX:  # a small record would wait for the answer to the one before
                peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            peer = self.peers[name] = TLSPeer(peer, self.context(step.get("tls", side)), side == "server",
                                              step.get("server_name", "anyloop.test"))
        start = time.monotonic()
        try:
            while not peer.step_handshake():
                peer.flush()
                if step.get("stop"):
                    return
                while True:
                    try:
                        if not peer.feed():
                            if not step.get("silent"):
                                self.line(f"{name}.handshake !eof")
                            return
                        break
                    except BlockingIOError:
                        if time.monotonic() - start > PEER_DEADLINE:
                            self.line(f"{name}.handshake timed out")
                            return
                        await asyncio.sleep(0.002)
            if not step.get("hold"):
                peer.flush()
        except (CloseNotify, OSError) as error:
            if not step.get("silent"):
                self.line(f"{name}.handshake !{error_text(error)}")
            if isinstance(error, ssl.SSLError):
                self.peer_call(step, "handshake", peer.flush)

    def op_peer_close_notify(self, step):
        """Says that nothing more will come, and keeps the connection."""
        peer = self.peers[step["peer"]]

        def say():
            peer.close_notify()
            peer.flush()
        self.peer_call(step, "close_notify", say)

    def peer_below(self, step):
        """The peer, or with `raw` the socket below its TLS."""
        peer = self.peers[step["peer"]]
        while step.get("raw") and isinstance(peer, TLSPeer):
            peer = peer.below
        return peer
