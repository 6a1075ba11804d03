"""The simulated time of a desk over its restarts: it stands still while the desk is down, and never goes back.

A killed process has no last word. So an instant that lies ahead is written down again and again before time gets
there, and the next start begins at the one that is written: a kill skips a moment, at most `AHEAD_S` real seconds'
worth of it; an orderly end writes the exact instant. Where the disk refused to take it, the simulated broker's last
call is what the next start does not go behind.
"""

from datetime import datetime, timedelta
from pathlib import Path

from infra.one_machine.timeline import AnyTimeline
from infra.simulated_day.files import write_atomically
from infra.simulated_day.problems import UserError

FILE = "instant"
AHEAD_S = 3.0
EVERY_S = 1.0


class KeptInstant:
    """The instant that a desk's next start begins at."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE

    def read(self) -> datetime | None:
        """Give it, None for a desk that never ran; raises UserError for what is no instant."""
        if not self._path.exists():
            return None
        try:
            return datetime.fromisoformat(self._path.read_text(encoding="utf-8").strip())
        except ValueError:
            remedy = "write an instant into it such as 2013-03-04T14:30:00+00:00, not before the last of the logs"
            raise UserError(f"{self._path} is damaged", remedy=remedy) from None

    def lease(self, timeline: AnyTimeline) -> None:
        """Write down an instant that is not reached before the next lease; raises UserError."""
        self.write(timeline.now() + timedelta(seconds=AHEAD_S * timeline.speed))

    def write(self, at: datetime) -> None:
        """Write an instant down; raises UserError when the disk refuses."""
        write_atomically(self._path, f"{at.isoformat()}\n".encode())
