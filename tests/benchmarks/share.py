"""Gives a process tree a share of one CPU, as the cloud does: 33 ms of every 100 ms at 0.333 (google-cloud.md 9.6).

    with limited(0.333) as limiter:
        limiter.attach(pid)            the process, its children, and all that they start from now on

The kernel does it where it lets us: a quota of a control group, version 1 or 2. Elsewhere the tree is stopped for the
rest of a period once it has used its part (SIGSTOP, SIGCONT): coarser, since it looks only every few milliseconds.
`limiter.way` says which it is.
"""

import itertools
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Protocol

from tests.benchmarks import process_tree

PERIOD_S = 0.1
_LOOK_S = 0.004
_MOUNTS = Path("/proc/self/mountinfo")
_numbers = itertools.count(1)


class Limiter(Protocol):
    """Holds the trees that are attached to it to one share, together."""

    way: str

    def attach(self, pid: int) -> None:
        """Limit a process and its descendants, present and coming."""

    def close(self) -> None:
        """Let go of what still runs."""


Way = Callable[[float], Limiter]


class Cgroup:
    """A control group with a quota; raises OSError where it may not be made."""

    def __init__(self, share: float, parent: Path, *, version: int) -> None:
        self.way = f"cgroup v{version} quota"
        self._parent = parent
        self._group = parent / f"share-{os.getpid()}-{next(_numbers)}"
        period_us = round(PERIOD_S * 1_000_000)
        quota_us = round(share * period_us)
        control = parent / "cgroup.subtree_control"
        if version == 2 and "cpu" not in control.read_text(encoding="utf-8").split():
            control.write_text("+cpu", encoding="utf-8")
        self._group.mkdir()
        try:
            if version == 2:
                (self._group / "cpu.max").write_text(f"{quota_us} {period_us}")
            else:
                (self._group / "cpu.cfs_period_us").write_text(str(period_us))
                (self._group / "cpu.cfs_quota_us").write_text(str(quota_us))
        except OSError:
            self._group.rmdir()
            raise

    def attach(self, pid: int) -> None:
        """Move the tree into the group, again until nobody is outside: a process may fork while it is moved."""
        inside: set[int] = set()
        while outside := [one for one in process_tree.pids(pid) if one not in inside]:
            _move(outside, self._group)
            inside.update(outside)

    def close(self) -> None:
        """Move who is left to the parent group and remove this one, once the kernel has seen the dead off."""
        _move([int(pid) for pid in (self._group / "cgroup.procs").read_text().split()], self._parent)
        for _ in range(50):
            with suppress(OSError):
                self._group.rmdir()
                return
            time.sleep(0.02)


class DutyCycle:
    """Stops the trees when they have used their part of a period, and lets them go on in the next."""

    way = "duty cycle of SIGSTOP and SIGCONT"

    def __init__(self, share: float) -> None:
        self._share = share
        self._roots: tuple[int, ...] = ()
        self._done = threading.Event()
        self._keeper = threading.Thread(target=self._keep, name="duty cycle", daemon=True)
        self._keeper.start()

    def attach(self, pid: int) -> None:
        """Take a tree under the share from the next look on."""
        self._roots = (*self._roots, pid)

    def close(self) -> None:
        """Stop looking and let everything go on."""
        self._done.set()
        self._keeper.join()
        self._send(signal.SIGCONT)

    def _keep(self) -> None:
        part_s = self._share * PERIOD_S
        left_s = part_s
        while not self._done.is_set():
            # What was used beyond a part is owed by the next periods; what was not used is not saved.
            left_s = min(part_s, left_s + part_s)
            ends_at = time.monotonic() + PERIOD_S
            if left_s > 0:
                self._send(signal.SIGCONT)
            used_s = {root: process_tree.cpu_s(root) for root in self._roots}
            while (rest := ends_at - time.monotonic()) > 0 and not self._done.wait(min(rest, _LOOK_S)):
                # At every look: one that was born while its tree was stopped, or was woken by another, runs otherwise.
                if self._spent(used_s) >= left_s:
                    self._send(signal.SIGSTOP)
            left_s -= self._spent(used_s)

    def _spent(self, before: dict[int, float]) -> float:
        return sum(max(0.0, process_tree.cpu_s(root) - before.get(root, 0.0)) for root in self._roots)

    def _send(self, number: signal.Signals) -> None:
        for root in self._roots:
            for pid in process_tree.pids(root):
                with suppress(ProcessLookupError):
                    os.kill(pid, number)


def _move(those: Sequence[int], group: Path) -> None:
    for pid in those:
        with suppress(ProcessLookupError):
            (group / "cgroup.procs").write_text(str(pid))


def _by_kernel(version: int, kind: str, word: str) -> Way:
    def make(share: float) -> Limiter:
        for line in _MOUNTS.read_text(encoding="utf-8").splitlines():
            place, _, mounted = line.partition(" - ")
            if mounted.split()[0] == kind and (not word or word in mounted.split()[-1].split(",")):
                return Cgroup(share, Path(place.split()[4]), version=version)
        raise FileNotFoundError(f"no {kind} is mounted")

    return make


WAYS: dict[str, Way] = {
    "cgroup v1": _by_kernel(1, "cgroup", "cpu"),
    "cgroup v2": _by_kernel(2, "cgroup2", ""),
    "duty cycle": DutyCycle,
}
"""From the best to the one that works everywhere."""


@contextmanager
def limited(share: float, ways: Sequence[Way] = tuple(WAYS.values())) -> Iterator[Limiter]:
    """Give a limiter by the first way that this machine permits; raises OSError when it permits none."""
    limiter = _first(share, ways)
    try:
        yield limiter
    finally:
        limiter.close()


def _first(share: float, ways: Sequence[Way]) -> Limiter:
    problems: list[Exception] = []
    for way in ways:
        try:
            return way(share)
        except OSError as problem:
            problems.append(problem)
    raise OSError("; ".join(map(str, problems)))
