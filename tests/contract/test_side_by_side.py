"""The SideBySide contract, over both adapters, and mistakes that it finds."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextvars import copy_context
from dataclasses import replace
from datetime import timedelta
from functools import partial
from threading import Thread, active_count, get_ident
from typing import TypeVar

import pytest

from infra.one_machine.greenlets import Greenlets
from infra.one_machine.kernel import Crashed, Kernel
from shared.gcp.clock import SystemClock
from shared.gcp.threads import MOST, Threads, outcome
from tests.contract.side_by_side import APART, START, Ground, on_kernel, on_threads, wrongs
from tests.etrade.world import InTurn, SteadyClock

T = TypeVar("T")
SECOND = timedelta(seconds=1)


@pytest.mark.parametrize("ground", [on_threads, on_kernel])
def test_each_adapter_keeps_the_promises(ground: Callable[[], Ground]) -> None:
    """Answers in order, all at once, spaced, in the caller's context, and nothing that goes on."""
    assert wrongs(ground()) == []


class AsTheyEnd:
    """A mistake: answers in the order in which they come."""

    def ask(self, works: Sequence[Callable[[], T]], *, apart: timedelta) -> list[T | Exception]:
        with ThreadPoolExecutor(8) as pool:
            made = [pool.submit(copy_context().run, outcome, work) for work in works]
            return [one.result() for one in as_completed(made)]


class Bare:
    """A mistake: threads that know nothing of their caller."""

    def ask(self, works: Sequence[Callable[[], T]], *, apart: timedelta) -> list[T | Exception]:
        with ThreadPoolExecutor(8) as pool:
            return list(pool.map(outcome, works))


class Hasty:
    """A mistake: it waits for the first alone."""

    def ask(self, works: Sequence[Callable[[], T]], *, apart: timedelta) -> list[T | Exception]:
        for work in works[1:]:
            Thread(target=outcome, args=(work,)).start()
        return [outcome(work) for work in works[:1]]


@pytest.mark.parametrize(
    ("mistake", "broken"),
    [
        (AsTheyEnd(), {"answers", "spacing"}),
        (Bare(), {"spacing", "contexts"}),
        (Hasty(), {"answers", "at_once", "spacing", "contexts", "ends"}),
    ],
)
def test_a_mistake_is_found(mistake: AsTheyEnd | Bare | Hasty, broken: set[str]) -> None:
    """Answers as they come, threads without their caller's context, and one that does not wait are each found."""
    found = wrongs(replace(on_threads(), adapter=mistake))
    assert {one.partition(":")[0] for one in found} >= broken


def test_one_after_the_other_is_found() -> None:
    """Pieces of work that wait for one another are not side by side."""
    clock = SteadyClock()
    assert {one.partition(":")[0] for one in wrongs(Ground(adapter=InTurn(clock), clock=clock))} >= {"at_once"}


def test_one_piece_of_work_needs_no_thread() -> None:
    """A single piece is a plain call of the caller's; more share the instance's threads, `MOST` at most."""
    threads, before = Threads(SystemClock()), active_count()
    assert threads.ask([get_ident], apart=APART) == [get_ident()]
    assert active_count() == before
    for _ in range(3):
        assert threads.ask([get_ident] * (3 * MOST), apart=timedelta(0))[0] == get_ident()
    assert active_count() <= before + MOST


class Town:
    """Invocations of one name on a kernel, each with three pieces of work that note their steps."""

    def __init__(self, seed: int = 1, adapter: Callable[[Kernel], Greenlets] = Greenlets) -> None:
        self.kernel = Kernel(start=START, seed=seed)
        self.seen: list[str] = []
        self._adapter = adapter(self.kernel)

    def tick(self, who: str) -> None:
        """Do three pieces of work, a second apart and five seconds long."""

        def step(number: int) -> None:
            self.seen.append(f"{who}{number} begins {(self.kernel.now() - START) / SECOND:g}")
            self.kernel.sleep(5)
            self.seen.append(f"{who}{number} ends {(self.kernel.now() - START) / SECOND:g}")

        self._adapter.ask([partial(step, number) for number in range(3)], apart=SECOND)
        self.seen.append(f"{who} has its answers {(self.kernel.now() - START) / SECOND:g}")

    def crashed(self, at_s: float) -> list[str]:
        """Let an invocation work and die at an instant; gives what it did after that."""
        self.kernel.spawn(lambda: self.tick("victim"), name="victim")
        self.kernel.spawn(lambda: self.tick("other"), name="other")
        self.kernel.run(START + timedelta(seconds=at_s))
        before = len(self.seen)
        self.kernel.spawn(lambda: self.kernel.crash("victim") and None, name="nemesis")
        self.kernel.run(START + timedelta(minutes=1))
        assert self.kernel.idle
        assert "other has its answers 7" in self.seen
        return [one for one in self.seen[before:] if one.startswith("victim")]


@pytest.mark.parametrize("at_s", [0.5, 1, 1.5, 2, 3, 6.5])
def test_what_is_done_beside_an_invocation_dies_with_it(at_s: float) -> None:
    """A crash ends the caller and all of its pieces, also those that have not begun, and nobody else's."""
    assert Town().crashed(at_s) == []


class Orphans(Greenlets):
    """A mistake: pieces of work that are invocations of their own, as any other."""

    def ask(self, works: Sequence[Callable[[], T]], *, apart: timedelta) -> list[T | Exception]:
        began, found = self._kernel.now(), dict[int, T | Exception]()

        def do(number: int) -> None:
            found[number] = outcome(works[number])

        for number in range(1, len(works)):
            self._kernel.spawn(partial(do, number), at=began + number * apart, name="beside")
        do(0)
        while len(found) < len(works):
            self._kernel.sleep(0.1)
        return [found[number] for number in range(len(works))]


def test_pieces_that_live_on_are_found() -> None:
    """Work that is not its caller's goes on calling after the caller's death."""
    assert Town(adapter=Orphans).crashed(1.5) != []


def test_a_piece_that_dies_takes_its_caller_along() -> None:
    """A crash from within one piece is its instance's: no answer comes of it."""
    kernel, seen = Kernel(start=START, seed=1), list[object]()

    def caller() -> None:
        seen.append(Greenlets(kernel).ask([lambda: kernel.sleep(5), lambda: kernel.crash("caller")], apart=SECOND))

    with pytest.raises(Crashed):
        kernel.call(caller, name="caller")
    assert seen == []


def test_equal_seeds_give_equal_orders() -> None:
    """Pieces of several callers at one instant go in the order that the seed draws, each time the same."""

    def order(seed: int) -> list[str]:
        town = Town(seed)
        for who in "abc":
            town.kernel.spawn(partial(town.tick, who), name=who)
        town.kernel.run(START + timedelta(minutes=1))
        return town.seen

    assert order(1) == order(1)
    assert len({tuple(order(seed)) for seed in range(6)}) > 1
