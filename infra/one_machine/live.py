"""The kernel in step with a timeline: the same bus and scheduler, in front of real processes.

What can go wrong: a call to a process blocks everybody else, a thread touches the kernel while it runs, the end of
the program waits for an answer that never comes. What this promises: invocations run one at a time on one thread, as
in the simulated day; `outside` lets a blocking call happen on a thread of its own while the world goes on; other
threads hand work in with `post` and touch nothing else; `stop` ends `run` at once, and what was handed in later is
refused.
"""

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from infra.one_machine.kernel import Crashed, Kernel
from infra.one_machine.timeline import AnyTimeline

T = TypeVar("T")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_CALLS = 64
# A kernel that fell behind catches up in pieces, and hears between them what came from outside: else a message would
# use up all its attempts before the first answer was heard.
_SLICE = timedelta(milliseconds=50)
_LONGEST_REST_S = 0.5


class LiveKernel(Kernel):
    """Runs what is due by its timeline, and what other threads hand in."""

    def __init__(self, *, timeline: AnyTimeline, seed: int) -> None:
        super().__init__(start=timeline.now(), seed=seed)
        self._timeline = timeline
        self._inbox: deque[Callable[[], object]] = deque()
        self._bell = threading.Condition()
        self._stopped = False
        self._asked: set[Future[Any]] = set()
        self._pool = ThreadPoolExecutor(_CALLS, thread_name_prefix="outside")

    def run(self, until: datetime) -> None:
        """Live until an instant of the timeline, or until `stop`; what escapes an invocation is raised."""
        while not self._stopped:
            now = max(self.now(), min(self._timeline.now(), until))
            reached = min(now, self.now() + _SLICE)
            super().run(reached)
            if self._take_in() or reached < now:
                continue
            if now >= until:
                return
            self._rest(until)

    def stop(self) -> None:
        """End `run` soon and refuse what is handed in from now on; any thread may call it."""
        with self._bell:
            self._stopped = True
            self._bell.notify()

    def post(self, work: Callable[[], object], *, name: str) -> None:
        """Let `work` start as an invocation of its own; any thread may call it; raises CancelledError after `stop`."""
        with self._bell:
            if self._stopped:
                raise CancelledError(name)
            self._inbox.append(lambda: self.spawn(work, name=name))
            self._bell.notify()

    def ask(self, work: Callable[[], T], *, name: str) -> T:
        """Run `work` as an invocation and wait for its answer, from another thread.

        Raises what it raises, CancelledError when the world ends before.
        """
        answer: Future[T] = Future()

        def run() -> None:
            try:
                answer.set_result(work())
            except Exception as problem:  # noqa: BLE001 - it is the asker's
                answer.set_exception(problem)
            finally:
                answer.cancel()  # no effect on an answer; an end of the world leaves none

        with self._bell:
            self.post(run, name=name)
            self._asked.add(answer)
        answer.add_done_callback(self._asked.discard)
        return answer.result()

    def outside(self, call: Callable[[], T]) -> T:
        """Wait, as an invocation, for a blocking call on a thread of its own; give its answer or raise its error."""
        caller = self._running
        if caller is None:
            raise RuntimeError("only an invocation can wait for a call outside")
        if caller.crashed:
            raise Crashed(caller.name)

        def heard(_: object) -> None:
            with self._bell:
                self._inbox.append(lambda: None if caller.done else self._schedule(caller, self._micros))
                self._bell.notify()

        answer = self._pool.submit(call)
        answer.add_done_callback(heard)
        self._hub.switch()
        return answer.result()

    def close(self) -> None:
        """End every invocation that still waits; calls that are under way outside end unheard."""
        self.stop()
        self._pool.shutdown(wait=False, cancel_futures=True)
        super().close()
        for answer in list(self._asked):
            answer.cancel()

    def _take_in(self) -> bool:
        """Let in what was handed in, at the present instant."""
        with self._bell:
            given, self._inbox = self._inbox, deque()
        for work in given:
            work()
        return bool(given)

    def _rest(self, until: datetime) -> None:
        """Wait until something is due or handed in."""
        due = min(_EPOCH + timedelta(microseconds=self._heap[0][0]), until) if self._heap else until
        wait_s = min(_LONGEST_REST_S, self._timeline.real_s(due - self._timeline.now()))
        with self._bell:
            if wait_s > 0 and not self._inbox and not self._stopped:
                self._bell.wait(wait_s)
