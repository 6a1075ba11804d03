"""What a process and its children use together: memory and CPU, read from /proc (Linux).

Memory is told in two ways. PSS divides each page by those who share it, so its sum over the tree is what the tree adds
to the machine, close to what a limit counts; the interpreter's own pages are in it only in part when other programs
have them too. RSS counts shared pages in every process: its largest value is what one process would show in `top`.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")
_KIB_PER_MB = 1000 / 1.024
_CPU_CLOCK = 2  # clock_getcpuclockid(3): the clock of a process is ~pid, shifted by three bits, and this kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """Megabytes (10^6 bytes) of a process tree."""

    pss_mb: float
    largest_rss_mb: float


def pids(root: int) -> tuple[int, ...]:
    """Give a living process and all its living descendants, parents first; empty when it has ended."""
    children: dict[int, list[int]] = {}
    for entry in _PROC.iterdir():
        if entry.name.isdecimal() and (parent := _parent(int(entry.name))) is not None:
            children.setdefault(parent, []).append(int(entry.name))
    return tuple(_walk(root, children)) if _parent(root) is not None else ()


def memory(root: int) -> Memory:
    """Give the memory of a tree now; raises ProcessLookupError when it has ended."""
    sizes = [size for pid in pids(root) if (size := _sizes(pid)) is not None]
    if not sizes:
        raise ProcessLookupError(root)
    return Memory(
        pss_mb=sum(pss for pss, _ in sizes) / _KIB_PER_MB, largest_rss_mb=max(rss for _, rss in sizes) / _KIB_PER_MB
    )


def cpu_s(root: int) -> float:
    """Give the CPU seconds that the living processes of a tree have used since each of them began."""
    return sum(_cpu_s(pid) for pid in pids(root))


def _walk(root: int, children: dict[int, list[int]]) -> Iterator[int]:
    yield root
    for child in children.get(root, ()):
        yield from _walk(child, children)


def _parent(pid: int) -> int | None:
    try:
        stat = (_PROC / str(pid) / "stat").read_text()
    except OSError:
        return None
    state, parent = stat.rpartition(")")[2].split()[:2]
    return None if state in "ZX" else int(parent)


def _sizes(pid: int) -> tuple[int, int] | None:
    try:
        lines = (_PROC / str(pid) / "smaps_rollup").read_text().splitlines()
    except OSError:
        return None
    fields = {name: rest for name, _, rest in (line.partition(":") for line in lines)}
    return int(fields["Pss"].split()[0]), int(fields["Rss"].split()[0])


def _cpu_s(pid: int) -> float:
    try:
        return time.clock_gettime(~pid << 3 | _CPU_CLOCK)
    except OSError:
        return 0.0
