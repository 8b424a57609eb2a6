"""Steps and protocols of datagram endpoints, and of peers that exchange datagrams with them."""
import asyncio
import itertools
import os
import socket

from scenario import ROUND, data_text, error_text


class Datagrams:
    def datagram_protocol(self, actor):
        recorder = self

        class Datagram(self.stream_base(actor), asyncio.DatagramProtocol):
            def datagram_received(self, data, address):
                sender = recorder.address_name(address)
                recorder.callback(actor, "datagram_received", f"{data_text(data)} from {sender}")

            def error_received(self, error):
                recorder.callback(actor, "error_received", error_text(error))
        return Datagram()

    async def op_datagram(self, step):
        """create_datagram_endpoint: on `local`, connected to the peer `remote`, or over the peer's socket `sock`."""
        actor = step["as"]
        factory = self.factory(actor, "datagram")
        keywords = {}
        if "local" in step:
            keywords["local_addr"] = (step["local"], self.address_of({"to": step["port_of"]})[1] if "port_of" in step else 0)
        if "unix" in step:
            keywords.update(family=socket.AF_UNIX, local_addr=os.path.join(self.directory(), step["unix"]))
        if "remote" in step:
            keywords["remote_addr"] = self.address_of({"to": step["remote"]})
        if "remote_host" in step:
            keywords["remote_addr"] = (step["remote_host"], 9)
        if "sock" in step:
            keywords["sock"] = self.peers[step["sock"]]
        for key in ("allow_broadcast", "reuse_port"):
            if key in step:
                keywords[key] = step[key]

        async def run():
            transport, protocol = await self.loop.create_datagram_endpoint(factory, **keywords)
            self.addresses[actor] = [transport.get_extra_info("sockname")]
            return self.actor_of(protocol)
        await self.result(step, "datagram", run())

    def op_sendto(self, step):
        """sendto the peer `to`, or, without it, with no address; `repeat` times."""
        transport = self.transports[step["on"]]
        address = self.address_of(step) if "to" in step else None
        data = self.bytes_of(step)

        def send():
            for _ in range(step.get("repeat", 1)):
                transport.sendto(data, address)
        self.call(f"{step['on']}.sendto", send)

    # -- peers

    def op_peer_udp(self, step):
        """A datagram socket on `host`, or on the file `unix`."""
        if "unix" in step:
            peer, address = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM), os.path.join(self.directory(), step["unix"])
        else:
            host = step.get("host", "127.0.0.1")
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            peer, address = socket.socket(family, socket.SOCK_DGRAM), (host, 0)
        peer.bind(address)
        peer.setblocking(False)
        self.peers[step["peer"]] = peer
        self.addresses[step["peer"]] = [peer.getsockname()]

    def op_peer_sendto(self, step):
        data = self.bytes_of(step)
        self.peer_call(step, "sendto", lambda: self.peers[step["peer"]].sendto(data, self.address_of(step)))

    async def op_peer_datagrams(self, step):
        """Reads `count` datagrams, or those that come until 5 rounds are quiet: their data and whose they are."""
        peer, got, quiet = self.peers[step["peer"]], [], 0
        while len(got) < step.get("count", 1 << 30) and quiet <= (5 if "count" not in step else 500):
            try:
                data, address = peer.recvfrom(1 << 16)
                got.append(f"{data_text(data)} from {self.address_name(address)}")
                quiet = 0
            except BlockingIOError:
                quiet += 1
                await asyncio.sleep(ROUND)
            except OSError as error:
                got.append("!" + error_text(error))
                break
        runs = [(text, len(list(same))) for text, same in itertools.groupby(got)]
        texts = [text if count == 1 else f"{count} times {text}" for text, count in runs]
        self.line(f"{step['peer']} received [{', '.join(texts)}]")
