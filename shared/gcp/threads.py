"""The SideBySide port on threads.

What can go wrong: a thread is made for each call and never ends; a pool is made where the process forks after it, or at
a start that asks nothing; a thread loses the trace of its caller; one goes on when its caller has its answer. What this
promises: the instance has one pool of `MOST` threads, made when two things are first asked at once; each piece of work
has a copy of the caller's context; the caller waits for all of them, however long they take, so that each has to have
an end of its own (a broker call has).
"""

from collections.abc import Callable, Sequence
from contextvars import copy_context
from datetime import datetime, timedelta
from threading import Lock
from typing import TYPE_CHECKING, TypeVar

from shared.ports import Clock

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

T = TypeVar("T")
MOST = 4
"""Beside their caller; more pieces of work than that wait for one that ends."""


class Threads:
    """Does pieces of work in the threads of one instance; `clock` spaces their starts."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = Lock()
        self._made: ThreadPoolExecutor | None = None

    def ask(self, works: Sequence[Callable[[], T]], *, apart: timedelta) -> list[T | Exception]:
        """Start each `apart` after the one before it, wait for all, and give what each gave or raised, in order."""
        if not works:
            return []
        began = self._clock.now()
        beside = [
            self._pool().submit(copy_context().run, self._later, work, began + number * apart)
            for number, work in enumerate(works[1:], start=1)
        ]
        return [outcome(works[0]), *(one.result() for one in beside)]

    def _later(self, work: Callable[[], T], at: datetime) -> T | Exception:
        self._clock.sleep_until(at)
        return outcome(work)

    def _pool(self) -> "ThreadPoolExecutor":
        with self._lock:
            if self._made is None:
                from concurrent.futures import ThreadPoolExecutor  # late: most functions never ask two things at once

                self._made = ThreadPoolExecutor(MOST, thread_name_prefix="beside")
            return self._made


def outcome(work: Callable[[], T]) -> T | Exception:
    """Do a piece of work, and give what it gave or raised."""
    try:
        return work()
    except Exception as problem:  # noqa: BLE001 - it is the caller's, as a value
        return problem
