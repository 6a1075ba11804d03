"""Strategies that are left out for the rest of a session: the record of it, and what the owner is told."""

from datetime import date, datetime

from shared.domain.telling.wording import Words, clock, short
from shared.frozen import frozen


@frozen
class LeftOut:
    """From the symbol `about` at `at` on a strategy is not asked; `about` is "" where no symbol was the reason.

    `why` says what it did, a clause without its full stop.
    """

    name: str
    why: str
    at: datetime
    about: str = ""


@frozen
class SessionLeftOut:
    """Every strategy that was left out of a session so far, in the order in which it was."""

    session: date
    strategies: tuple[LeftOut, ...] = ()
    schema_version: int = 1


def path_of(session: date) -> str:
    """Give the path of a session's record."""
    return f"left_out/{session.isoformat()}"


def said(left: LeftOut) -> str:
    """Say of a strategy since when it is left out, whom it was asked about, and why."""
    about = f", asked about {left.about}" if left.about else ""
    return f"{left.name} since {clock(left.at)}{about}: {short(left.why)}"


@frozen
class StrategyLeftOut:
    """A strategy is left out for the rest of a session."""

    left: LeftOut
    session: date
    at: datetime

    @property
    def event(self) -> str:
        """One a session for each strategy."""
        return f"{self.session.isoformat()}:{self.left.name}"


def strategy_left_out(notice: StrategyLeftOut) -> Words:
    """Say which strategy did what, and that the others go on."""
    left = notice.left
    about = f" about {left.about}" if left.about else ""
    return Words(
        title=f"Strategy left out: {left.name}",
        sentence=f"At {clock(left.at)} the strategy {left.name} was asked{about}, and {short(left.why)}.",
        advice="For the rest of the session it is not asked; the others go on, and so do stops, the end-of-day exit "
        "and the "
        "longest holding time: correct its file, or take it out with `strategy config edit`.",
        urgent=False,
    )
