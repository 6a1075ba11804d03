"""The account's turns at one module of E*TRADE: two lanes, each with the instant from which it is free again.

E*TRADE admits two calls in any second, of whoever has the consumer key (etrade-api.md 6). What can go wrong: two
processes take the same turn; one that took a turn freezes, and its call leaves beside the next one; entries that come
in numbers keep an exit waiting; a process dies while it holds or awaits a turn; the store takes longer to write a turn
down than the turn lasts.

What this promises, to whoever keeps a `Turns` by compare-and-set: a call that leaves before its turn's `until` leaves
at least `INTERVAL` after the call before it in its lane, whoever sent that; a turn that is not used in time is lost,
and nothing has to be given back. Exits and stops have both lanes, other cancels and lists the one, entries the other,
so that neither of these two waits for the other; and nobody takes a turn that somebody more urgent waits for: who waits
writes down until when. A dead process blocks a lane for `INTERVAL` and the width of its turn at most, and what it
waited for `HOLD` longer. A slow store makes turns wide, and so rare, but for exits, stops and lists never impossible:
their widest is as wide as the longest commit. Two lanes of `INTERVAL` stay below the 7,000 calls of an hour, so nobody
counts them. A throttle answer says that the broker counts otherwise, or that somebody else has the key: then all rest,
and for an hour the two lanes are one, in which lists go before entries.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from enum import StrEnum

from shared.frozen import frozen


class Purpose(StrEnum):
    """What a call is for, the most urgent first."""

    PROTECT = "protect"  # exits and stops, with the cancels and lists that they need
    SETTLE = "settle"  # the other cancels and lists
    ENTER = "enter"


@frozen
class Turns:
    """The document `turns/<module>`: `free` are the lanes' next free instants, `widths_ms` their last turns' widths."""

    free: tuple[datetime, datetime]
    widths_ms: tuple[int, int] = (0, 0)
    protect_waits_until: datetime | None = None
    settle_waits_until: datetime | None = None
    paused_until: datetime | None = None
    slow_until: datetime | None = None
    strikes: int = 0
    schema_version: int = 1


@frozen
class Turn:
    """Leave to send one call from `at` on and before `until`."""

    lane: int
    at: datetime
    until: datetime


@frozen
class Wait:
    """No turn yet: none comes before `at`; look again at `look_at`."""

    at: datetime
    look_at: datetime


INTERVAL = timedelta(milliseconds=1_060)
"""A second, and 60 ms more: calls that leave a second apart may arrive a little closer."""
WIDTH, WIDE = timedelta(milliseconds=200), timedelta(milliseconds=1_600)
"""How long a turn may be used: as long as its commit may take, and what a busy machine wakes late."""
WIDEST = {Purpose.PROTECT: timedelta(seconds=16), Purpose.SETTLE: timedelta(seconds=16), Purpose.ENTER: WIDE}
"""No commit ends later than that. What enters does not take a lane for so long: with such a store entries rest."""
SOON = timedelta(milliseconds=50)
"""So long before a lane is free its next turn is taken, so that the commit costs no time."""
HOLD = timedelta(milliseconds=500)
PATIENCE = timedelta(seconds=2)
"""After so long a list or a cancel is as urgent as an exit: exits in numbers must not blind settlement."""
LONGEST_PAUSE = timedelta(seconds=8)
_MILLISECOND = timedelta(milliseconds=1)
_LOOK_EVERY = timedelta(milliseconds=150)
_LANES = {Purpose.PROTECT: (0, 1), Purpose.SETTLE: (0,), Purpose.ENTER: (1,)}
_MOST_STRIKES = 8
_FORGIVEN_AFTER = timedelta(seconds=30)
_SLOW_FOR = timedelta(hours=1)


def untouched(now: datetime) -> Turns:
    """Give the turns of a module that nobody has called."""
    return Turns(free=(now, now))


def plausible(turns: Turns, now: datetime) -> Turns:
    """Give the turns without instants that no call can have written: a clock far ahead has, or damage.

    Whoever finds such instants has to write this down: to take them for less at each look moves them along for ever.
    """
    rest = now + LONGEST_PAUSE
    first, second = (_free(turns, lane, now) for lane in range(2))
    return replace(
        turns, free=(first, second), protect_waits_until=_at_most(turns.protect_waits_until, rest + HOLD),
        settle_waits_until=_at_most(turns.settle_waits_until, rest + HOLD),
        paused_until=_at_most(turns.paused_until, rest), slow_until=_at_most(turns.slow_until, now + _SLOW_FOR),
        strikes=min(max(turns.strikes, 0), _MOST_STRIKES),
    )  # fmt: skip


def urgency(purpose: Purpose, waited: timedelta) -> Purpose:
    """Give what a call counts as after it has waited so long."""
    return Purpose.PROTECT if purpose is Purpose.SETTLE and waited > PATIENCE else purpose


def next_turn(turns: Turns, purpose: Purpose, *, now: datetime, width: timedelta) -> Turn | Wait:
    """Give the turn that may be taken now, or when to look again."""
    lane = min(_LANES[purpose], key=lambda one: max(now, _free(turns, one, now)))
    at = max(now, _free(turns, lane, now), _paused(turns, now))
    ahead = _ahead(turns, purpose, now)
    if at - now <= SOON and ahead is None:
        return Turn(lane=lane, at=at, until=at + width)
    look_at = at - SOON
    return Wait(at=at, look_at=look_at if ahead is None else max(look_at, min(ahead, now + _LOOK_EVERY)))


def taken(turns: Turns, turn: Turn, purpose: Purpose) -> Turns:
    """Give the turns after one was taken: its lane is free an interval after its call, however late that leaves."""
    after = turn.until + INTERVAL
    lanes = range(2) if _slow(turns, turn.at) else (turn.lane,)
    width_ms = round((turn.until - turn.at) / _MILLISECOND)
    first, second = (after if lane in lanes else free for lane, free in enumerate(turns.free))
    one, two = (width_ms if lane in lanes else width for lane, width in enumerate(turns.widths_ms))
    left = replace(turns, free=(first, second), widths_ms=(one, two))
    match purpose:
        case Purpose.PROTECT:
            return replace(left, protect_waits_until=None)
        case Purpose.SETTLE:
            return replace(left, settle_waits_until=None)
        case Purpose.ENTER:
            return left


def awaited(turns: Turns, purpose: Purpose, wait: Wait) -> Turns:
    """Give the turns with the mark of a call that waits; the same ones where that is written already, or not needed."""
    until = wait.at + HOLD
    if purpose is Purpose.PROTECT and not _later(turns.protect_waits_until, wait.at):
        return replace(turns, protect_waits_until=until)
    if purpose is Purpose.SETTLE and _slow(turns, wait.at) and not _later(turns.settle_waits_until, wait.at):
        return replace(turns, settle_waits_until=until)
    return turns


def paused(turns: Turns, now: datetime) -> Turns:
    """Give the turns after a throttle answer: nobody calls for 1 s, then 2, 4, 8 s while such answers go on.

    After that one call at a time for an hour.
    """
    goes_on = turns.paused_until is not None and now - turns.paused_until < _FORGIVEN_AFTER
    strikes = turns.strikes if goes_on else 0
    until = now + min(timedelta(seconds=2**strikes), LONGEST_PAUSE)
    last, width_ms = max(turns.free), max(turns.widths_ms)
    return replace(
        turns, free=(last, last), widths_ms=(width_ms, width_ms), paused_until=until, slow_until=now + _SLOW_FOR,
        strikes=min(strikes + 1, _MOST_STRIKES),
    )  # fmt: skip


def _slow(turns: Turns, at: datetime) -> bool:
    return _later(turns.slow_until, at)


def _later(mark: datetime | None, at: datetime) -> bool:
    return mark is not None and mark > at


def _at_most(mark: datetime | None, latest: datetime) -> datetime | None:
    return None if mark is None else min(mark, latest)


def _free(turns: Turns, lane: int, now: datetime) -> datetime:
    """Give when a lane is free; further ahead than any turn can be only a wrong clock has written."""
    width = WIDE if turns.widths_ms[lane] <= WIDE / _MILLISECOND else WIDEST[Purpose.PROTECT]
    return min(turns.free[lane], now + SOON + width + INTERVAL)


def _paused(turns: Turns, now: datetime) -> datetime:
    return now if turns.paused_until is None else min(turns.paused_until, now + LONGEST_PAUSE)


def _ahead(turns: Turns, purpose: Purpose, now: datetime) -> datetime | None:
    """Give until when somebody more urgent waits, or None."""
    marks: list[datetime | None] = []
    if purpose is not Purpose.PROTECT:
        marks.append(turns.protect_waits_until)
    if purpose is Purpose.ENTER:
        marks.append(turns.settle_waits_until)
    latest = now + WIDE + INTERVAL + HOLD
    live = [min(mark, latest) for mark in marks if mark is not None and mark > now]
    return max(live, default=None)
