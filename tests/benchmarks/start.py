"""One cold start: a process from its birth to its first answer, and what it holds then."""

import statistics
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from tests.benchmarks.process_tree import Memory, cpu_s, memory
from tests.benchmarks.share import limited
from tests.benchmarks.subjects import Subject
from tests.packaging.graph import GOOD, NO_CLOUD
from tests.packaging.processes import START_TIMEOUT_S, Served, started

_LOOK_S = 0.003


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """One start: seconds by the clock and of CPU until the first answer, memory of the process tree after it."""

    first_answer_s: float
    cpu_s: float
    memory: Memory


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """The medians of a subject's starts, and of their ratios to the baseline's start of the same round."""

    first_answer_s: float
    fastest_s: float
    cpu_s: float
    pss_mb: float
    largest_rss_mb: float
    ratio: float
    cpu_ratio: float


def start(subject: Subject, share: float | None = None) -> Start:
    """Start a subject, under a share of one CPU when there is one, wait for its first answer and end it."""
    with ExitStack() as stack:
        limiter = None if share is None else stack.enter_context(limited(share))
        began = time.monotonic()
        running = stack.enter_context(started(subject.runnable, {**NO_CLOUD, **GOOD, **subject.environ}))
        pid = running.process.pid
        if limiter is not None:
            limiter.attach(pid)
        status = _first_answer(running, subject)
        lasted_s = time.monotonic() - began
        if status >= 500:
            raise RuntimeError(f"{subject.name} answered {status}: {running.log.read_text(encoding='utf-8')}")
        return Start(first_answer_s=lasted_s, cpu_s=cpu_s(pid), memory=memory(pid))


def figures(starts: Sequence[Start], baseline: Sequence[Start]) -> Figures:
    """Give the medians; each start is compared with the baseline's of the same place in its sequence."""

    def median(of: Callable[[Start], float]) -> float:
        return statistics.median(map(of, starts))

    def ratio(of: Callable[[Start], float]) -> float:
        return statistics.median(of(ours) / of(theirs) for ours, theirs in zip(starts, baseline, strict=True))

    return Figures(
        first_answer_s=median(lambda one: one.first_answer_s),
        fastest_s=min(one.first_answer_s for one in starts),
        cpu_s=median(lambda one: one.cpu_s),
        pss_mb=median(lambda one: one.memory.pss_mb),
        largest_rss_mb=median(lambda one: one.memory.largest_rss_mb),
        ratio=ratio(lambda one: one.first_answer_s),
        cpu_ratio=ratio(lambda one: one.cpu_s),
    )


def _first_answer(running: Served, subject: Subject) -> int:
    latest = time.monotonic() + START_TIMEOUT_S
    while True:
        try:
            return running.request("GET", subject.path)
        except OSError:
            if running.process.poll() is not None or time.monotonic() > latest:
                log = running.log.read_text(encoding="utf-8")
                raise RuntimeError(f"{subject.name} does not answer: {log}") from None
            time.sleep(_LOOK_S)
