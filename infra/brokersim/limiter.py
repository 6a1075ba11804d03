"""Counts admitted calls of one module so that the promised rate is exact."""

from __future__ import annotations

from collections import deque
from datetime import datetime, timedelta

from infra.brokersim.settings import Limit

_SECOND = timedelta(seconds=1)


class Limiter:
    """Admits at most N calls in any one-second window and M in any clock hour; refused calls do not count.

    The window slides: it holds the admitted calls of the second before now, so no burst at a second's edge
    passes. Source: fact sheet, section 6 (the hourly count restarts at the top of the hour). `bears` shortens the
    window: where time is scaled, what a machine delays by milliseconds is that many times longer here.
    """

    def __init__(self, limit: Limit) -> None:
        self.bears = timedelta(0)
        self._limit = limit
        self._recent: deque[datetime] = deque()
        self._hour: datetime | None = None
        self._in_hour = 0

    def admit(self, at: datetime) -> bool:
        """Whether a call arriving at `at` may pass; counts it if so."""
        while self._recent and self._recent[0] <= at - _SECOND + self.bears:
            self._recent.popleft()
        hour = at.replace(minute=0, second=0, microsecond=0)
        if hour != self._hour:
            self._hour, self._in_hour = hour, 0
        if len(self._recent) >= self._limit.per_second or self._in_hour >= self._limit.per_hour:
            return False
        self._recent.append(at)
        self._in_hour += 1
        return True
