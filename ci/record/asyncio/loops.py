"""Steps of the loop itself: callbacks, timers, stopping, tasks."""
import asyncio

from scenario import Boom


class Loops:
    def run_named(self, step):
        """What a callback of `soon`, `later` … does: its mark, then the actions of `then`, then `raise`."""
        def run():
            self.mark(step["name"])
            for action in step.get("then", []):
                if "raise" in action:
                    raise Boom(action["raise"])
                self.act(action)
        return run

    def op_soon(self, step):
        self.handles[step["name"]] = self.loop.call_soon(self.run_named(step))

    def op_later(self, step):
        self.handles[step["name"]] = self.loop.call_later(step["delay"], self.run_named(step))

    def op_mark(self, step):
        self.mark(step["name"])

    async def op_yield(self, step):
        """One turn of the loop."""
        await asyncio.sleep(0)

    async def op_sleep(self, step):
        await asyncio.sleep(step["seconds"])

    def op_task_cancel(self, step):
        self.call(f"{step['name']}.cancel", lambda: self.tasks[step["name"]].cancel() and None)

    async def op_task_wait(self, step):
        """Until the task has ended; it wrote its line itself."""
        await asyncio.wait([self.tasks[step["name"]]], timeout=5)
