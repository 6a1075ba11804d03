"""Trading halts, which no field of a quote says: the signs of one, and how long nothing is bought after it.

Signs are a book that stands still in a symbol whose book did not, a book with one side or none, no trade for too long,
and the broker's own message. What can go wrong: a quiet minute looks like a halt (the owner is told of what is held,
and nothing is bought for minutes); we look seldom, or were blind for a while, and did not see a move; the broker gives
out figures that stand still although the market moves. What this promises: stillness is measured between looks, so that
a look that was missed never makes a symbol quiet that was not; a sign forbids entries until `halt_pause_minutes` after
the first move that followed it; what is held keeps its stop while the book stands still, and is sold only at the
session's end, not even then where the broker says that it is halted or nothing is bid or offered (`exits`). An answer
that fails takes nothing back: what the last one showed holds for as long as a quote may be missing.

The state is small and part of the day's book, which is written once a minute: a scan that starts cold goes on from its
last whole minute and decides what a warm one decides.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from shared.domain.control.config import Quotes
from shared.domain.market.quality import BROKER, is_finite
from shared.domain.market.quotes import Quote, QuoteStatus
from shared.frozen import frozen

HALTED, ONE_SIDED, FROZEN, UNTRADED = "HALTED", "BOOK_ONE_SIDED", "QUOTE_FROZEN", "NO_TRADES"
PAUSE = "AFTER_HALT"
SHOWN = frozenset({HALTED, ONE_SIDED})
"""The signs that the broker itself shows in its answer of this moment; the others are what we make of many."""
_NONE = "-"
_ZERO = Decimal(0)
_Figures = tuple[Decimal, Decimal, Decimal, int]


class _Limits(NamedTuple):
    """The rules as spans of time: a watch is asked each second, and the rules change once a day if at all."""

    frozen: timedelta
    gap: timedelta
    lively: timedelta
    untraded: timedelta
    pause: timedelta


@frozen
class Sign:
    """One sign of a halt, or the pause after it: a stable code, what was found and what it had to be."""

    code: str
    found: str = ""
    asked: str = ""


class HaltWatch:
    """What one symbol's quotes showed this session of a halt; instants are those of the ticks.

    Mutable like the day book that owns it. `since` is when the halt began that is not over, its pause included; `told`
    says that the owner heard of it.
    """

    __slots__ = (
        "_figures", "_limits", "_lively_since", "_moved_at", "_opens_at", "_resumed_at", "_rules", "_seen_at",
        "_shown_at", "since", "told",
    )  # fmt: skip

    def __init__(self, opens_at: datetime) -> None:
        self._opens_at = opens_at
        self._rules: Quotes | None = None
        self._figures: _Figures | None = None
        self._moved_at = self._lively_since = self._seen_at = opens_at
        self._resumed_at: datetime | None = None
        self._shown_at: datetime | None = None
        self.since: datetime | None = None
        self.told = False

    def observe(self, quote: Quote, at: datetime, rules: Quotes, *, faultless: bool = False) -> tuple[Sign, ...]:
        """Take any quote at a tick and give the signs that forbid an entry now, or the pause after them.

        What is no real-time quote of the broker, and a tick from the past, neither begin a halt nor end one. Of a quote
        that `quality.faults` found `faultless` neither source nor sides are looked at again.
        """
        if rules is not self._rules:
            self._rules, self._limits = rules, _limits(rules)
        if not (faultless or _is_believed(quote)) or (self._figures is not None and at < self._seen_at):
            return () if self.since is None else (Sign(code=PAUSE),)
        moved = self._move(quote, at)
        calm = self._moves(quote, at) and (faultless or _has_two_sides(quote))
        signs = () if calm else tuple(self._signs(quote, at))
        self._shown_at = at if signs and any(sign.code in SHOWN for sign in signs) else None
        if signs:
            if self.since is None:
                self.since, self.told = at, False
            self._resumed_at = None
            return signs
        if self.since is None:
            return ()
        if self._resumed_at is None and moved:
            self._resumed_at = at
        return self._rest(at)

    def shows(self, at: datetime, rules: Quotes) -> bool:
        """Tell whether the broker shows a halt: its last answer to be believed did, `missing_after_s` ago at most."""
        return self._shown_at is not None and at - self._shown_at < timedelta(seconds=rules.missing_after_s)

    def _rest(self, at: datetime) -> tuple[Sign, ...]:
        """Give the pause after a halt; when it is over, so is the halt."""
        pause = self._limits.pause
        if self._resumed_at is None:
            return (Sign(code=PAUSE, found="no move yet", asked=f"{pause} since the first"),)
        if at - self._resumed_at < pause:
            return (Sign(code=PAUSE, found=str(at - self._resumed_at), asked=f"{pause} since the first move"),)
        self.since = self._resumed_at = None
        return ()

    def _move(self, quote: Quote, at: datetime) -> bool:
        """Remember what moved, and since when it did so without standing still; tell whether it moved."""
        figures = (quote.bid, quote.ask, quote.last, quote.day_volume)
        before, seen_at = self._figures, self._seen_at
        self._seen_at = at
        if figures == before:
            return False
        stood = seen_at - self._moved_at
        blind = at - seen_at >= self._limits.frozen
        if before is None or blind or stood >= self._limits.gap:
            self._lively_since = at
        self._figures, self._moved_at = figures, at
        return before is not None

    def _moves(self, quote: Quote, at: datetime) -> bool:
        """Tell of a book that moved just now, after a trade just now; with two sides it is what most quotes are."""
        traded_at, limits = quote.traded_at, self._limits
        return at - self._moved_at < limits.frozen and (traded_at is None or at - traded_at <= limits.untraded)

    def _signs(self, quote: Quote, at: datetime) -> Iterator[Sign]:
        if quote.halted:
            yield Sign(code=HALTED)
        if quote.bid <= 0 or quote.ask <= 0 or quote.bid_size <= 0 or quote.ask_size <= 0:
            book = f"{quote.bid_size} at {quote.bid}, {quote.ask_size} at {quote.ask}"
            yield Sign(code=ONE_SIDED, found=book, asked="both sides")
        still, limits = at - self._moved_at, self._limits
        if still >= limits.frozen and self._moved_at - self._lively_since >= limits.lively:
            yield Sign(code=FROZEN, found=str(still), asked=f"less than {limits.frozen}")
        traded_at, most = quote.traded_at, limits.untraded
        if traded_at is not None and (untraded := at - max(traded_at, self._opens_at)) > most:
            yield Sign(code=UNTRADED, found=str(untraded), asked=f"{most} or less")

    def to_plain(self) -> str:
        """Give the state as one text; instants as whole milliseconds since the open."""
        instants = (
            self._moved_at, self._lively_since, self._seen_at, self._resumed_at, self._shown_at, self.since
        )  # fmt: skip
        figures = () if self._figures is None else self._figures
        return " ".join([*map(self._text, instants), str(int(self.told)), *map(str, figures)])

    @classmethod
    def from_plain(cls, text: str, opens_at: datetime) -> "HaltWatch":
        """Restore what `to_plain` gave; raises ValueError and its kin for anything else."""
        made = cls(opens_at)
        moved_at, lively_since, seen_at, resumed_at, shown_at, since, told, *figures = text.split(" ")
        made._moved_at, made._lively_since, made._seen_at = map(made._needed, (moved_at, lively_since, seen_at))
        made._resumed_at, made._shown_at = made._instant(resumed_at), made._instant(shown_at)
        made.since = made._instant(since)
        made.told = bool(int(told))
        if figures:
            bid, ask, last, volume = figures
            made._figures = (Decimal(bid), Decimal(ask), Decimal(last), int(volume))
        return made

    def _text(self, at: datetime | None) -> str:
        return _NONE if at is None else str((at - self._opens_at) // timedelta(milliseconds=1))

    def _needed(self, text: str) -> datetime:
        return self._opens_at + timedelta(milliseconds=int(text))

    def _instant(self, text: str) -> datetime | None:
        return None if text == _NONE else self._needed(text)


def _is_believed(quote: Quote) -> bool:
    return is_finite(quote) and quote.source == BROKER and quote.status is QuoteStatus.REALTIME


def _has_two_sides(quote: Quote) -> bool:
    sides = quote.bid > _ZERO and quote.ask > _ZERO and quote.bid_size > 0 and quote.ask_size > 0
    return sides and not quote.halted


def _limits(rules: Quotes) -> _Limits:
    return _Limits(
        frozen=timedelta(seconds=rules.frozen_after_s), gap=timedelta(seconds=rules.lively_gap_s),
        lively=timedelta(seconds=rules.lively_for_s), untraded=timedelta(seconds=rules.last_trade_age_max_s),
        pause=timedelta(minutes=rules.halt_pause_minutes),
    )  # fmt: skip
