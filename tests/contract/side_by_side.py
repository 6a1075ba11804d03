"""What the SideBySide port promises, as checks that say what is wrong, over a ground: an adapter and its time."""

from collections.abc import Callable, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

from infra.one_machine.clock import KernelClock
from infra.one_machine.greenlets import Greenlets
from infra.one_machine.kernel import Kernel
from shared.gcp.clock import SystemClock
from shared.gcp.threads import Threads
from shared.ports import Clock, SideBySide

START = datetime.fromisoformat("2026-11-23T15:00:00+00:00")
APART = timedelta(milliseconds=60)
PATIENCE = timedelta(seconds=5)
"""How long a piece of work waits for the others before it says that they never came."""
_NAMED: ContextVar[str] = ContextVar("named", default="nobody")
Call = Callable[[Callable[[], list[str]]], list[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """An adapter, the clock that it lives in, and how a caller is put there."""

    adapter: SideBySide
    clock: Clock
    call: Call = field(default=lambda work: work())

    def sleep(self, seconds: float) -> None:
        """Wait."""
        self.clock.sleep_until(self.clock.now() + timedelta(seconds=seconds))


def on_threads() -> Ground:
    """Give the ground of a process."""
    clock = SystemClock()
    return Ground(adapter=Threads(clock), clock=clock)


def on_kernel() -> Ground:
    """Give the ground of the one-machine world."""
    kernel = Kernel(start=START, seed=3)
    return Ground(
        adapter=Greenlets(kernel), clock=KernelClock(kernel), call=lambda work: kernel.call(work, name="caller")
    )


def answers(ground: Ground) -> list[str]:
    """Answers come in the order asked, whoever ends first, with each failure in its place."""
    broken = ZeroDivisionError("the second")

    def second() -> int:
        raise broken

    def slow() -> int:
        ground.sleep(0.2)
        return 1

    def third() -> int:
        return 3

    found = ground.adapter.ask([slow, second, third], apart=timedelta(0))
    wrong = [] if found == [1, broken, 3] else [f"{found} and not the first, the failure and the third"]
    found = ground.adapter.ask([second, second], apart=timedelta(0))
    wrong += [] if found == [broken, broken] else [f"{found} where all failed"]
    return wrong + ([] if ground.adapter.ask([], apart=APART) == [] else ["something of nothing"])


def at_once(ground: Ground) -> list[str]:
    """All are under way at the same time."""
    begun: list[int] = []

    def meet(number: int) -> bool:
        begun.append(number)
        until = ground.clock.now() + PATIENCE
        while len(begun) < 3 and ground.clock.now() < until:
            ground.sleep(0.01)
        return len(begun) == 3

    met = ground.adapter.ask([partial(meet, number) for number in range(3)], apart=APART)
    return [] if met == [True] * 3 else [f"they did not meet: {met}"]


def spacing(ground: Ground) -> list[str]:
    """None starts sooner than its distance after the one before it was due."""
    began = ground.clock.now()
    starts = [one for one in ground.adapter.ask([ground.clock.now] * 3, apart=APART) if isinstance(one, datetime)]
    late = [one - began - number * APART for number, one in enumerate(starts)]
    return [f"started too early: {late}"] if len(starts) < 3 or min(late) < timedelta(0) else []


def contexts(ground: Ground) -> list[str]:
    """Each sees the context of the caller, and what one changes no other sees, but for the caller's own piece."""

    def rename(name: str) -> str:
        before = _NAMED.get()
        _NAMED.set(name)
        return before

    token = _NAMED.set("caller")
    try:
        works: list[Callable[[], str]] = [_NAMED.get, partial(rename, "x"), partial(rename, "y")]
        found = ground.adapter.ask(works, apart=timedelta(0))
        return [] if [*found, _NAMED.get()] == ["caller"] * 4 else [f"they saw {found}, and then {_NAMED.get()}"]
    finally:
        _NAMED.reset(token)


def ends(ground: Ground) -> list[str]:
    """Nothing that was asked goes on when the answers are there."""
    ended: list[int] = []

    def work(number: int) -> None:
        ground.sleep(0.1 * number)
        ended.append(number)

    ground.adapter.ask([partial(work, number) for number in range(3)], apart=timedelta(0))
    return [] if sorted(ended) == [0, 1, 2] else [f"only {ended} had ended"]


PROMISES: Sequence[Callable[[Ground], list[str]]] = (answers, at_once, spacing, contexts, ends)


def wrongs(ground: Ground) -> list[str]:
    """Try every promise, as a caller of that ground."""
    return [f"{promise.__name__}: {wrong}" for promise in PROMISES for wrong in ground.call(partial(promise, ground))]
