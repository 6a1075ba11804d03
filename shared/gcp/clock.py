"""The Clock port on the machine's clocks."""

import time
from datetime import UTC, datetime


class SystemClock:
    """Tells the wall clock and waits by the monotonic one, which no correction of the wall clock can stretch."""

    def now(self) -> datetime:
        """Give the present instant, in UTC."""
        return datetime.now(UTC)

    def sleep_until(self, at: datetime) -> None:
        """Wait until `at`; return at once when it has passed."""
        end = time.monotonic() + (at - self.now()).total_seconds()
        while (left := end - time.monotonic()) > 0:
            time.sleep(left)
