"""How far the scan's ticks fall behind their seconds, read from its own journal.

A tick begins with a request for quotes, and the journal tells of each when it was sent. It does not name the second
that a tick was for, but a tick is never early, each second has at most one, and they come in order. So each request is
taken for the latest second that leaves room for those after it: exact where no tick was left out, else the smallest
lateness that the requests allow. Ticks that were left out are counted.
"""

import statistics
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from shared.usecases.scanning.scan import TICKS
from shared.usecases.scanning.scanned import SECOND

_MILLISECOND = timedelta(milliseconds=1)
_TRACE = "logging.googleapis.com/trace"  # one for each message, so one for each minute
_P99 = 98  # of the cuts between a hundred parts


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One request to the broker: when it was sent and how long its answer took.

    `symbols` is of a request for quotes, of which a tick may make several side by side: `call` numbers them.
    """

    at: datetime
    ms: int
    attempt: int
    symbols: int | None
    call: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Minute:
    """One minute of the scan: how late each of its ticks was, what it used and what it asked the broker."""

    begins: datetime
    late_ms: tuple[float, ...]
    quote_ms: tuple[int, ...]
    cpu_s: float
    calls: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """The figures of some minutes together; `ticks`, `cpu_s` and `calls` are of one minute, in the mean."""

    minutes: int
    ticks: float
    fewest_ticks: int
    late_p50_ms: float
    late_p99_ms: float
    latest_ms: float
    quote_p50_ms: float
    cpu_s: float
    calls: float


def scanned(lines: Iterable[Mapping[str, Any]]) -> dict[datetime, list[Asked]]:
    """Give the requests of each minute that was scanned to its end, by one invocation or by two.

    A minute that overran lies beside the next one.
    """
    under_way: dict[str, list[Asked]] = {}
    ahead: dict[datetime, list[Asked]] = {}
    done: dict[datetime, list[Asked]] = {}
    for line in lines:
        if line.get("event") == "broker_call":
            under_way.setdefault(line[_TRACE], []).append(_asked(line))
        elif line.get("event") == "minute_scanned":
            done[datetime.fromisoformat(line["minute"])] = under_way.pop(line[_TRACE], [])
        elif line.get("event") == "scan_handed_over":
            ahead[datetime.fromisoformat(line["minute"])] = under_way.pop(line[_TRACE], [])
    return {begins: [*ahead.get(begins, []), *asked] for begins, asked in done.items()}


def minute(begins: datetime, asked: Sequence[Asked], *, cpu_s: float) -> Minute:
    """Give the figures of the minute that begins at an instant, from its requests; without any it has no ticks."""
    quotes = [one for one in asked if one.symbols is not None]
    return Minute(
        begins=begins, late_ms=lateness(begins, list(_first_of_ticks(quotes))),
        quote_ms=tuple(one.ms for one in quotes), cpu_s=cpu_s, calls=len(asked),
    )  # fmt: skip


def lateness(begins: datetime, first: Sequence[datetime]) -> tuple[float, ...]:
    """Give the milliseconds by which each tick's first request was behind its second.

    Raises ValueError for more requests than the seconds before them.
    """
    late, following = [], TICKS
    for at in reversed(first):
        following = min((at - begins) // SECOND, following - 1)
        if following < 0:
            raise ValueError(f"{len(first)} ticks in the minute {begins.isoformat()}, the first too early for them")
        late.append((at - begins - following * SECOND) / _MILLISECOND)
    return tuple(reversed(late))


def drift(minutes: Sequence[Minute]) -> Drift:
    """Put minutes together."""
    late = sorted(one for each in minutes for one in each.late_ms)
    return Drift(
        minutes=len(minutes),
        ticks=statistics.mean(len(each.late_ms) for each in minutes),
        fewest_ticks=min(len(each.late_ms) for each in minutes),
        late_p50_ms=statistics.median(late),
        late_p99_ms=statistics.quantiles(late, n=100, method="inclusive")[_P99],
        latest_ms=late[-1],
        quote_p50_ms=statistics.median(ms for each in minutes for ms in each.quote_ms),
        cpu_s=statistics.mean(each.cpu_s for each in minutes),
        calls=statistics.mean(each.calls for each in minutes),
    )


def _asked(line: Mapping[str, Any]) -> Asked:
    ms = int(line["ms"])
    return Asked(
        at=datetime.fromisoformat(line["at"]) - ms * _MILLISECOND, ms=ms, attempt=line["attempt"],
        symbols=line["symbols"] if line["endpoint"] == "quotes" else None, call=line.get("call", 1),
    )  # fmt: skip


def _first_of_ticks(quotes: Iterable[Asked]) -> Iterator[datetime]:
    """Give the instants of those that begin a tick: not a repetition, and not a further call of the same tick."""
    yield from sorted(one.at for one in quotes if one.attempt == 1 and one.call == 1)
