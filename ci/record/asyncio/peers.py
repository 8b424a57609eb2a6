"""Steps of peers: plain non-blocking sockets that the driver works by hand and no loop knows."""
import asyncio
import os
import socket
import struct
import time

from scenario import ROUND, Name, data_text, error_text
from tls import CloseNotify, TLSPeer

QUIET_ROUNDS = 5
PEER_DEADLINE = 5


class Peers:
    @property
    def addresses(self):
        """The addresses of servers and listening peers, by name."""
        return self.__dict__.setdefault("_addresses", {})

    @property
    def fillings(self):
        """How many bytes of filling are on their way to a peer, by name."""
        return self.__dict__.setdefault("_fillings", {})

    def fill(self, kernel):
        """Fills a socket's sending side until the kernel takes not one byte more."""
        count = 0
        for size in (4096, 1):
            try:
                while True:
                    count += kernel.send(b"." * size)
            except BlockingIOError:
                pass
        return count

    def op_peer_drain(self, step):
        """Reads the filling of `full`, all of which the kernel has."""
        left = self.fillings.pop(step["peer"])
        while left:
            left -= len(self.peers[step["peer"]].recv(left))

    @property
    def held(self):
        """What a silent `peer_recv` read, for the next one."""
        return self.__dict__.setdefault("_held", {})

    def address_of(self, step):
        if "path" in step:
            return os.path.join(self.directory(), step["path"])
        return self.addresses[step.get("to", "S")][step.get("index", 0)]

    def address_name(self, address):
        """An address as a trace says it: whose it is, PATH, ADDR."""
        if address is None:
            return None
        for name, peer in self.peers.items():
            try:
                if address and peer.getsockname() == address:
                    return Name(name)
            except OSError:
                pass
        for name, known in self.addresses.items():
            if address in known:
                return Name(name)
        if isinstance(address, (str, bytes)):
            return Name("PATH") if address else ""
        return Name("ADDR")

    def error_or_none(self, error):
        return None if error is None else error_text(error)

    def peer_call(self, step, name, function):
        """A peer's call writes a line only when it fails."""
        try:
            function()
        except OSError as error:
            self.line(f"{step['peer']}.{name} !{error_text(error)}")

    def op_peer_connect(self, step):
        address = self.address_of(step)
        family = socket.AF_UNIX if isinstance(address, str) else (
            socket.AF_INET6 if ":" in address[0] else socket.AF_INET)
        peer = socket.socket(family)
        for option, name in ((socket.SO_SNDBUF, "sndbuf"), (socket.SO_RCVBUF, "rcvbuf")):
            if name in step:
                peer.setsockopt(socket.SOL_SOCKET, option, step[name])
        self.peers[step["peer"]] = peer
        self.peer_call(step, "connect", lambda: peer.connect(address))
        peer.setblocking(False)

    def op_peer_listen(self, step):
        if step.get("unix"):
            peer, address = socket.socket(socket.AF_UNIX), os.path.join(self.directory(), step["peer"])
        else:
            host = step.get("host", "127.0.0.1")
            port = self.address_of({"to": step["port_of"]})[1] if "port_of" in step else 0
            peer, address = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET), (host, port)
        peer.bind(address)
        if step.get("listen", True):
            peer.listen(step.get("backlog", 8))
        peer.setblocking(False)
        self.peers[step["peer"]] = peer
        self.addresses[step["peer"]] = [peer.getsockname()]
        if step.get("full"):
            self.fill_backlog(peer)

    def fill_backlog(self, listener):
        """Connects until a connection is not completed at once: the next ones hang."""
        while True:
            one = socket.socket()
            one.setblocking(False)
            self.cleanups.append(one.close)
            try:
                one.connect(listener.getsockname())
            except BlockingIOError:
                time.sleep(0.01)
                try:
                    one.getpeername()
                except OSError:
                    return

    async def op_peer_accept(self, step):
        """Waits for the connection on the peer `from`; the peer is its other end."""
        start = time.monotonic()
        while True:
            try:
                self.peers[step["peer"]] = self.peers[step["from"]].accept()[0]
                self.peers[step["peer"]].setblocking(False)
                return
            except BlockingIOError:
                if time.monotonic() - start > PEER_DEADLINE:
                    self.line(f"{step['peer']}.accept timed out")
                    return
                await asyncio.sleep(0.002)

    def op_peer_send(self, step):
        data, peer = self.bytes_of(step), self.peer_below(step)

        def send():
            if step.get("notify"):
                peer.object.write(data)
                peer.close_notify()
                peer.flush()
            else:
                peer.sendall(data)
        self.peer_call(step, "send", send)

    async def op_peer_send_all(self, step):
        """Sends more than the kernel takes at once, in pieces as it takes them."""
        data, peer = memoryview(self.bytes_of(step)), self.peers[step["peer"]]
        start = time.monotonic()
        while data or isinstance(peer, TLSPeer) and peer.pending:
            try:
                if data:
                    data = data[peer.send(data):]
                else:
                    peer.flush()
            except BlockingIOError:
                if time.monotonic() - start > PEER_DEADLINE:
                    self.line(f"{step['peer']}.send_all timed out")
                    return
                await asyncio.sleep(0.002)
            except OSError as error:
                self.line(f"{step['peer']}.send_all !{error_text(error)}")
                return

    async def op_peer_recv(self, step):
        """Reads until `bytes` bytes, the end, an error, or (without `bytes` and `eof`) quiet."""
        peer, got, end, quiet = self.peer_below(step), self.held.pop(step["peer"], bytearray()), None, 0
        notified = ""
        patient = "bytes" in step or step.get("eof")
        rounds = PEER_DEADLINE / ROUND if patient else QUIET_ROUNDS
        while end is None and len(got) < step.get("bytes", 1 << 62):
            try:
                data = peer.recv(min(1 << 18, step.get("bytes", 1 << 62) - len(got)))
                got += data
                quiet = 0
                if not data:
                    end = "eof"
            except BlockingIOError:
                quiet += 1
                if quiet > rounds:
                    end = "quiet"
                await asyncio.sleep(ROUND if not patient else 0.002 if quiet > 20 else 0)
            except CloseNotify:
                notified = " then close_notify"
                if not step.get("eof"):
                    break
                peer = peer.below
            except OSError as error:
                end = error_text(error)
        text = f" {data_text(got)}" if got else " nothing"
        if step.get("drop"):
            return
        if step.get("silent"):
            self.held[step["peer"]] = got
            return
        self.line(f"{step['peer']} received{text}{notified}" + (f" then {end}" if end else ""))

    def op_peer_shutdown(self, step):
        """Ends the peer's sending."""
        self.peer_call(step, "shutdown", lambda: self.peers[step["peer"]].shutdown(socket.SHUT_WR))

    def op_peer_close(self, step):
        self.peers[step["peer"]].close()

    def op_peer_reset(self, step):
        """Closes the peer with a reset instead of an end (TCP only)."""
        peer = self.peers[step["peer"]]
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        peer.close()
