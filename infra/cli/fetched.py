"""`strategy history ... --source`: what a source outside gives of symbols, shown, or kept as an import is."""

from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

import typer

from infra.cli import bars
from infra.cli.exits import BAD_INPUT, say
from infra.cli.hand import reached, show
from infra.cli.importing import tell
from infra.operations.fetching import Fetched, fetch, source_of
from infra.operations.profiles import Hand
from infra.simulated_day.problems import UserError
from infra.tools.extras import ready
from shared.domain.base.calendar import new_york_day
from shared.domain.broker.tickets import SYMBOL
from shared.domain.market.bars import Interval
from shared.domain.market.intervals import Bars
from shared.domain.market.series import Series
from shared.frozen import frozen
from shared.ports import HistorySource
from shared.usecases.market.gather import SPAN


@frozen
class Wish:
    """What is asked of a source; days are as they were typed, None for the usual ones."""

    symbols: tuple[str, ...]
    first: str | None
    last: str | None
    save: bool
    yes: bool
    csv: bool
    json: bool


def fetched(source: str, wish: Wish, profile: str, state: Path | None) -> None:
    """Ask a source, which is installed at its first use; raises UserError, and typer.Exit where a symbol has none."""
    bars.require_one_form(csv=wish.csv, json=wish.json)
    with reached(profile, state) as hand:
        chosen = source_of(hand, source)
        ready(source, say=say)
        asked(hand, chosen, wish)


def asked(hand: Hand, source: HistorySource, wish: Wish) -> None:
    """Ask for each symbol, and show what came; raises UserError, and typer.Exit where a symbol has none."""
    symbols = tuple(dict.fromkeys(symbol.upper() for symbol in wish.symbols))
    if wrong := [symbol for symbol in symbols if not SYMBOL.fullmatch(symbol)]:
        raise UserError(f"{wrong[0][:30]!r} is no symbol", remedy="write it as a ticket does: IBM, BRK.B")
    today = new_york_day(hand.desk.clock.now())
    end = min(today if wish.last is None else bars.day(wish.last), today)
    start = end - SPAN if wish.first is None else bars.day(wish.first)
    if start > end:
        raise UserError(f"{end} is before {start}", remedy="give days such as --from 2026-09-01 --to 2026-09-30")
    before = end + timedelta(days=1)
    found = list(fetch(hand, source, symbols, start=start, before=before, save=wish.save, meant=wish.yes))
    show(found, lambda: _tell(found, wish), json=wish.json)
    for one in found:
        if one.wrong:
            say(f"{one.symbol}: {one.wrong}")
    if any(one.wrong for one in found):
        raise typer.Exit(BAD_INPUT)


def _tell(found: Sequence[Fetched], wish: Wish) -> None:
    held = [(one.series, _bars(one.series)) for one in found if one.series is not None]
    if wish.save:
        kept = [one.kept for one in found if one.kept is not None]
        if kept:
            tell(kept)
    elif wish.csv:
        bars.csv_of([one for _, one in held])
    else:
        for series, one in held:
            bars.table_of(one)
            say(f"{one.symbol}: {len(one.bars)} daily bars of {series.source} ({series.made}), kept nowhere.")


def _bars(series: Series) -> Bars:
    days: set[date] = {bar.day for bar in series.bars}
    first = min(days)
    return Bars(
        symbol=series.symbol, interval=Interval.DAY, bars=series.bars,
        splits=tuple(one for one in series.splits if one.day >= first),
        dividends=tuple(one for one in series.dividends if one.day in days),
    )  # fmt: skip
