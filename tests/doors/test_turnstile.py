"""The turnstile: one intent at a time, exits first, and never so many signals that an exit finds no place."""

import threading
import time
from datetime import datetime, timedelta
from functools import partial

import pytest

from infra.one_machine.clock import KernelClock
from infra.one_machine.kernel import Kernel
from shared.door import TURN_LASTS, Turnstile
from shared.errors import Busy
from tests.doors.fakes import NOW, HandClock
from tests.patience import PATIENCE_S

PLACES = 16


class WallClock:
    """The Clock port on real time, a hundred times faster."""

    def now(self) -> datetime:
        """Give the instant."""
        return NOW + timedelta(seconds=time.monotonic() * 100)

    def sleep_until(self, at: datetime) -> None:
        """Sleep for real."""
        time.sleep(max(0.0, (at - self.now()).total_seconds() / 100))


def _spawn(kernel: Kernel, stile: Turnstile, served: list[str], name: str, *, after_s: float, is_exit: bool) -> None:
    def work() -> None:
        try:
            with stile.turn(is_exit=is_exit):
                served.append(name)
                kernel.sleep(2)
        except Busy:
            served.append(f"{name} busy")

    kernel.spawn(work, at=NOW + timedelta(seconds=after_s), name=name)


@pytest.mark.parametrize("seed", range(20))
def test_exits_pass_the_signals_that_wait(seed: int) -> None:
    """Whatever the order of events, an exit that comes while signals wait is the next to be served."""
    kernel = Kernel(start=NOW, seed=seed)
    stile, served = Turnstile(KernelClock(kernel), places=PLACES), list[str]()
    spawn = partial(_spawn, kernel, stile, served)
    for number in range(4):
        spawn(f"signal {number}", after_s=number / 10, is_exit=False)
    spawn("exit a", after_s=1, is_exit=True)
    spawn("exit b", after_s=1.2, is_exit=True)
    kernel.run(NOW + timedelta(minutes=1))
    assert served == ["signal 0", "exit a", "exit b", "signal 1", "signal 2", "signal 3"]
    assert kernel.idle


def test_signals_take_half_the_places_and_exits_all() -> None:
    """The ninth signal of sixteen places is told Busy at once, while exits still get in, and places come back."""
    kernel = Kernel(start=NOW, seed=1)
    stile, served = Turnstile(KernelClock(kernel), places=PLACES), list[str]()
    spawn = partial(_spawn, kernel, stile, served)
    for number in range(10):
        spawn(f"signal {number}", after_s=number / 100, is_exit=False)
    for number in range(10):
        spawn(f"exit {number}", after_s=0.5 + number / 100, is_exit=True)
    kernel.run(NOW + timedelta(seconds=1))
    assert served == ["signal 0", "signal 8 busy", "signal 9 busy"]
    kernel.run(NOW + timedelta(minutes=2))
    assert served[3:13] == [f"exit {number}" for number in range(10)]
    assert served[13:] == [f"signal {number}" for number in range(1, 8)]
    spawn("signal late", after_s=0, is_exit=False)
    kernel.run(NOW + timedelta(minutes=3))
    assert served[-1] == "signal late"


def test_a_turn_tells_how_many_are_ahead() -> None:
    """Each turn gives the number of intents that were in the queue before it, the one being worked included."""
    stile = Turnstile(HandClock(), places=PLACES)
    with stile.turn(is_exit=False) as none:
        assert none == 0
    kernel = Kernel(start=NOW, seed=1)
    stile, ahead = Turnstile(KernelClock(kernel), places=PLACES), list[int]()

    def work() -> None:
        with stile.turn(is_exit=False) as before:
            ahead.append(before)
            kernel.sleep(1)

    for number in range(3):
        kernel.spawn(work, at=NOW + timedelta(seconds=number / 10), name="signal")
    kernel.run(NOW + timedelta(minutes=1))
    assert ahead == [0, 1, 2]


@pytest.mark.parametrize("inside", [True, False])
def test_a_death_gives_the_place_back(inside: bool) -> None:
    """A use case that raises, or an instance that dies while it works or waits, leaves no place taken."""
    kernel = Kernel(start=NOW, seed=1)
    stile, served = Turnstile(KernelClock(kernel), places=2), list[str]()
    _spawn(kernel, stile, served, "dies" if inside else "works", after_s=0, is_exit=False)
    _spawn(kernel, stile, served, "dies" if not inside else "waits", after_s=0.1, is_exit=True)
    kernel.run(NOW + timedelta(seconds=1))
    assert kernel.crash("dies") == 1
    kernel.run(NOW + timedelta(minutes=1))
    with pytest.raises(ZeroDivisionError), stile.turn(is_exit=False):
        raise ZeroDivisionError
    with stile.turn(is_exit=False) as ahead:
        assert ahead == 0


