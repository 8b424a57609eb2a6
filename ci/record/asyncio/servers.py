"""Steps of servers."""
import asyncio
import os
import resource
import socket

from scenario import Boom, Name


class Servers:
    async def op_serve(self, step):
        """create_server (or create_unix_server, `unix`) under a name, which is also its protocols' prefix."""
        name = step.get("as", "S")
        factory = self.factory(name, step.get("kind", "stream"), numbered=True)
        keywords = {key: step[key] for key in ("backlog", "start_serving", "reuse_address", "reuse_port") if key in step}
        keywords |= self.tls_keywords(step)
        if "unix" in step:
            path = os.path.join(self.directory(), step["unix"])
            making = self.loop.create_unix_server(factory, path, **keywords)
        elif "sock" in step:
            making = self.loop.create_server(factory, sock=self.bound_socket(step["sock"]), **keywords)
        elif "port_of" in step:
            port = self.address_of({"to": step["port_of"]})[1]
            making = self.loop.create_server(factory, step.get("host", "127.0.0.1"), port, **keywords)
        else:
            port = self.port_of_both_families() if step.get("both_families") else 0
            making = self.loop.create_server(factory, step.get("host", "127.0.0.1"), port, **keywords)

        async def make():
            server = await making
            self.servers[name] = server
            for listener in server.sockets:
                if "sndbuf" in step:
                    listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, step["sndbuf"])
                if "rcvbuf" in step:
                    listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, step["rcvbuf"])
            self.addresses[name] = sorted(listener.getsockname() for listener in server.sockets)
            return Name(name)
        await self.result(step, "serve", make())

    def port_of_both_families(self):
        """A port that was free for IPv4 and IPv6 a moment ago: a socket of both families had it."""
        with socket.socket(socket.AF_INET6) as probe:
            probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
            probe.bind(("::", 0))
            return probe.getsockname()[1]

    def bound_socket(self, kind):
        if kind == "unix":
            bound, address = socket.socket(socket.AF_UNIX), os.path.join(self.directory(), "bound")
        else:
            bound = socket.socket(type=socket.SOCK_DGRAM if kind == "datagram" else socket.SOCK_STREAM)
            address = ("127.0.0.1", 0)
        bound.bind(address)
        return bound

    def server(self, step):
        name = step.get("server", "S")
        return name, self.servers[name]

    def op_server_close(self, step):
        name, server = self.server(step)
        self.call(f"{name}.close", server.close)

    def op_server_close_clients(self, step):
        name, server = self.server(step)
        self.call(f"{name}.close_clients", lambda: server.close_clients())

    def op_server_abort_clients(self, step):
        name, server = self.server(step)
        self.call(f"{name}.abort_clients", lambda: server.abort_clients())

    def op_is_serving(self, step):
        name, server = self.server(step)
        self.call(f"{name}.is_serving", server.is_serving, True)

    def op_server_sockets(self, step):
        name, server = self.server(step)
        self.call(f"{name}.sockets", lambda: len(server.sockets), True)

    async def op_start_serving(self, step):
        name, server = self.server(step)
        await self.result(step, f"{name}.start_serving", server.start_serving())

    async def op_serve_forever(self, step):
        name, server = self.server(step)
        await self.result(step, f"{name}.serve_forever", server.serve_forever())

    async def op_wait_closed(self, step):
        name, server = self.server(step)
        await self.result(step, f"{name}.wait_closed", server.wait_closed())

    async def op_with_server(self, step):
        """`async with server:`, with steps as the body."""
        name, server = self.server(step)

        async def body():
            async with server:
                self.line(f"{name} entered")
                for inner in step.get("then", []):
                    if "raise" in inner:
                        raise Boom(inner["raise"])
                    value = self.operation(inner)
                    if asyncio.iscoroutine(value):
                        await value
        await self.result(step, f"{name} left", body())

    # -- files and descriptors

    def op_make_file(self, step):
        """A file of the scenario's directory: an ordinary one, or a socket that nobody listens on any more."""
        path = os.path.join(self.directory(), step["name"])
        if step.get("socket"):
            stale = socket.socket(socket.AF_UNIX)
            stale.bind(path)
            stale.close()
        else:
            with open(path, "wb") as file:
                file.write(self.bytes_of(step))

    def op_exists(self, step):
        path = os.path.join(self.directory(), step["name"])
        self.line(f"exists {step['name']} = {str(os.path.exists(path)).lower()}")

    def op_exhaust_descriptors(self, step):
        """Takes every descriptor that the process may have, under a limit lowered for that."""
        limit = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(256, limit[0]), limit[1]))
        self.hoard = []
        try:
            while True:
                self.hoard.append(os.dup(0))
        except OSError:
            pass
        self.limit = limit

    def op_release_descriptors(self, step):
        for descriptor in self.hoard:
            os.close(descriptor)
        resource.setrlimit(resource.RLIMIT_NOFILE, self.limit)
