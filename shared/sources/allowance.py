"""What a source lets us ask: never more calls than its limits, and none while it wants to be left alone.

What can go wrong: a universe of symbols is asked at once and the source closes its door for hours; a library repeats a
refused call by itself and makes it worse; a message that comes again begins the day's calls anew. What this promises:
calls leave evenly, `per_minute` of them; beyond `per_day` in a day of New York, and for as long as a 429 asks, nothing
leaves at all, and `SourceRefused` says for how long. A 429 that names no time is believed for a minute, the next one
for twice as long, up to an hour. The lock guards only the reservation and is never held while anybody waits.
"""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from email.utils import parsedate_to_datetime
from threading import Lock
from typing import Protocol

from shared.domain.base.calendar import new_york_day, next_midnight
from shared.errors import SourceRefused
from shared.ports import Clock

_FIRST_REST_S = 60.0
_LONGEST_REST_S = 3600.0
_LONGEST_ASKED_S = 24 * 3600.0
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


class Budget(Protocol):
    """The calls of a day, counted for all who share a source's budget."""

    def spend(self, source: str, day: date) -> int:
        """Count one more call and give how many the day has with it; raises StoreDown."""
        ...


@dataclass(slots=True)
class OwnBudget:
    """The calls of a day, counted in this process alone: a new process begins at none."""

    _calls: dict[tuple[str, date], int] = field(default_factory=dict)

    def spend(self, source: str, day: date) -> int:
        """Count one more call and give how many the day has with it."""
        self._calls = {key: calls for key, calls in self._calls.items() if key[1] == day}
        self._calls[source, day] = self._calls.get((source, day), 0) + 1
        return self._calls[source, day]


class Allowance:
    """The calls that one source still gets from here; safe for any number of threads."""

    def __init__(
        self, source: str, *, clock: Clock, per_minute: int, per_day: int, budget: Budget | None = None
    ) -> None:
        self._source = source
        self._clock = clock
        self._interval = timedelta(minutes=1) / per_minute
        self._per_day = per_day
        self._budget = budget or OwnBudget()
        self._next_at = self._rests_until = _LONG_AGO
        self._strikes = 0
        self._lock = Lock()

    def take(self) -> None:
        """Wait for the turn of one call; raises SourceRefused while the source rests or the day is spent."""
        now = self._clock.now()
        if now < self._rests_until:
            raise self._resting(now)
        with self._lock:
            calls = self._budget.spend(self._source, new_york_day(now))
            at = max(now, self._next_at)
            self._next_at = at + self._interval
        if calls > self._per_day:
            wait_s = (next_midnight(now) - now).total_seconds()
            raise SourceRefused(f"{self._source}: the {self._per_day} calls of the day are made", wait_s=wait_s)
        self._clock.sleep_until(at)

    def refused(self, retry_after: str | None, reset: str | None = None) -> SourceRefused:
        """Rest after a 429, for as long as its Retry-After or its reset (a Unix time) asks, and give what to raise."""
        now = self._clock.now()
        asked = _asked_s(retry_after, now)
        if asked is None and reset is not None and reset.isdecimal():
            asked = int(reset) - now.timestamp()
        with self._lock:
            rest = min(_FIRST_REST_S * 2**self._strikes, _LONGEST_REST_S)
            self._strikes += 1
            if asked is not None:
                rest = min(max(asked, 1.0), _LONGEST_ASKED_S)
            self._rests_until = max(self._rests_until, now + timedelta(seconds=rest))
        return self._resting(now)

    def answered(self) -> None:
        """Forget the refusals of before: the source answers again."""
        self._strikes = 0

    def _resting(self, now: datetime) -> SourceRefused:
        wait_s = (self._rests_until - now).total_seconds()
        return SourceRefused(
            f"{self._source}: too many calls (429); nothing is asked for {wait_s:.0f} s", wait_s=wait_s
        )


def _asked_s(retry_after: str | None, now: datetime) -> float | None:
    """Read a Retry-After, in seconds or as a date; None where there is none that can be read."""
    if retry_after is None:
        return None
    if retry_after.strip().isdecimal():
        return float(min(int(retry_after), int(_LONGEST_ASKED_S)))
    try:
        at = parsedate_to_datetime(retry_after)
    except ValueError:
        return None
    return (at.replace(tzinfo=at.tzinfo or UTC) - now).total_seconds()
