"""The one-machine world's kernel: one virtual clock, one seeded order of events, a greenlet per invocation.

What can go wrong in a program like ours lives between two port calls: a second instance reads what the first
is about to write, a process dies after the broker said yes and before the store knew. A thread pool hides
these orders and never shows the same one twice. Here nothing runs in parallel: an invocation runs alone until
it waits, and it waits only through this kernel. What happens next is the smallest (instant, seeded draw,
sequence number) of a heap.

Promises:
* Same seed and same work give the same order of events, whatever the hash seed and however fast the machine.
* `now()` stands still while an invocation runs and never goes back; after `run(until)`, `now()` is `until`.
* Every wait is a yield point, also for an instant that has passed: others at the same instant may go first.
* An exception that escapes an invocation ends the run and is raised from `run`; nothing is swallowed.
* `crash(name)` ends an invocation at its yield point. Its `finally` blocks run, as Python insists, but a wait
  inside them ends it again, so no port call that comes after the crash takes effect.
* What an invocation forks has its name and dies with it, whether it has begun or not.
* Each invocation has its own context variables (a greenlet starts with an empty context), as Flask needs.

A lock of `threading` held over a wait would stop the world for ever: nobody else could run to release it.
"""

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from heapq import heappop, heappush
from random import Random
from typing import Any, TypeVar

from greenlet import getcurrent, greenlet

T = TypeVar("T")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_FOREVER = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // _MICROSECOND


class Ended(BaseException):
    """The world is closing: thrown at the yield point of every invocation that still waits."""


class Crashed(Ended):
    """The invocation dies here, as if its instance had been killed."""


class Invocation:
    """One piece of work on the kernel; `done` once it has returned, raised or crashed, `parent` is who forked it."""

    __slots__ = ("awaits", "crashed", "done", "fiber", "joined_by", "name", "parent", "wake", "work")

    def __init__(self, name: str, work: Callable[[], object], parent: "Invocation | None" = None) -> None:
        self.name = name
        self.work = work
        self.parent = parent
        self.joined_by: Invocation | None = None
        self.awaits = 0
        self.fiber: Any = None
        self.wake = 0
        self.crashed = False
        self.done = False


