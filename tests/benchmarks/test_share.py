"""The limiter holds a busy process to its share, by each way that this machine permits."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.benchmarks.process_tree import cpu_s, memory, pids
from tests.benchmarks.share import WAYS, Cgroup, Limiter, limited
from tests.patience import PATIENCE_S

# A parent with a child, both busy; each gets another child while the limit is in force.
BUSY = """
import os, time
os.fork()
latest = time.monotonic() + 0.5
while time.monotonic() < latest:
    pass
os.fork()
while True:
    pass
"""
SHARE = 0.25
WATCHED_S = 2.0
LOOKS = 3
"""A machine that holds up the keeper can spoil one look at what it keeps; a broken limiter spoils them all."""


@contextmanager
def running(code: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run Python code as a process, with whatever it starts, and end all of it."""
    with subprocess.Popen([sys.executable, "-c", code]) as process:  # noqa: S603 - our own words
        try:
            yield process
        finally:
            for pid in reversed(pids(process.pid)):
                subprocess.run(["kill", "-KILL", str(pid)], check=False)  # noqa: S603, S607 - fixed words


def looks(*trees: int) -> Iterator[tuple[float, ...]]:
    """Look a few times for a while: what each tree used of CPU, and how long that was, in seconds."""
    for _ in range(LOOKS):
        began, before = time.monotonic(), [cpu_s(one) for one in trees]
        time.sleep(WATCHED_S)
        lasted_s = time.monotonic() - began
        yield (*(cpu_s(one) - earlier for one, earlier in zip(trees, before, strict=True)), lasted_s)


def state(pid: int) -> str:
    """Give the letter of a process's state; T is stopped."""
    return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]


@pytest.fixture(params=WAYS)
def limiter(request: pytest.FixtureRequest) -> Iterator[Limiter]:
    """Return a limiter of each kind that this machine permits."""
    try:
        limit = WAYS[request.param](SHARE)
    except OSError as problem:
        pytest.skip(f"{request.param}: {problem}")
    try:
        yield limit
    finally:
        limit.close()


def test_a_busy_tree_gets_its_share(limiter: Limiter) -> None:
    """Busy processes, one of them born under the limit, use about their share together while a free one uses more."""
    with running(BUSY) as held, running("while True: pass") as free:
        limiter.attach(held.pid)
        while len(pids(held.pid)) < 4:
            time.sleep(0.02)
        # At least: against the free one and not against the clock, since a loaded machine has less for both.
        assert any(
            0.4 * SHARE * used_free_s <= used_s <= 1.6 * SHARE * lasted_s
            for used_s, used_free_s, lasted_s in looks(held.pid, free.pid)
        )


def test_one_that_goes_on_by_itself_is_stopped_again() -> None:
    """A process of a stopped tree that another one wakes has no more than its share for that."""
    with running("while True: pass") as held, limited(SHARE, (WAYS["duty cycle"],)) as limiter:
        limiter.attach(held.pid)
        while state(held.pid) != "T":
            time.sleep(0.001)
        held.send_signal(signal.SIGCONT)
        assert any(used_s <= 1.6 * SHARE * lasted_s for used_s, lasted_s in looks(held.pid))


def test_what_is_let_go_runs_freely() -> None:
    """After the limiter is closed, by whichever way it limits, its process runs on and is stopped no more."""
    with running("while True: pass") as process:
        with limited(0.1, (WAYS["duty cycle"],)) as limiter:
            limiter.attach(process.pid)
            time.sleep(0.3)
        assert state(process.pid) != "T"
        with limited(0.1) as limiter:
            limiter.attach(process.pid)
        before, end = cpu_s(process.pid), time.monotonic() + PATIENCE_S
        while cpu_s(process.pid) <= before:
            assert time.monotonic() < end, "it runs no more"
            time.sleep(0.02)


def test_a_way_that_is_not_permitted_gives_way_to_the_next(tmp_path: Path) -> None:
    """A limiter that cannot be made is passed over for the next, and when none can be made that is an error."""

    def forbidden(share: float) -> Limiter:
        return Cgroup(share, tmp_path / "nowhere", version=1)

    with limited(SHARE, (forbidden, WAYS["duty cycle"])) as limiter:
        assert limiter.way.startswith("duty cycle")
    with pytest.raises(OSError, match="nowhere"), limited(SHARE, (forbidden,)):
        pass


def test_a_quota_of_version_two_is_one_file(tmp_path: Path) -> None:
    """A group of version 2 has its share of 100 ms in `cpu.max`, and its parent hands the controller down."""
    (tmp_path / "cgroup.subtree_control").touch()
    Cgroup(0.333, tmp_path, version=2)
    (group,) = (one for one in tmp_path.iterdir() if one.is_dir())
    assert (group / "cpu.max").read_text(encoding="utf-8") == "33300 100000"
    assert (tmp_path / "cgroup.subtree_control").read_text(encoding="utf-8") == "+cpu"


def test_memory_of_a_tree_counts_shared_pages_once() -> None:
    """A fork that shares its parent's pages adds little to the tree's proportional size."""
    filled = "import os, time; kept = b'x' * 60_000_000; os.fork(); time.sleep(60)"
    with running(filled) as process:
        while len(pids(process.pid)) < 2:
            time.sleep(0.02)
        used = memory(process.pid)
    assert used.largest_rss_mb > 60
    assert 60 < used.pss_mb < 1.5 * used.largest_rss_mb
    with pytest.raises(ProcessLookupError):
        memory(process.pid)
