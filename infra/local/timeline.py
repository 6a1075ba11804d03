"""One time for several processes: the wall clock, or a simulated day that runs beside it at a fixed speed."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """At the wall's instant `wall` it was `at`, and `speed` seconds pass in one of the wall's."""

    wall: datetime
    at: datetime
    speed: float = 1.0

    @classmethod
    def real(cls) -> "Timeline":
        """Give the wall clock itself."""
        now = datetime.now(UTC)
        return cls(wall=now, at=now)

    @classmethod
    def starting(cls, at: datetime, speed: float) -> "Timeline":
        """Give a simulated time that stands at `at` now."""
        return cls(wall=datetime.now(UTC), at=at, speed=speed)

    def now(self) -> datetime:
        """Give the present instant, in UTC."""
        return self.seen(datetime.now(UTC))

    def seen(self, wall: datetime) -> datetime:
        """Translate an instant of the wall clock."""
        return self.at + (wall - self.wall) * self.speed

    def real_s(self, span: timedelta) -> float:
        """Give the real seconds that a span of this time takes."""
        return span.total_seconds() / self.speed


class PacedClock:
    """The Clock port on a timeline: waits really, by the monotonic clock."""

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline

    def now(self) -> datetime:
        """Give the timeline's present instant, in UTC."""
        return self._timeline.now()

    def sleep_until(self, at: datetime) -> None:
        """Wait until `at`; return at once when it has passed."""
        end = time.monotonic() + self._timeline.real_s(at - self.now())
        while (left := end - time.monotonic()) > 0:
            time.sleep(left)
