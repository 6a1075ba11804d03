"""One time for several processes: the wall clock, or a simulated day that runs beside it at a fixed speed."""

import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from shared.frozen import frozen


@frozen
class Timeline:
    """At the machine's monotonic second `began_s` it was `at`, and `speed` seconds pass in one real second.

    Every process of a machine reads the same monotonic clock: no correction of the wall clock moves it, and it stands
    still while the machine sleeps. `began_s` None is the wall clock itself.
    """

    at: datetime
    began_s: float | None = None
    speed: float = 1.0

    @classmethod
    def real(cls) -> "Timeline":
        """Give the wall clock itself."""
        return cls(at=datetime.now(UTC))

    @classmethod
    def starting(cls, at: datetime, speed: float) -> "Timeline":
        """Give a simulated time that stands at `at` now."""
        return cls(at=at, began_s=time.monotonic(), speed=speed)

    def now(self) -> datetime:
        """Give the present instant, in UTC."""
        if self.began_s is None:
            return datetime.now(UTC)
        return self.at + timedelta(seconds=(time.monotonic() - self.began_s) * self.speed)

    def seen(self, wall: datetime) -> datetime:
        """Translate an instant of the wall clock."""
        return self.now() - (datetime.now(UTC) - wall) * self.speed

    def real_s(self, span: timedelta) -> float:
        """Give the real seconds that a span of this time takes."""
        return span.total_seconds() / self.speed


class HeldTimeline:
    """A simulated time that stands at `at` until somebody begins it, for every process that knows its file.

    So nothing of a simulated day passes while its processes are still starting.
    """

    def __init__(self, path: Path, *, at: datetime) -> None:
        self._path = path
        self._at = at
        self._begun: Timeline | None = None

    def begin(self, speed: float) -> None:
        """Let time pass from now on, here and in every other process."""
        self._begun = Timeline.starting(self._at, speed)
        plain = {"began_s": self._begun.began_s, "at": self._at.isoformat(), "speed": speed}
        beside = self._path.with_name(f".{self._path.name}")
        beside.write_text(json.dumps(plain), encoding="utf-8")
        beside.replace(self._path)

    def now(self) -> datetime:
        """Give the present instant, in UTC."""
        timeline = self._timeline()
        return self._at if timeline is None else timeline.now()

    def seen(self, wall: datetime) -> datetime:
        """Translate an instant of the wall clock."""
        timeline = self._timeline()
        return self._at if timeline is None else timeline.seen(wall)

    def real_s(self, span: timedelta) -> float:
        """Give the real seconds that a span of this time takes; one for one while it stands."""
        timeline = self._timeline()
        return span.total_seconds() if timeline is None else timeline.real_s(span)

    @property
    def speed(self) -> float:
        """Seconds that pass in a real one; 0 while it stands."""
        timeline = self._timeline()
        return 0.0 if timeline is None else timeline.speed

    def _timeline(self) -> Timeline | None:
        if self._begun is None and self._path.exists():
            plain = json.loads(self._path.read_bytes())
            at = datetime.fromisoformat(plain["at"])
            self._begun = Timeline(at=at, began_s=plain["began_s"], speed=plain["speed"])
        return self._begun


AnyTimeline = Timeline | HeldTimeline


class PacedClock:
    """The Clock port on a timeline: waits really, by the monotonic clock."""

    def __init__(self, timeline: AnyTimeline) -> None:
        self._timeline = timeline

    def now(self) -> datetime:
        """Give the timeline's present instant, in UTC."""
        return self._timeline.now()

    def sleep_until(self, at: datetime) -> None:
        """Wait until `at`; return at once when it has passed."""
        end = time.monotonic() + self._timeline.real_s(at - self.now())
        while (left := end - time.monotonic()) > 0:
            time.sleep(left)