def test_real_threads_never_work_at_the_same_time() -> None:
    """Sixty threads, half of them exits, work one at a time, every exit is served, and nobody is left waiting."""
    stile = Turnstile(WallClock(), places=PLACES)
    inside, most, served, busy = [0], [0], list[bool](), list[bool]()

    def work(is_exit: bool) -> None:
        try:
            with stile.turn(is_exit=is_exit):
                inside[0] += 1
                most[0] = max(most[0], inside[0])
                time.sleep(0.001)
                inside[0] -= 1
                served.append(is_exit)
        except Busy:
            busy.append(is_exit)

    threads = [threading.Thread(target=work, args=(number % 2 == 0,)) for number in range(60)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=PATIENCE_S)
    assert not any(thread.is_alive() for thread in threads)
    assert most == [1]
    assert served.count(True) == 30
    assert True not in busy
    assert len(served) + len(busy) == 60
    assert served.count(False) >= PLACES // 2


def test_a_free_turnstile_does_not_wait() -> None:
    """An intent that finds nobody is let through without a look at the clock."""
    clock = HandClock()
    with Turnstile(clock, places=2).turn(is_exit=True):
        assert clock.slept == []


def test_a_frozen_holder_loses_its_turn() -> None:
    """Thirty seconds after one froze inside the next exit is let in, those behind follow, and none is let in twice."""
    kernel = Kernel(start=NOW, seed=1)
    stile, served = Turnstile(KernelClock(kernel), places=PLACES), list[tuple[str, float]]()

    def work(name: str, lasts_s: float) -> None:
        with stile.turn(is_exit=True):
            served.append((name, (kernel.now() - NOW).total_seconds()))
            kernel.sleep(lasts_s)

    for number, lasts_s in enumerate((300, 2, 2, 2)):
        kernel.spawn(partial(work, f"exit {number}", lasts_s), at=NOW + timedelta(seconds=number / 10), name="exit")
    kernel.run(NOW + timedelta(seconds=40))
    assert [name for name, _ in served] == [f"exit {number}" for number in range(4)]
    assert served[1][1] >= TURN_LASTS.total_seconds()
    assert served[3][1] <= TURN_LASTS.total_seconds() + 5


def test_a_turn_that_was_lost_gives_nobody_elses_back() -> None:
    """One that wakes up and leaves after its turn was lost does not end the turn of the one that is inside now."""
    kernel = Kernel(start=NOW, seed=1)
    stile, inside, most = Turnstile(KernelClock(kernel), places=PLACES), list[str](), [0]

    def work(name: str, lasts_s: float) -> None:
        with stile.turn(is_exit=True):
            inside.append(name)
            most[0] = max(most[0], len([one for one in inside if one != "frozen"]))
            kernel.sleep(lasts_s)
            inside.remove(name)

    for number, (name, lasts_s) in enumerate([("frozen", 35), ("a", 20), ("b", 20), ("c", 20)]):
        kernel.spawn(partial(work, name, lasts_s), at=NOW + timedelta(seconds=number / 10), name="exit")
    kernel.run(NOW + timedelta(minutes=3))
    assert most == [1]
    assert (inside, kernel.idle) == ([], True)


def test_a_frozen_thread_loses_its_turn() -> None:
    """The same among real threads: those who wait behind a frozen one are served while it is still inside."""
    stile, served, wakes = Turnstile(WallClock(), places=PLACES), list[int](), threading.Event()

    def frozen() -> None:
        with stile.turn(is_exit=True):
            wakes.wait(timeout=60)

    def work(number: int) -> None:
        with stile.turn(is_exit=True):
            served.append(number)

    first = threading.Thread(target=frozen)
    first.start()
    others = [threading.Thread(target=work, args=(number,)) for number in range(5)]
    for thread in others:
        thread.start()
    for thread in others:
        thread.join(timeout=60)
    assert sorted(served) == list(range(5))
    assert first.is_alive()
    wakes.set()
    first.join(timeout=60)
    with stile.turn(is_exit=True) as ahead:
        assert ahead == 0
