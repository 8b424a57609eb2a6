"""Steps of the loop itself: callbacks, timers, threads, running and stopping, debug mode, exception handlers."""
import asyncio
import threading
import time

from scenario import Boom, error_text


class Loops:
    # -- callbacks and timers

    def run_named(self, step):
        """What a callback of `soon`, `later` … does: its mark, then the actions of `then`, then `raise`."""
        def run():
            self.mark(step["name"])
            self.perform(step.get("then", []))
        return run

    def perform(self, actions):
        for action in actions:
            if "raise" in action:
                raise Boom(action["raise"])
            self.act(action)

    def schedule(self, step, function):
        """Keeps the handle under its name; a refusal is a line."""
        try:
            self.handles[step["name"]] = function()
        except Exception as error:
            self.line(f"{step['op']} {step['name']} !{error_text(error)}")

    def op_soon(self, step):
        self.schedule(step, lambda: self.loop.call_soon(self.run_named(step)))

    def op_soon_threadsafe(self, step):
        self.schedule(step, lambda: self.loop.call_soon_threadsafe(self.run_named(step)))

    def op_later(self, step):
        asked = self.loop.time()
        self.schedule(step, lambda: self.loop.call_later(step["delay"], self.run_named(step)))
        self.deadlines[step["name"]] = (asked + step["delay"], self.loop.time() + step["delay"])

    def op_at(self, step):
        """call_at: `delay` seconds after the scenario's first `at`."""
        self.first_at = getattr(self, "first_at", None) or self.loop.time()
        when = self.first_at + step["delay"]
        self.schedule(step, lambda: self.loop.call_at(when, self.run_named(step)))
        self.deadlines[step["name"]] = (when, when)

    @property
    def deadlines(self):
        return self.__dict__.setdefault("_deadlines", {})

    def op_many_later(self, step):
        """`count` timers under NAME0, NAME1 …, `delay` seconds ahead, `apart` seconds one after the other."""
        for number in range(step["count"]):
            delay = step["delay"] + number * step.get("apart", 0)
            self.op_later({"op": "later", "name": f"{step['name']}{number}", "delay": delay})

    def op_cancel(self, step):
        """Cancels the handle, or those of NAME`from` … NAME`to`, the last one included."""
        if "from" in step:
            for number in range(step["from"], step["to"] + 1):
                self.handles[f"{step['name']}{number}"].cancel()
        else:
            self.call(f"{step['name']}.cancel", self.handles[step["name"]].cancel)

    def op_cancelled(self, step):
        self.call(f"{step['name']}.cancelled", self.handles[step["name"]].cancelled)

    def op_when(self, step):
        """Whether the timer's when() is what was asked for, to a millisecond."""
        low, high = self.deadlines[step["name"]]
        self.call(f"{step['name']}.when", lambda: low - 0.001 <= self.handles[step["name"]].when() <= high + 0.001)

    def op_mark(self, step):
        self.mark(step["name"])

    # -- threads

    def op_thread_soon(self, step):
        """A thread gives the loop one callback per name; the step waits for the thread, unless it has an `after`."""
        def run():
            time.sleep(step.get("after", 0))
            for name in step["names"]:
                self.loop.call_soon_threadsafe(self.run_named({**step, "name": name}))
        self.thread(run, wait="after" not in step)

    def op_thread(self, step):
        """The actions of `then` on another thread; the step waits for it."""
        self.thread(lambda: self.perform(step["then"]), wait=True)

    def thread(self, function, wait):
        thread = threading.Thread(target=function, daemon=True)
        thread.start()
        if wait:
            thread.join()

    # -- time

    def op_time_mark(self, step):
        self.moments[step["name"]] = self.loop.time()

    @property
    def moments(self):
        return self.__dict__.setdefault("_moments", {})

    def op_time_since(self, step):
        """Whether at least and less than so many seconds went by on the loop's clock since `time_mark`."""
        gone = self.loop.time() - self.moments[step["name"]]
        self.call(f"time since {step['name']}", lambda: step.get("at_least", 0) <= gone < step.get("below", 5))

    def op_busy(self, step):
        """Blocks the loop's thread."""
        time.sleep(step["seconds"])

    # -- running

    def op_stop(self, step):
        self.call("loop.stop", self.loop.stop)

    def op_run_forever(self, step):
        self.call("loop.run_forever", self.loop.run_forever)

    def op_run_until_complete(self, step):
        """Runs the loop until the future or task of that name is done."""
        future = self.tasks[step["name"]]
        self.call(f"loop.run_until_complete {step['name']}", lambda: self.loop.run_until_complete(future))

    def op_run_other_loop(self, step):
        """Inside a callback of this loop: a second loop of the same kind is told to run."""
        other = type(self.loop)()
        other.call_soon(other.stop)
        self.call("other loop.run_forever", other.run_forever)
        other.close()

    def op_loop_close(self, step):
        self.call("loop.close", self.loop.close)

    def op_is_running(self, step):
        self.call("loop.is_running", self.loop.is_running)

    def op_is_closed(self, step):
        self.call("loop.is_closed", self.loop.is_closed)

    async def op_yield(self, step):
        """One turn of the loop."""
        await asyncio.sleep(0)

    async def op_sleep(self, step):
        await asyncio.sleep(step["seconds"])

    # -- debug mode and the exception handler

    def op_debug(self, step):
        self.loop.set_debug(step["on"])

    def op_get_debug(self, step):
        self.call("loop.get_debug", self.loop.get_debug)

    def op_slow_callback_duration(self, step):
        """Sets it to `seconds`, or without them says what it is."""
        if "seconds" in step:
            self.loop.slow_callback_duration = step["seconds"]
        else:
            self.call("loop.slow_callback_duration", lambda: self.loop.slow_callback_duration)

    def op_exception_handler(self, step):
        """`kind`: `record` (a line `handler …`, as at the start), `default` (none is set), `raise` (records, then raises)."""
        def raising(loop, context):
            self.exception_handler(loop, context)
            raise Boom("handler")
        kinds = {"record": self.exception_handler, "default": None, "raise": raising}
        self.loop.set_exception_handler(kinds[step["kind"]])

    def op_call_exception_handler(self, step):
        context = {"message": step["message"]}
        if "error" in step:
            context["exception"] = Boom(step["error"])
        self.call("loop.call_exception_handler", lambda: self.loop.call_exception_handler(context))
