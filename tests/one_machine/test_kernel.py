"""The kernel: order, waiting, crashes and determinism."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from infra.one_machine.clock import KernelClock, SeededChance
from infra.one_machine.kernel import Crashed, Kernel

START = datetime(2013, 10, 7, 13, 30, tzinfo=UTC)
_ROOT = Path(__file__).resolve().parents[2]


def _at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def _trace(seed: int) -> list[str]:
    kernel, trace = Kernel(start=START, seed=seed), list[str]()

    def work(name: str) -> Callable[[], None]:
        def steps() -> None:
            for step in range(4):
                trace.append(f"{name}{step}")
                kernel.pause()

        return steps

    for name in "abcdef":
        kernel.spawn(work(name), name=name)
    kernel.run(_at(1))
    return trace


def test_events_run_in_the_order_of_their_instants() -> None:
    """Work runs at its instant, whatever the order in which it was spawned."""
    kernel, seen = Kernel(start=START, seed=1), list[datetime]()
    for seconds in (3.0, 1.0, 2.5, 0.000_001):
        kernel.spawn(lambda: seen.append(kernel.now()), at=_at(seconds), name="work")
    kernel.run(_at(60))
    assert seen == [_at(0.000_001), _at(1), _at(2.5), _at(3)]
    assert kernel.now() == _at(60)
    assert kernel.idle


def test_run_stops_at_its_end_and_goes_on_from_there() -> None:
    """Work due after `until` waits for the next run, and work due exactly then runs."""
    kernel, seen = Kernel(start=START, seed=1), list[str]()
    kernel.spawn(lambda: seen.append("now"), at=_at(10), name="now")
    kernel.spawn(lambda: seen.append("later"), at=_at(10.1), name="later")
    kernel.run(_at(10))
    assert (seen, kernel.idle) == (["now"], False)
    kernel.run(_at(11))
    assert seen == ["now", "later"]


def test_a_wait_lets_others_go_on() -> None:
    """While one invocation sleeps, the others run, and it wakes at the very instant that it asked for."""
    kernel, seen = Kernel(start=START, seed=1), list[str]()
    clock = KernelClock(kernel)

    def sleeper() -> None:
        clock.sleep_until(_at(5))
        seen.append(f"woke {(clock.now() - START).total_seconds()}")
        clock.sleep_until(_at(1))
        seen.append(f"past {(clock.now() - START).total_seconds()}")

    kernel.spawn(sleeper, name="sleeper")
    kernel.spawn(lambda: seen.append("other"), at=_at(2), name="other")
    kernel.run(_at(9))
    assert seen == ["other", "woke 5.0", "past 5.0"]


def test_the_seed_decides_the_order_at_one_instant() -> None:
    """Equal seeds give equal orders of simultaneous work, and some other seed gives another order."""
    assert _trace(1) == _trace(1)
    assert len({tuple(_trace(seed)) for seed in range(8)}) == 8


def test_the_hash_seed_has_no_say() -> None:
    """Two processes with different hash seeds run the same work in the same order."""
    code = "from tests.one_machine.test_kernel import _trace; print(_trace(7))"
    outputs = {
        subprocess.run(  # noqa: S603 - our own interpreter, fixed arguments
            [sys.executable, "-c", code],
            cwd=_ROOT,
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            capture_output=True,
            check=True,
        ).stdout
        for hash_seed in ("1", "2")
    }
    assert outputs == {f"{_trace(7)}\n".encode()}


def test_an_escaping_exception_ends_the_run() -> None:
    """An exception that an invocation lets out is raised from `run`, and the kernel can go on after it."""
    kernel, seen = Kernel(start=START, seed=1), list[str]()

    def broken() -> None:
        raise ZeroDivisionError

    kernel.spawn(broken, at=_at(1), name="broken")
    kernel.spawn(lambda: seen.append("next"), at=_at(2), name="next")
    with pytest.raises(ZeroDivisionError):
        kernel.run(_at(3))
    assert kernel.now() == _at(1)
    kernel.run(_at(3))
    assert seen == ["next"]


def test_a_keyboard_interrupt_leaves_the_kernel_usable() -> None:
    """An interrupt inside an invocation reaches the caller of `run`, and closing ends all others."""
    kernel, seen = Kernel(start=START, seed=1), list[str]()

    def waiting() -> None:
        try:
            kernel.sleep(10)
        finally:
            seen.append("ended")

    def interrupted() -> None:
        raise KeyboardInterrupt

    kernel.spawn(waiting, name="waiting")
    kernel.spawn(interrupted, at=_at(1), name="interrupted")
    with pytest.raises(KeyboardInterrupt):
        kernel.run(_at(60))
    kernel.close()
    assert (seen, kernel.idle) == (["ended"], True)


def test_code_after_a_crash_never_runs() -> None:
    """A crashed invocation takes no further step, not even in a clean-up that waits, and others live on."""
    kernel, seen = Kernel(start=START, seed=1), list[str]()

    def victim() -> None:
        try:
            seen.append("before")
            kernel.sleep(10)
            seen.append("after")
        finally:
            kernel.pause()
            seen.append("after a wait in the clean-up")

    kernel.spawn(victim, name="victim")
    kernel.spawn(victim, at=_at(4), name="victim")
    kernel.spawn(lambda: seen.append("not begun"), at=_at(7), name="victim")
    kernel.spawn(lambda: seen.append(f"crashed {kernel.crash('victim')}"), at=_at(5), name="nemesis")
    kernel.spawn(lambda: seen.append("bystander"), at=_at(20), name="bystander")
    kernel.run(_at(60))
    assert seen == ["before", "before", "crashed 2", "not begun", "bystander"]
    assert kernel.idle


def test_an_invocation_can_crash_itself() -> None:
    """A crash of one's own name does not return."""
    kernel, seen = Kernel(start=START, seed=1), list[str]()

    def victim() -> None:
        kernel.crash("victim")
        seen.append("after")

    kernel.spawn(victim, name="victim")
    kernel.run(_at(1))
    assert (seen, kernel.idle) == ([], True)
    with pytest.raises(Crashed):
        kernel.call(lambda: kernel.crash("caller"), name="caller")


