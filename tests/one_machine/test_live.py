"""The kernel in step with a timeline: waiting outside, work from other threads, its end; and the timeline itself."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from infra.one_machine.live import LiveKernel
from infra.one_machine.timeline import HeldTimeline, PacedClock, Timeline
from tests.patience import PATIENCE_S

START = datetime(2013, 10, 7, 13, 30, tzinfo=UTC)
MARGIN = timedelta(minutes=10)
"""Half a minute of a machine that was busy between two looks at a clock, at twenty times its speed."""
FOREVER = datetime(9000, 1, 1, tzinfo=UTC)


@contextmanager
def _living(speed: float = 60.0) -> Iterator[LiveKernel]:
    """Run a kernel on a thread of its own, and close it there."""
    kernel = LiveKernel(timeline=Timeline.starting(START, speed), seed=1)

    def live() -> None:
        try:
            kernel.run(FOREVER)
        finally:
            kernel.close()

    with ThreadPoolExecutor(1) as pool:
        ended = pool.submit(live)
        try:
            yield kernel
        finally:
            kernel.stop()
            ended.result(PATIENCE_S)


def _soon(what: Callable[[], bool]) -> bool:
    """Wait until something is so; False when it never is."""
    end = time.monotonic() + PATIENCE_S
    while not (found := what()) and time.monotonic() < end:
        time.sleep(0.001)
    return found


def _in_a_thread(work: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


def test_a_call_outside_holds_up_nobody() -> None:
    """While one invocation waits for a blocking call, the others go on, and it gets the call's answer."""
    with _living() as kernel:
        others_ran = threading.Event()
        with ThreadPoolExecutor(1) as pool:
            wait = pool.submit(kernel.ask, lambda: kernel.outside(lambda: others_ran.wait(PATIENCE_S)), name="caller")
            assert kernel.ask(lambda: kernel.outside(lambda: "heard"), name="other") == "heard"
            kernel.post(others_ran.set, name="last")
            assert wait.result(PATIENCE_S)


def test_the_error_of_a_call_outside_is_the_callers() -> None:
    """What a call outside raises is raised where the invocation waits, and what work raises is its asker's."""
    nothing = dict[str, int]()
    with _living() as kernel:

        def work() -> None:
            try:
                kernel.outside(lambda: nothing["there"])
            except KeyError:
                raise ValueError("seen inside") from None

        with pytest.raises(ValueError, match="seen inside"):
            kernel.ask(work, name="work")


def test_work_from_many_threads_runs_one_at_a_time() -> None:
    """Work that many threads hand in at once runs whole, each piece by itself, and each thread gets its own answer."""
    with _living() as kernel:
        inside = list[int]()

        def work(number: int) -> int:
            inside.append(number)
            assert len(inside) == 1
            inside.pop()
            return number

        with ThreadPoolExecutor(16) as pool:
            answers = list(pool.map(lambda number: kernel.ask(lambda: work(number), name="work"), range(200)))
    assert answers == list(range(200))


def test_only_an_invocation_waits_outside() -> None:
    """A call outside from no invocation is our own bug."""
    kernel = LiveKernel(timeline=Timeline.starting(START, 60.0), seed=1)
    with pytest.raises(RuntimeError, match="only an invocation"):
        kernel.outside(lambda: None)
    kernel.close()


def test_what_is_handed_in_after_the_end_is_refused() -> None:
    """After `stop` a run ends at once, and both post and ask are CancelledError."""
    with _living() as kernel:
        kernel.stop()
        with pytest.raises(CancelledError):
            kernel.post(lambda: None, name="late")
        with pytest.raises(CancelledError):
            kernel.ask(lambda: None, name="late")


def test_the_end_leaves_nobody_waiting() -> None:
    """Who waits for an answer when the world closes is told, whether the work had begun or not."""
    kernel = LiveKernel(timeline=Timeline.starting(START, 60.0), seed=1)
    told, begun = threading.Semaphore(0), threading.Event()

    def ask(work: Callable[[], object]) -> None:
        with pytest.raises(CancelledError):
            kernel.ask(work, name="ask")
        told.release()

    def sleep() -> None:
        begun.set()
        kernel.sleep(1e6)

    threads = [_in_a_thread(lambda: ask(sleep))]
    while not begun.is_set():
        kernel.run(kernel.now() + timedelta(seconds=1))
    threads.append(_in_a_thread(lambda: ask(lambda: None)))
    while not kernel._inbox:
        begun.wait(0.01)
    kernel.close()
    assert [told.acquire(timeout=PATIENCE_S) for _ in threads] == [True, True]
    for thread in threads:
        thread.join(PATIENCE_S)


