"""When a sell that the broker refused is asked for again: soon, then less often, and never outside the session.

The broker refuses shares that it has not booked yet (1037) for some seconds, shares that other sell orders hold until
somebody cancels those, and a stop above the market until the market moves. Asking each few seconds for hours helps
nobody; in the session's last minutes a long pause would leave shares over night.
"""

from datetime import datetime, timedelta

from shared.domain.base.calendar import session_at
from shared.frozen import frozen

FIRST = timedelta(seconds=2)
LONGEST = timedelta(seconds=60)
LAST_MINUTES = timedelta(minutes=15)
LONGEST_THEN = timedelta(seconds=10)
NEW_EPISODE = timedelta(minutes=3)
"""Longer than any pause within a session: a refusal that comes later than this after another has its own story."""
_MOST_DOUBLINGS = 5


@frozen
class Refusal:
    """The refusals of one episode: how many in a row, since when, the last one, and the broker's reason for it."""

    times: int
    since: datetime
    last_at: datetime
    reason: str


def refused(before: Refusal | None, *, at: datetime, reason: str) -> Refusal:
    """Count one more refusal; the first one, or one long after the last, begins an episode."""
    if before is None or at - before.last_at > NEW_EPISODE:
        return Refusal(times=1, since=at, last_at=at, reason=reason)
    return Refusal(times=before.times + 1, since=before.since, last_at=at, reason=reason)


def may_ask(refusal: Refusal | None, now: datetime) -> bool:
    """Tell whether the broker may be asked now: what it has not refused at any time, what it has in the session only.

    The pause begins with 2 s and doubles to 60 s; in the last 15 minutes of the session it is 10 s at most.
    """
    if refusal is None:
        return True
    session = session_at(now)
    if session is None or not session.opens_at <= now < session.closes_at:
        return False
    pause = min(FIRST * (1 << min(refusal.times - 1, _MOST_DOUBLINGS)), LONGEST)
    if session.closes_at - now <= LAST_MINUTES:
        pause = min(pause, LONGEST_THEN)
    return now - refusal.last_at >= pause
