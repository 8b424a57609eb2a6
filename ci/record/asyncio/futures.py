"""Steps of futures, tasks, time-outs and the executor."""
import asyncio
import contextvars
import threading

from scenario import Boom, Name, error_text

IN_BODY = contextvars.ContextVar("in_body", default=False)


class Futures:
    # -- futures

    def op_future(self, step):
        self.tasks[step["name"]] = self.loop.create_future()

    def op_on_done(self, step):
        """add_done_callback, which writes `mark MARK` and performs `then`."""
        callback = self.run_named({"name": step["mark"], "then": step.get("then", [])})
        self.done_callbacks[step["mark"]] = lambda future: callback()
        self.tasks[step["name"]].add_done_callback(self.done_callbacks[step["mark"]])

    @property
    def done_callbacks(self):
        return self.__dict__.setdefault("_done_callbacks", {})

    def op_remove_on_done(self, step):
        future, callback = self.tasks[step["name"]], self.done_callbacks[step["mark"]]
        self.call(f"{step['name']}.remove_done_callback", lambda: future.remove_done_callback(callback))

    def op_set_result(self, step):
        self.call(f"{step['name']}.set_result", lambda: self.tasks[step["name"]].set_result(step.get("value")))

    def op_set_exception(self, step):
        self.call(f"{step['name']}.set_exception", lambda: self.tasks[step["name"]].set_exception(Boom("boom")))

    def op_cancel_future(self, step):
        """cancel() of a future or a task; true if it was not done."""
        self.call(f"{step['name']}.cancel", lambda: self.tasks[step["name"]].cancel())

    def op_future_state(self, step):
        """`NAME pending`, `NAME = VALUE` or `NAME !ERROR`."""
        name, future = step["name"], self.tasks[step["name"]]
        if not future.done():
            self.line(f"{name} pending")
        elif future.cancelled():
            self.line(f"{name} !CancelledError")
        elif future.exception():
            self.line(f"{name} !{error_text(future.exception())}")
        else:
            self.call(name, future.result, True)

    def op_result_of(self, step):
        self.call(f"{step['name']}.result", lambda: self.tasks[step["name"]].result(), True)

    # -- tasks

    def op_task(self, step):
        """A task that performs the steps of `body`, which may take time, and writes `NAME = VALUE` or `NAME !ERROR`
        when it ends. `{"return": 1}` gives its value, `{"raise": "boom"}` ends it."""
        async def run():
            try:
                value = await self.body(step["body"])
            except BaseException as error:
                self.line(f"{step['name']} !{error_text(error)}")
                raise
            self.call(step["name"], lambda: value, True)
            return value
        self.tasks[step["name"]] = self.loop.create_task(run(), name=step["name"])

    async def body(self, steps):
        """Performs steps; in here what a step awaits ends them with its error."""
        token = IN_BODY.set(True)
        try:
            for step in steps:
                if "return" in step:
                    return step["return"]
                if "raise" in step:
                    raise Boom(step["raise"])
                outcome = self.operation(step)
                if asyncio.iscoroutine(outcome):
                    if "task" in step:
                        self.start(step, outcome)
                    else:
                        await outcome
        finally:
            IN_BODY.reset(token)

    async def op_try(self, step):
        """Performs `body`; an error in it writes `caught ERROR` and performs `catch`; `finally` is performed anyway."""
        try:
            await self.body(step["body"])
        except BaseException as error:
            if "catch" not in step:
                raise
            self.line(f"caught {error_text(error)}")
            await self.body(step["catch"])
        finally:
            await self.body(step.get("finally", []))

    def op_current_task(self, step):
        self.call("current_task", lambda: Name(asyncio.current_task().get_name()))

    def op_task_cancel(self, step):
        self.call(f"{step['name']}.cancel", lambda: self.tasks[step["name"]].cancel() and None)

    async def op_task_wait(self, step):
        """Until the task has ended; it wrote its line itself."""
        await asyncio.wait([self.tasks[step["name"]]], timeout=5)

    # -- awaiting

    async def awaited(self, label, awaitable):
        """The line of what was awaited. An error ends the body of a task; the driver goes on."""
        try:
            value = await awaitable
        except BaseException as error:
            self.line(f"{label} !{error_text(error)}")
            if IN_BODY.get():
                raise
        else:
            self.call(label, lambda: value, True)

    async def op_await(self, step):
        """Awaits a future or task; with `timeout` as asyncio.wait_for does, with `shield` shielded."""
        future = self.tasks[step["name"]]
        awaitable = asyncio.shield(future) if step.get("shield") else future
        if "timeout" in step:
            awaitable = asyncio.wait_for(awaitable, step["timeout"])
        await self.awaited(f"await {step['name']}", awaitable)

    async def op_timeout(self, step):
        """`async with asyncio.timeout(seconds)` around `body`; writes how it ended."""
        async def run():
            async with asyncio.timeout(step["seconds"]):
                return await self.body(step["body"])
        await self.awaited("timeout", run())

    async def op_gather(self, step):
        """gather of futures or tasks, in this order; `return_exceptions` gives errors as values."""
        async def run():
            values = await asyncio.gather(*[self.tasks[name] for name in step["names"]],
                                          return_exceptions=step.get("return_exceptions", False))
            return [Name("!" + error_text(value)) if isinstance(value, BaseException) else value for value in values]
        await self.awaited("gather", run())

    async def op_wait_first(self, step):
        """asyncio.wait until one is done; the names of those that are done, sorted."""
        async def run():
            done, _ = await asyncio.wait([self.tasks[name] for name in step["names"]],
                                         return_when=asyncio.FIRST_COMPLETED)
            return [Name(name) for name in sorted(step["names"]) if self.tasks[name] in done]
        await self.awaited("wait", run())

    # -- executor

    @property
    def gates(self):
        return self.__dict__.setdefault("_gates", {})

    async def op_executor(self, step):
        """run_in_executor of a function that waits for the gate `until`, then returns `value` or raises."""
        gate = self.gates.setdefault(step["until"], threading.Event()) if "until" in step else None

        def work():
            if gate:
                gate.wait(5)
            if "raise" in step:
                raise Boom(step["raise"])
            return step.get("value")

        async def run():
            return await self.loop.run_in_executor(None, work)
        await self.result(step, "executor", run())

    def op_open_gate(self, step):
        self.gates.setdefault(step["gate"], threading.Event()).set()

    async def op_shutdown_default_executor(self, step):
        await self.result(step, "loop.shutdown_default_executor", self.loop.shutdown_default_executor())
