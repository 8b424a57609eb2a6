"""Steps of StreamReader and StreamWriter."""
import asyncio

from scenario import Boom, Name


class Readers:
    @property
    def readers(self):
        return self.__dict__.setdefault("_readers", {})

    @property
    def writers(self):
        return self.__dict__.setdefault("_writers", {})

    # -- a reader that is fed by hand

    def op_reader(self, step):
        """A StreamReader with `limit`, fed by the steps feed_*."""
        self.readers[step["name"]] = asyncio.StreamReader(limit=step.get("limit", 65536), loop=self.loop)

    def op_feed_data(self, step):
        self.readers[step["reader"]].feed_data(self.bytes_of(step))

    def op_feed_eof(self, step):
        self.readers[step["reader"]].feed_eof()

    def op_feed_error(self, step):
        """set_exception(Boom)."""
        self.readers[step["reader"]].set_exception(Boom("feed"))

    # -- reading

    async def reading(self, step, name, *arguments):
        async def run():
            return await getattr(self.readers[step["reader"]], name)(*arguments)
        await self.awaited_result(step, f"{step['reader']}.{name}", run())

    async def awaited_result(self, step, label, awaitable):
        """As `result` in the driver and in tasks of a step; in the body of a task an error ends the body."""
        if "task" in step:
            await self.result(step, label, awaitable)
        else:
            await self.awaited(label, awaitable)

    async def op_read(self, step):
        await self.reading(step, "read", step.get("count", -1))

    async def op_readline(self, step):
        await self.reading(step, "readline")

    async def op_readexactly(self, step):
        await self.reading(step, "readexactly", step["count"])

    async def op_readuntil(self, step):
        await self.reading(step, "readuntil", step.get("separator", "\n").encode("latin-1"))

    async def op_read_all_lines(self, step):
        """`async for line in reader`: the list of its lines."""
        async def run():
            return [line async for line in self.readers[step["reader"]]]
        await self.awaited_result(step, f"{step['reader']}.lines", run())

    def op_at_eof(self, step):
        self.call(f"{step['reader']}.at_eof", self.readers[step["reader"]].at_eof)

    # -- connections

    async def op_open_connection(self, step):
        """Reader and writer under the name `as`."""
        address = self.address_of(step)

        async def run():
            keywords = ({"limit": step["limit"]} if "limit" in step else {}) | self.tls_keywords(step)
            self.readers[step["as"]], self.writers[step["as"]] = await asyncio.open_connection(*address[:2], **keywords)
            self.transports[step["as"]] = self.writers[step["as"]].transport
            return Name(step["as"])
        await self.result(step, "open_connection", run())

    async def op_start_server(self, step):
        """start_server on 127.0.0.1; each connection has reader and writer `as`0, `as`1 … and performs `body`,
        in which READER and WRITER stand for its own."""
        name = step.get("as", "S")

        async def connected(reader, writer):
            self.counts[name] = self.counts.get(name, -1) + 1
            actor = f"{name}{self.counts[name]}"
            self.readers[actor], self.writers[actor] = reader, writer
            self.transports[actor] = writer.transport
            self.line(f"{actor} connected")
            await self.body([{"reader": actor, "writer": actor, **inner} for inner in step.get("body", [])])
            self.line(f"{actor} handled")

        async def run():
            server = await asyncio.start_server(connected, "127.0.0.1", 0, **self.tls_keywords(step))
            self.servers[name] = server
            self.addresses[name] = [listener.getsockname() for listener in server.sockets]
            return Name(name)
        await self.result(step, "start_server", run())

    # -- writing

    def writer_call(self, step, name, *arguments, getter=False):
        writer = self.writers[step["writer"]]
        self.call(f"{step['writer']}.{name}", lambda: getattr(writer, name)(*arguments), getter)

    def op_writer_write(self, step):
        self.writer_call(step, "write", self.bytes_of(step))

    def op_writer_writelines(self, step):
        self.writer_call(step, "writelines", [piece.encode("latin-1") for piece in step["data"]])

    def op_writer_write_eof(self, step):
        self.writer_call(step, "write_eof")

    def op_writer_close(self, step):
        self.writer_call(step, "close")

    def op_writer_is_closing(self, step):
        self.writer_call(step, "is_closing", getter=True)

    def op_writer_limits(self, step):
        self.writers[step["writer"]].transport.set_write_buffer_limits(
            **{key: step[key] for key in ("high", "low") if key in step})

    async def op_drain(self, step):
        await self.awaited_result(step, f"{step['writer']}.drain", self.writers[step["writer"]].drain())

    async def op_writer_wait_closed(self, step):
        await self.awaited_result(step, f"{step['writer']}.wait_closed", self.writers[step["writer"]].wait_closed())