def test_a_call_from_outside_runs_the_world_until_it_has_its_answer() -> None:
    """`call` lets time pass for everybody, gives the answer, and goes no further."""
    kernel, seen = Kernel(start=START, seed=1), list[str]()
    kernel.spawn(lambda: seen.append("on the way"), at=_at(1), name="early")
    kernel.spawn(lambda: seen.append("too late"), at=_at(9), name="late")

    def asked() -> str:
        kernel.sleep(2)
        return kernel.call(lambda: "answer", name="inner")

    assert kernel.call(asked, name="asked") == "answer"
    assert (seen, kernel.now()) == (["on the way"], _at(2))


def test_a_cancelled_start_never_happens() -> None:
    """Work that is taken back before its instant does not run, and time does not stop there."""
    kernel, seen = Kernel(start=START, seed=1), list[str]()
    timer = kernel.spawn(lambda: seen.append("timer"), at=_at(5), name="timer")
    kernel.cancel(timer)
    kernel.cancel(timer)
    assert kernel.idle
    kernel.run(_at(10))
    assert seen == []


def test_only_an_invocation_can_wait() -> None:
    """A wait outside an invocation, or a run inside one, is refused and does not hang."""
    kernel = Kernel(start=START, seed=1)
    with pytest.raises(RuntimeError, match="only an invocation"):
        kernel.pause()
    kernel.spawn(lambda: kernel.run(_at(5)), name="nested")
    with pytest.raises(RuntimeError, match="running"):
        kernel.run(_at(1))


def test_each_invocation_has_its_own_context() -> None:
    """A context variable that one invocation sets is not seen by another."""
    kernel, seen = Kernel(start=START, seed=1), list[str]()
    variable: ContextVar[str] = ContextVar("variable", default="unset")

    def setter(value: str) -> Callable[[], None]:
        def work() -> None:
            seen.append(variable.get())
            variable.set(value)
            kernel.sleep(1)
            seen.append(variable.get())

        return work

    kernel.spawn(setter("one"), name="one")
    kernel.spawn(setter("two"), at=_at(0.5), name="two")
    kernel.run(_at(5))
    assert seen == ["unset", "unset", "one", "two"]


def test_pace_waits_in_real_time() -> None:
    """At a pace of 100, ten simulated seconds take a tenth of a real one."""
    kernel = Kernel(start=START, seed=1, pace=100)
    began = time.monotonic()
    kernel.spawn(lambda: kernel.sleep(5), name="sleeper")
    kernel.run(_at(10))
    assert 0.1 <= time.monotonic() - began < 5.0
    with pytest.raises(ValueError, match="pace"):
        Kernel(start=START, seed=1, pace=0)


def test_streams_of_chance_do_not_disturb_each_other() -> None:
    """What one name draws does not depend on how much another has drawn, and differs from it."""
    quiet, busy = SeededChance(seed=1, name="a"), SeededChance(seed=1, name="b")
    undisturbed = [SeededChance(seed=1, name="a").uniform(0, 1), SeededChance(seed=1, name="b").uniform(0, 1)]
    busy_first = busy.uniform(0, 1)
    for _ in range(100):
        busy.uniform(0, 1)
    assert [quiet.uniform(0, 1), busy_first] == undisturbed
    assert undisturbed[0] != undisturbed[1]
    token = SeededChance(seed=1, name="a").token(20)
    assert len(token) == 20
    assert token.isalnum()
    assert token != SeededChance(seed=2, name="a").token(20)