class Kernel:
    """A deterministic scheduler; `pace` is simulated seconds per real second, None as fast as it goes.

    With `in_order` nothing is drawn: what is due at one instant goes in the order in which it was scheduled.
    """

    def __init__(self, *, start: datetime, seed: int, pace: float | None = None, in_order: bool = False) -> None:
        if pace is not None and pace <= 0:
            raise ValueError(f"pace must be above zero, not {pace}")
        self._micros = _micros(start)
        self._now: datetime | None = None
        self._pace = pace
        self._ties = Random(f"kernel/{seed}")  # a text seed is hashed by SHA-512: equal on every machine
        self._in_order = in_order
        self._heap: list[tuple[int, int, int, Invocation]] = []
        self._sequence = 0
        self._live: dict[Invocation, None] = {}  # a dict keeps the order of spawning; a set would not
        self._running: Invocation | None = None
        self._hub: Any = None
        self._anchor = (0.0, 0)

    def now(self) -> datetime:
        """Give the present instant in UTC."""
        if self._now is None:
            self._now = _EPOCH + timedelta(microseconds=self._micros)
        return self._now

    @property
    def idle(self) -> bool:
        """Tell whether nothing runs and nothing is due, ever."""
        return not self._live

    @property
    def inside(self) -> bool:
        """Tell whether the caller is an invocation, which may wait, or the outside, which may `run`."""
        return self._running is not None

    def spawn(self, work: Callable[[], object], *, at: datetime | None = None, name: str) -> Invocation:
        """Let `work` start as an invocation of its own at `at`, or at the present instant."""
        return self._begin(Invocation(name, work), at)

    def fork(self, work: Callable[[], object], *, at: datetime) -> Invocation:
        """Let `work` start at `at` beside the invocation that asks for it, under its name, and die where that dies."""
        parent = self._inside()
        return self._begin(Invocation(parent.name, work, parent), at)

    def join(self, others: Sequence[Invocation]) -> None:
        """Yield until all of these are done; return at once when they are."""
        invocation = self._inside()
        waited_for = [one for one in others if not one.done]
        if not waited_for:
            return
        for one in waited_for:
            one.joined_by = invocation
        invocation.awaits = len(waited_for)
        self._hub.switch()

    def kill(self, others: Sequence[Invocation]) -> None:
        """Crash these where they are; those that have not begun never do."""
        for one in others:
            if one.fiber is None:
                self._finish(one)
            elif not one.done:
                one.crashed = True
                self._schedule(one, self._micros)

    def sleep_until(self, at: datetime) -> None:
        """Yield until `at`; an instant that has passed is a plain `pause`."""
        micros = _micros(at)
        self._wait(max(self._micros, micros))

    def sleep(self, seconds: float) -> None:
        """Yield for a span of simulated seconds."""
        self._wait(self._micros + max(0, round(seconds * 1_000_000)))

    def pause(self) -> None:
        """Yield at this very instant: a seeded draw decides who of those that are due goes first."""
        self._wait(self._micros)

    def run(self, until: datetime) -> None:
        """Run everything that falls due up to and including `until`; afterwards it is `until`."""
        limit = _micros(until)
        self._drive(limit, None)
        if limit > self._micros:
            self._advance(limit)

    def call(self, work: Callable[[], T], *, name: str) -> T:
        """Run `work` as an invocation, and the world around it, until it has an answer.

        From inside an invocation it is called in place. Raises Crashed when it was crashed on the way.
        """
        if self._running is not None:
            return work()
        answer: list[T] = []
        invocation = self.spawn(lambda: answer.append(work()), name=name)
        self._drive(_FOREVER, invocation)
        if not answer:
            raise Crashed(name)
        return answer[0]

    def cancel(self, invocation: Invocation) -> None:
        """Take back a `spawn` whose work has not started; later it is no error and no effect."""
        if invocation.fiber is None:
            self._finish(invocation)

    def crash(self, name: str) -> int:
        """Kill every invocation of this name that has begun, at its yield point, and tell how many.

        Called from one of them it does not return: Crashed is raised there, too.
        """
        running = self._running
        victims = [one for one in self._live if one.name == name and one.fiber is not None]
        self.kill([one for one in self._live if one.parent in victims and one.fiber is None])
        self.kill([one for one in victims if one is not running])
        if running is not None and running in victims:
            running.crashed = True
            raise Crashed(name)
        return len(victims)

    def close(self) -> None:
        """End every invocation that still waits; what their clean-up raises is raised when all have ended."""
        troubles: list[Exception] = []
        for invocation in list(self._live):
            invocation.crashed = True
            try:
                if invocation.fiber is not None:
                    self._running = invocation
                    invocation.fiber.throw(Ended(invocation.name))
            except Ended:
                pass
            except Exception as trouble:  # noqa: BLE001 - kept and raised below, after all have ended
                troubles.append(trouble)
            finally:
                self._running = None
                self._finish(invocation)
        if troubles:
            raise ExceptionGroup("clean-up failed when the world closed", troubles)

    def _begin(self, invocation: Invocation, at: datetime | None) -> Invocation:
        self._live[invocation] = None
        self._schedule(invocation, self._micros if at is None else max(self._micros, _micros(at)))
        return invocation

    def _schedule(self, invocation: Invocation, micros: int) -> None:
        self._sequence += 1
        invocation.wake = self._sequence
        tie = 0 if self._in_order else self._ties.getrandbits(32)
        heappush(self._heap, (micros, tie, self._sequence, invocation))

    def _inside(self) -> Invocation:
        """Give the invocation that runs, which may wait; one that has crashed crashes again."""
        invocation = self._running
        if invocation is None:
            raise RuntimeError("only an invocation can wait; the outside lets time pass with Kernel.run")
        if invocation.crashed:
            raise Crashed(invocation.name)
        return invocation

    def _wait(self, micros: int) -> None:
        self._schedule(self._inside(), micros)
        self._hub.switch()

    def _drive(self, limit: int, wanted: Invocation | None) -> None:
        if self._hub is not None:
            raise RuntimeError("the kernel is running: an invocation cannot run it again")
        self._hub = getcurrent()
        self._anchor = (time.monotonic(), self._micros)
        heap = self._heap
        try:
            while heap and heap[0][0] <= limit and (wanted is None or not wanted.done):
                micros, _, sequence, invocation = heap[0]
                due = invocation.wake == sequence
                if due and micros > self._micros:
                    self._advance(micros)
                heappop(heap)
                if due:
                    self._resume(invocation)
        finally:
            self._hub = None

    def _resume(self, invocation: Invocation) -> None:
        fiber = invocation.fiber
        if fiber is None:
            fiber = invocation.fiber = greenlet(invocation.work, self._hub)
        self._running = invocation
        try:
            if invocation.crashed:
                fiber.throw(Crashed(invocation.name))
            else:
                fiber.switch()
        except Crashed:
            if not invocation.crashed:
                raise
        finally:
            self._running = None
            if fiber.dead:
                self._finish(invocation)

    def _finish(self, invocation: Invocation) -> None:
        if invocation.done:
            return
        invocation.done = True
        invocation.wake = 0
        self._live.pop(invocation, None)
        waits = invocation.joined_by
        if waits is not None and not waits.done:
            waits.awaits -= 1
            if not waits.awaits:
                self._schedule(waits, self._micros)

    def _advance(self, micros: int) -> None:
        if self._pace is not None:
            real, simulated = self._anchor
            delay_s = real + (micros - simulated) / 1_000_000 / self._pace - time.monotonic()
            if delay_s > 0:
                time.sleep(delay_s)
        self._micros = micros
        self._now = None


def _micros(at: datetime) -> int:
    return (at - _EPOCH) // _MICROSECOND
