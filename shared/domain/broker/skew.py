"""How far our clock is from the broker's, as far as answers prove it, and what follows from that (R34).

What can go wrong: our clock is wrong, and everything that is compared with it, too: the age of quotes and signals, the
minute of a decision, the deadline of a licence, the end of the session. An answer's `Date` header says when the broker
made it. It is cut to the second, the answer was under way before and after, and one Date may be an old one from a
cache. What this promises: an answer proves only what no rounding and no way can explain, and nothing is concluded from
fewer than `AGREE` answers of the last `KEPT`. So a slow way, or simulated time at any speed, raises no alarm, and a
wrong clock is found within a second of its size.

Where no answer has a Date nothing is proven, and nothing is stopped for it: quotes are judged by our clock all the same
(`quality`), and those of a clock that is off are too old or of the future.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum

from shared.frozen import frozen

AGREE, KEPT = 3, 8
LIFE = timedelta(minutes=10)
"""A reading older than this, or from further ahead, says nothing about the clock of now."""
_ROUNDING = timedelta(seconds=1)
_NONE = timedelta(0)


class Off(StrEnum):
    """What the clock is good for."""

    RIGHT = "right"
    WARNED = "warned"
    NO_ENTRIES = "no_entries"
    HALTED = "halted"


FROM: dict[Off, timedelta] = {
    Off.WARNED: timedelta(seconds=2),
    Off.NO_ENTRIES: timedelta(seconds=5),
    Off.HALTED: timedelta(seconds=60),
}
"""From which proven difference on: the owner is told; entries are denied; only stops, exits and cancels go on."""


@frozen
class Reading:
    """What one answer proves: our clock is ahead of the broker's by at least `least` and at most `most`."""

    least: timedelta
    most: timedelta
    at: datetime


def reading(*, sent_at: datetime, received_at: datetime, date: datetime) -> Reading:
    """Give what an answer of this `date` proves, sent and received at these instants of our clock."""
    return Reading(least=sent_at - date - _ROUNDING, most=received_at - date, at=received_at)


def ahead(readings: Sequence[Reading], now: datetime) -> timedelta | None:
    """Give by how much our clock is surely ahead (below zero: behind), None where too few answers say anything.

    It is the most that `AGREE` of the answers prove each for itself; answers that contradict each other, as after a
    step of the clock, prove what the most of them say.
    """
    known = [one for one in readings[-KEPT:] if abs(now - one.at) <= LIFE]
    if len(known) < AGREE:
        return None
    before = sorted((one.least for one in known), reverse=True)[AGREE - 1]
    behind = sorted(one.most for one in known)[AGREE - 1]
    return max((max(_NONE, before), min(_NONE, behind)), key=abs)


def judged(ahead_by: timedelta | None) -> Off:
    """Say what a clock that is so far ahead is good for; one that was not measured counts as right."""
    size = _NONE if ahead_by is None else abs(ahead_by)
    return max((off for off in FROM if size >= FROM[off]), key=FROM.__getitem__, default=Off.RIGHT)


def said(ahead_by: timedelta) -> str:
    """Say it in words, at its size in tenths of a second."""
    tenths = abs(ahead_by) // timedelta(milliseconds=100)
    return f"{tenths // 10}.{tenths % 10} s {'behind' if ahead_by < _NONE else 'ahead of'} E*TRADE's"