def test_the_end_waits_for_no_call_outside() -> None:
    """A call that is under way outside when the world closes ends unheard: its invocation ends at once."""
    kernel, release, ended = LiveKernel(timeline=Timeline.starting(START, 60.0), seed=1), threading.Event(), list[str]()

    def work() -> None:
        try:
            kernel.outside(lambda: release.wait(PATIENCE_S))
        finally:
            ended.append("clean")
            kernel.outside(lambda: ended.append("never"))

    kernel.spawn(work, name="work")
    kernel.run(kernel.now())
    kernel.close()
    assert ended == ["clean"]
    release.set()


def test_what_escapes_an_invocation_is_raised_from_run() -> None:
    """An error that nobody catches ends the run and is raised there, however it came in."""
    kernel = LiveKernel(timeline=Timeline.starting(START, 60.0), seed=1)

    def fail() -> None:
        raise LookupError("escaped")

    kernel.post(fail, name="fails")
    with pytest.raises(LookupError, match="escaped"):
        kernel.run(FOREVER)
    kernel.close()


def test_time_passes_at_the_timelines_speed_and_in_order() -> None:
    """Work runs when its instant has come on the timeline, never before, and the kernel's time never goes back."""
    timeline = Timeline.starting(START, 60.0)
    kernel, seen = LiveKernel(timeline=timeline, seed=1), list[tuple[datetime, datetime]]()
    for seconds in (30, 12, 0, 21):
        at = START + timedelta(seconds=seconds)
        kernel.spawn(lambda: seen.append((kernel.now(), timeline.now())), at=at, name="work")
    kernel.run(START + timedelta(seconds=30))
    kernel.run(START)
    assert kernel.now() >= START + timedelta(seconds=30)
    assert [now for now, _ in seen] == sorted(now for now, _ in seen)
    assert all(now <= real for now, real in seen)
    assert len(seen) == 4
    kernel.close()


def test_a_timeline_translates_wall_time() -> None:
    """So many real seconds are `speed` times as many on the timeline, forth and back."""
    timeline = Timeline.starting(START, 20.0)
    before = timeline.now()
    wall, after = datetime.now(UTC), timeline.now()
    assert before - MARGIN <= timeline.seen(wall) <= after + MARGIN
    assert abs(timeline.seen(wall) - timeline.seen(wall - timedelta(hours=3)) - timedelta(hours=60)) < MARGIN
    assert timeline.real_s(timedelta(minutes=1)) == 3.0


def test_a_paced_clock_waits_until_its_instant() -> None:
    """A wait ends when its instant has come on the timeline, and one for the past at once."""
    clock = PacedClock(Timeline.starting(START, 60.0))
    at = clock.now() + timedelta(seconds=6)
    clock.sleep_until(at)
    assert clock.now() >= at
    clock.sleep_until(START - timedelta(days=1))


def test_held_time_stands_until_it_begins_for_all(tmp_path: Path) -> None:
    """Before somebody begins it a held time stands still; afterwards every process that knows its file has the same."""
    ours, theirs = (HeldTimeline(tmp_path / "time.json", at=START) for _ in range(2))
    assert {ours.now(), ours.now(), theirs.now()} == {START}
    assert (theirs.speed, theirs.real_s(timedelta(seconds=2))) == (0.0, 2.0)
    ours.begin(20.0)
    wall = datetime.now(UTC)
    assert abs(ours.seen(wall) - theirs.seen(wall)) < MARGIN
    assert theirs.now() >= START
    assert (theirs.speed, theirs.real_s(timedelta(seconds=20))) == (20.0, 1.0)


def test_a_kernel_that_fell_behind_hears_between_the_pieces() -> None:
    """An answer from outside is heard while the kernel catches up, and not only after all that was due before."""
    held = Timeline(at=START, began_s=time.monotonic() - 20.0)
    kernel = LiveKernel(timeline=Timeline(at=START, began_s=time.monotonic()), seed=1)
    seen: list[str] = []

    def ask() -> None:
        kernel.outside(lambda: None)
        seen.append("answer")

    def due() -> None:
        assert _soon(lambda: bool(kernel._inbox) or "answer" in seen)
        seen.append("due")

    kernel.spawn(ask, name="asks")
    for step in range(1, 40):
        at = START + timedelta(milliseconds=200 * step)
        kernel.spawn(due, at=at, name="due")
    kernel._timeline = held  # twenty seconds late, as a machine that was busy
    kernel.run(START + timedelta(seconds=10))
    kernel.close()
    assert "answer" in seen[:2]
    assert seen.count("due") == 39
