"""A clock that is off from the broker's: told once a session for each thing that follows from it, at last a halt.

What can go wrong: the clock of this instance is wrong, nobody sees it, and each minute says so again. What this
promises: a line in the journal each minute, one notice for the warning, one when entries stop, one when trading is
halted; the halt is the trading state's own, so that entries that work are cancelled and only a person resumes it.
"""

from datetime import date, timedelta

from shared.domain.base.calendar import session_at
from shared.domain.broker.skew import Off, judged, said
from shared.domain.control.control import TradingState
from shared.domain.telling.barred import ClockOff
from shared.ports import Severity
from shared.usecases.base.trading import TradingDesk
from shared.usecases.control.control import tighten
from shared.usecases.telling.notices import announce

CLOCK_SKEW = "CLOCK_SKEW"
"""The code of the rule (`risk.clock_skew`)."""
HALT_REASON = "the clock is off from E*TRADE's by a minute or more"


def clock_off(desk: TradingDesk, session: date, ahead: timedelta | None) -> ClockOff | None:
    """Give the notice of a clock so far ahead of the broker's (below zero: behind), None for one that is right."""
    off = judged(ahead)
    if ahead is None or off is Off.RIGHT:
        return None
    return ClockOff(function=desk.actor, off=off, why=said(ahead), session=session, at=desk.clock.now())


class ClockWatch:
    """One instance's look at its own clock, each minute of the session; it remembers what it told."""

    def __init__(self, desk: TradingDesk) -> None:
        self._desk = desk
        self._told: set[str] = set()

    def look(self) -> None:
        """Say what the last answers prove, and halt where nothing can be judged by this clock any more."""
        desk = self._desk
        session = session_at(desk.clock.now())
        found = None if session is None else clock_off(desk, session.day, desk.clock_ahead())
        if found is None:
            return
        desk.journal.line("clock_off", Severity.WARNING, off=found.off, why=found.why)
        if found.event not in self._told:
            desk.store.commit([announce(desk, found)])
            self._told.add(found.event)
        if found.off is Off.HALTED:
            tighten(desk, TradingState.HALTED, reason=HALT_REASON)
