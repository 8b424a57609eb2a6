"""Steps of sock_* operations, of transports' sendfile, of files and of names."""
import asyncio
import io
import os
import socket
import tempfile

from scenario import Name


class Sockets:
    def op_socket(self, step):
        """A socket of its own, as a peer: `stream` or `datagram`, the latter bound to 127.0.0.1."""
        datagram = step.get("kind", "stream") == "datagram"
        one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM if datagram else socket.SOCK_STREAM)
        if datagram:
            one.bind(("127.0.0.1", 0))
        one.setblocking(step.get("blocking", False))
        self.peers[step["peer"]] = one
        self.addresses[step["peer"]] = [one.getsockname()]

    async def sock(self, step, name, *arguments):
        async def run():
            return await getattr(self.loop, name)(self.peers[step["peer"]], *arguments)
        await self.result(step, f"{step['peer']}.{name}", run())

    async def op_sock_recv(self, step):
        await self.sock(step, "sock_recv", step.get("count", 1 << 16))

    async def op_sock_recv_into(self, step):
        """Its value is what the buffer of `size` bytes begins with."""
        buffer = bytearray(step["size"])

        async def run():
            count = await self.loop.sock_recv_into(self.peers[step["peer"]], buffer)
            return bytes(buffer[:count])
        await self.result(step, f"{step['peer']}.sock_recv_into", run())

    async def op_sock_recvfrom(self, step):
        async def run():
            data, address = await self.loop.sock_recvfrom(self.peers[step["peer"]], step.get("count", 1 << 16))
            return [data, self.address_name(address)]
        await self.result(step, f"{step['peer']}.sock_recvfrom", run())

    async def op_sock_sendall(self, step):
        await self.sock(step, "sock_sendall", self.bytes_of(step))

    async def op_sock_sendto(self, step):
        await self.sock(step, "sock_sendto", self.bytes_of(step), self.address_of(step))

    async def op_sock_connect(self, step):
        address = self.address_of(step)
        await self.sock(step, "sock_connect", (step.get("host", address[0]), address[1]))

    async def op_sock_accept(self, step):
        """The connection becomes the peer `as`, the value."""
        async def run():
            self.peers[step["as"]], _ = await self.loop.sock_accept(self.peers[step["peer"]])
            return Name(step["as"])
        await self.result(step, f"{step['peer']}.sock_accept", run())

    # -- files

    @property
    def files(self):
        return self.__dict__.setdefault("_files", {})

    def op_file(self, step):
        """A file with this data, its position at `position`; `memory`: one that has no descriptor."""
        file = io.BytesIO() if step.get("memory") else tempfile.TemporaryFile()
        file.write(self.bytes_of(step))
        file.flush()
        file.seek(step.get("position", 0))
        self.files[step["name"]] = file

    def op_file_position(self, step):
        self.call(f"{step['name']}.position", self.files[step["name"]].tell)

    def file_arguments(self, step):
        keywords = {"fallback": step["fallback"]} if "fallback" in step else {}
        return (self.files[step["file"]], step.get("offset", 0), step.get("count")), keywords

    async def op_sock_sendfile(self, step):
        arguments, keywords = self.file_arguments(step)

        async def run():
            return await self.loop.sock_sendfile(self.peers[step["peer"]], *arguments, **keywords)
        await self.result(step, f"{step['peer']}.sock_sendfile", run())

    async def op_sendfile(self, step):
        """loop.sendfile on the transport `on`."""
        arguments, keywords = self.file_arguments(step)

        async def run():
            return await self.loop.sendfile(self.transports[step["on"]], *arguments, **keywords)
        await self.result(step, f"{step['on']}.sendfile", run())

    # -- names

    async def op_getaddrinfo(self, step):
        """The addresses of a host for streams: a list of [host, port]."""
        flags = socket.AI_NUMERICHOST if step.get("numeric") else 0

        async def run():
            found = await self.loop.getaddrinfo(step["host"], step["port"], type=socket.SOCK_STREAM, flags=flags)
            return [[address[0], address[1]] for _, _, _, _, address in found]
        await self.result(step, "getaddrinfo", run())

    async def op_getnameinfo(self, step):
        """The numeric names of an address: [host, port]."""
        flags = socket.NI_NUMERICHOST | socket.NI_NUMERICSERV

        async def run():
            return list(await self.loop.getnameinfo((step["host"], step["port"]), flags))
        await self.result(step, "getnameinfo", run())
