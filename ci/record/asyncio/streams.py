"""Steps and protocols of stream transports."""
import asyncio
import socket

from scenario import Name


class Streams:
    # -- protocols

    def stream_protocol(self, actor):
        recorder = self

        class Stream(self.stream_base(actor), asyncio.Protocol):
            def data_received(self, data):
                recorder.bytes_line(actor, "data_received", data)
                recorder.react(actor, "data_received")

            def eof_received(self):
                return recorder.callback(actor, "eof_received")
        return Stream()

    def buffered_protocol(self, actor):
        recorder = self

        class Buffered(self.stream_base(actor), asyncio.BufferedProtocol):
            buffer = bytearray(recorder.scenario.get("buffer_size", 65536))
            asked = False

            def get_buffer(self, hint):
                if not recorder.over_tls(actor) and (not self.asked or recorder.scenario.get("every_get_buffer")):
                    recorder.line(f"{actor} get_buffer {hint}")
                self.asked = True
                recorder.react(actor, "get_buffer")
                return self.buffer

            def buffer_updated(self, count):
                recorder.bytes_line(actor, "buffer_updated", self.buffer[:count])
                recorder.react(actor, "buffer_updated")

            def eof_received(self):
                return recorder.callback(actor, "eof_received")
        return Buffered()

    def stream_base(self, actor):
        recorder = self

        class Base:
            def connection_made(self, transport):
                recorder.transports[actor] = transport
                recorder.callback(actor, "connection_made")

            def connection_lost(self, error):
                recorder.callback(actor, "connection_lost", recorder.error_or_none(error))

            def pause_writing(self):
                recorder.callback(actor, "pause_writing")

            def resume_writing(self):
                recorder.callback(actor, "resume_writing")
        return Base

    # -- calls on a transport

    def on(self, step, name, *arguments, getter=False, **keywords):
        transport = self.transports[step["on"]]
        self.call(f"{step['on']}.{name}", lambda: getattr(transport, name)(*arguments, **keywords), getter)

    def op_write(self, step):
        self.on(step, "write", self.bytes_of(step))

    def op_writelines(self, step):
        if "fill" in step:
            pieces = [step["fill"].encode() * step["times"]] * step.get("pieces", 1)
        else:
            pieces = [piece.encode("latin-1") for piece in step["data"]]
        self.on(step, "writelines", pieces)

    def op_write_eof(self, step):
        self.on(step, "write_eof")

    def op_can_write_eof(self, step):
        self.on(step, "can_write_eof", getter=True)

    def op_close(self, step):
        self.on(step, "close")

    def op_abort(self, step):
        self.on(step, "abort")

    def op_is_closing(self, step):
        self.on(step, "is_closing", getter=True)

    def op_pause_reading(self, step):
        self.on(step, "pause_reading")

    def op_resume_reading(self, step):
        self.on(step, "resume_reading")

    def op_is_reading(self, step):
        self.on(step, "is_reading", getter=True)

    def op_set_write_buffer_limits(self, step):
        limits = {key: step[key] for key in ("high", "low") if key in step}
        self.on(step, "set_write_buffer_limits", **limits)

    def op_get_write_buffer_limits(self, step):
        self.on(step, "get_write_buffer_limits", getter=True)

    def op_get_write_buffer_size(self, step):
        self.on(step, "get_write_buffer_size", getter=True)

    def op_buffer_empty(self, step):
        transport = self.transports[step["on"]]
        self.call(f"{step['on']}.buffer_empty", lambda: transport.get_write_buffer_size() == 0, True)

    def op_set_protocol(self, step):
        transport = self.transports[step["on"]]
        protocol = self.make_protocol(step["as"], step.get("kind", "stream"))
        self.transports[step["as"]] = transport
        self.call(f"{step['on']}.set_protocol", lambda: transport.set_protocol(protocol))

    def op_get_protocol(self, step):
        transport = self.transports[step["on"]]
        self.call(f"{step['on']}.get_protocol", lambda: self.actor_of(transport.get_protocol()), True)

    def op_extra(self, step):
        transport, name = self.transports[step["on"]], step["name"]

        def get():
            value = transport.get_extra_info(name)
            return self.address_name(value) if name in ("sockname", "peername") else value is not None
        self.call(f"{step['on']}.{name}", get, True)

    def op_option(self, step):
        """A socket option of the transport's socket: nodelay, or a small sndbuf or rcvbuf set now."""
        kernel = self.transports[step["on"]].get_extra_info("socket")
        if step["name"] == "nodelay":
            self.call(f"{step['on']}.nodelay",
                      lambda: kernel.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0, True)
        elif step["name"] == "broadcast":
            self.call(f"{step['on']}.broadcast",
                      lambda: kernel.getsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST) != 0, True)
        else:
            option = {"sndbuf": socket.SO_SNDBUF, "rcvbuf": socket.SO_RCVBUF}[step["name"]]
            kernel.setsockopt(socket.SOL_SOCKET, option, step["value"])

    def op_buffer_size(self, step):
        """From now on the buffered protocol offers a buffer of this size."""
        self.protocols[step["on"]].buffer = bytearray(step["size"])

    # -- connecting

    async def op_connect(self, step):
        """create_connection to a server or a peer that listens."""
        keywords = {}
        if "happy_eyeballs_delay" in step:
            keywords["happy_eyeballs_delay"] = step["happy_eyeballs_delay"]
        if "interleave" in step:
            keywords["interleave"] = step["interleave"]
        if "local" in step:
            keywords["local_addr"] = (step["local"], 0)
        keywords |= self.tls_keywords(step)
        factory = self.factory(step["as"], step.get("kind", "stream"))
        address = self.address_of(step)
        if isinstance(address, str):
            await self.result(step, "connect", self.pair(
                self.loop.create_unix_connection(factory, address, **keywords)))
            return
        host = step.get("host", address[0])
        await self.result(step, "connect", self.pair(
            self.loop.create_connection(factory, host, address[1], **keywords)))

    async def pair(self, connecting):
        """What create_connection returns, as the actor's name: the protocol, whose transport it must be."""
        transport, protocol = await connecting
        actor = self.actor_of(protocol)
        if self.transports.get(actor) not in (None, transport):
            raise AssertionError("another transport than the protocol's")
        self.transports[actor] = transport
        return Name(actor)

    async def op_socketpair(self, step):
        """A transport over one end of a socketpair (create_connection with sock=); the peer is the other."""
        datagrams = step.get("type") == "datagram"
        near, far = socket.socketpair(type=socket.SOCK_DGRAM if datagrams else socket.SOCK_STREAM)
        near.setblocking(False)
        far.setblocking(False)
        for end, option, name in ((near, socket.SO_SNDBUF, "sndbuf"), (near, socket.SO_RCVBUF, "rcvbuf"),
                                  (far, socket.SO_SNDBUF, "peer_sndbuf")):
            if name in step:
                end.setsockopt(socket.SOL_SOCKET, option, step[name])
        self.peers[step["peer"]] = far
        if "before" in step:
            far.send(step["before"].encode("latin-1"))
        if step.get("full"):
            self.fillings[step["peer"]] = self.fill(near)
        factory = self.factory(step["as"], step.get("kind", "stream"))
        if step.get("accepted"):
            connecting = self.loop.connect_accepted_socket(factory, near, **self.tls_keywords(step))
        else:
            connecting = self.loop.create_connection(factory, sock=near, **self.tls_keywords(step))
        await self.result(step, "connect", self.pair(connecting))
