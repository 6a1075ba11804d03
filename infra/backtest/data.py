"""What a back-test plays: sessions with what is known of each, one after another, and what there is before it begins.

What can go wrong: half the span has no data and nobody notices; a symbol appears in the middle; a list of today's
symbols passes for that of the day. What this promises: what there is is named before the run, session by session and
symbol by symbol; each session is made when its turn comes and then forgotten, so a year needs no more memory than a
week; `said` are the sentences that stand before every figure.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from itertools import chain
from typing import Protocol

from infra.backtest.believed import Doubt
from infra.backtest.believed import told as doubts_told
from infra.backtest.day import Day
from infra.results.data_end import NAMED, End, end_of, told
from infra.results.data_holes import Gaps, holes_of
from infra.results.data_holes import told as holes_told
from infra.simulated_day.facts import bars_missing
from infra.simulated_day.problems import UserError
from shared.domain.base.calendar import TradingSession
from shared.domain.market.intervals import sessions_in
from shared.domain.telling.wording import count, few
from shared.frozen import frozen

CHOSEN_TODAY = (
    "The symbols were chosen today, not on each day: shares that did badly and are gone are not among them, so the "
    "result looks better than it could have been."
)
EXCHANGE = "exchange"
"""The market of all data that are not generated."""


@frozen
class Chapter:
    """One session: as bars of a minute, and as one-second quotes where there are any (`ticks`)."""

    minutes: Day
    ticks: Day | None = None


class Data(Protocol):
    """Sessions of some market; whatever satisfies this can be sent to another process."""

    @property
    def name(self) -> str:
        """What the report calls it."""

    @property
    def market(self) -> str:
        """Which market it is of: a session of a symbol is the same in all data of one market."""

    @property
    def said(self) -> tuple[str, ...]:
        """What has to be said before any figure."""

    @property
    def has_ticks(self) -> bool:
        """Whether any session has one-second quotes."""

    @property
    def gaps(self) -> Mapping[date, Gaps]:
        """The times without a row of each session, where that is known; the others have none."""

    @property
    def doubts(self) -> Sequence[Doubt]:
        """The bars that are left out because nobody can believe them."""

    def present(self, first: date, last: date) -> Mapping[date, Mapping[str, datetime]]:
        """Give the symbols that each session of a span has, each with when its data end; the others are left out."""

    def unbuyable(self, first: date, last: date) -> Mapping[str, Sequence[date]]:
        """Give the sessions of a span on which nothing of a symbol can be bought, by symbol.

        They are those without a daily bar of the session before, on quotes those without any before them.
        """

    def chapters(self, first: date, last: date, symbols: Sequence[str]) -> Iterator[Chapter]:
        """Give the sessions of a span in order, with those of the symbols that each has; all where none are named."""


@frozen
class Survey:
    """What there is of a span: the sessions that will be played, and in sentences what is missing.

    `ends` are those sessions whose data end before they close.
    """

    first: date
    last: date
    sessions: tuple[date, ...]
    symbols: tuple[str, ...]
    missing: tuple[str, ...]
    ends: tuple[End, ...] = ()


def survey(data: Data, first: date, last: date, symbols: Sequence[str]) -> Survey:
    """Look at what a span has; raises UserError for a span or a symbol of which there is nothing."""
    require_order(first, last)
    wanted = sessions_between(first, last)
    if not wanted:
        raise UserError(
            f"the exchange does not trade from {first} to {last}", remedy="take an earlier --from or a later --to"
        )
    present = data.present(first, last)
    counts = Counter(symbol for there in present.values() for symbol in there)
    if unknown := [symbol for symbol in symbols if not counts[symbol]]:
        raise UserError(
            f"there is nothing of {', '.join(unknown[:NAMED])} from {first} to {last} in {data.name}",
            remedy=f"choose of {', '.join(sorted(counts)[:20]) or 'another span'}",
        )
    played = [day for day in sorted(present) if not symbols or set(symbols) & set(present[day])]
    if not played:
        raise UserError(f"there is no data from {first} to {last} in {data.name}", remedy="take another span or --data")
    gone = [one.day for one in wanted if one.day not in set(played)]
    chosen = tuple(symbols) or tuple(sorted(counts))
    partly = [f"{symbol} in {counts[symbol]}" for symbol in chosen if counts[symbol] < len(played)]
    missing = []
    if gone:
        missing.append(f"{count(len(gone), 'session')} of {len(wanted)} without data: {few(gone, NAMED)}.")
    if partly:
        missing.append(f"Not in every one of the {count(len(played), 'session')}: {few(partly, NAMED)}.")
    missing += _unbuyable(data.unbuyable(first, last), counts, chosen)
    sessions = [one for one in wanted if one.day in set(played)]
    ends = _ends(sessions, present, frozenset(chosen))
    holes = (holes_of(one, data.gaps[one.day], chosen) for one in sessions if one.day in data.gaps)
    doubts = [one for one in data.doubts if one.symbol in chosen and first <= one.day <= last]
    missing += [*told(ends), *holes_told(chain.from_iterable(holes)), *doubts_told(doubts)]
    return Survey(first=first, last=last, sessions=tuple(played), symbols=chosen, missing=tuple(missing), ends=ends)


def require_order(first: date, last: date) -> None:
    """Raise UserError for a span whose days are in the wrong order."""
    if last < first:
        raise UserError(f"--to {last} is before --from {first}", remedy="say the earlier day with --from")


def _unbuyable(
    lacking: Mapping[str, Sequence[date]], counts: Mapping[str, int], chosen: Sequence[str]
) -> Iterator[str]:  # fmt: skip
    """Say of which symbols nothing can be bought, in all sessions that have them or in some."""
    found = {symbol: lacking[symbol] for symbol in chosen if symbol in lacking}
    if never := [symbol for symbol, days in found.items() if len(days) == counts[symbol]]:
        yield bars_missing(never)
    if some := [f"{symbol} in {count(len(days), 'session')}, {days[0]} the first"
                for symbol, days in found.items() if symbol not in never]:  # fmt: skip
        yield f"Without the daily bar of the session before nothing can be bought: {few(some, NAMED)}."


def _ends(
    played: Sequence[TradingSession], present: Mapping[date, Mapping[str, datetime]], chosen: frozenset[str]
) -> tuple[End, ...]:
    """Give those sessions whose data end before they close."""
    found = (
        end_of(one.day, one.closes_at, {symbol: at for symbol, at in present[one.day].items() if symbol in chosen})
        for one in played
    )
    return tuple(one for one in found if one is not None)


def sessions_between(first: date, last: date) -> list[TradingSession]:
    """Give the sessions from a day to another, both included; raises UserError beyond the calendar."""
    try:
        return sessions_in(first, last)
    except ValueError as problem:
        raise UserError(str(problem), remedy="take a span that the calendar covers") from None
