"""How a call to a Google service is waited for and repeated: bounded, and only through Clock and Chance.

The libraries' own retries are off everywhere (`retry=None`): they sleep with the machine's clock, go on for up to a
minute, and repeat a commit whose outcome is open (order-safety.md, finding 4 and section 5).
"""

from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

from google.api_core import exceptions as google
from google.auth.exceptions import GoogleAuthError

from shared.errors import StoreDown
from shared.ports import Chance, Clock

T = TypeVar("T")

TRIES = 4
READ_TRIES = 3
LONGEST_S = 8.0  # no further try is begun so long after the first
_FIRST_PAUSE_S = 0.1
_LONGEST_PAUSE_S = 1.0

FAILED = (google.GoogleAPICallError, GoogleAuthError)
"""Everything that a call through the libraries raises."""

PASSING = (
    google.Aborted, google.ResourceExhausted, google.ServiceUnavailable, google.DeadlineExceeded,
    google.InternalServerError, google.Unknown, google.Cancelled,
)  # fmt: skip
"""What may be gone at the next try."""


def pause(clock: Clock, chance: Chance, attempt: int) -> None:
    """Wait before the try after `attempt` (1, 2, ...): evenly drawn up to 0.1 s, doubling, at most 1 s."""
    longest = min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2 ** (attempt - 1))
    clock.sleep_until(clock.now() + timedelta(seconds=chance.uniform(0, longest)))


def repeat(call: Callable[[], T], *, clock: Clock, chance: Chance, tries: int = READ_TRIES) -> T:
    """Make a call that may be made twice; gives up with what the last try raised."""
    latest = clock.now() + timedelta(seconds=LONGEST_S)
    for attempt in range(1, tries):
        try:
            return call()
        except PASSING:
            pause(clock, chance, attempt)
            if clock.now() >= latest:
                raise
    return call()


def down(service: str, problem: Exception | None) -> StoreDown:
    """Give the StoreDown for a call that failed; a status names no data, so its text is safe."""
    code = getattr(problem, "code", None)
    return StoreDown(f"{service}: {type(problem).__name__}" + (f" {int(code)}" if isinstance(code, int) else ""))
